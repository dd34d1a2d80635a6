import { HubError } from "../errors.ts";
import { type Command, type CommandContext, EXIT, type OptionSpec, parsePair } from "./command.ts";
import { callHub, HUB_OPTIONS, type HubAnswer, problemLine } from "./hub-api.ts";
import { printable } from "./printable.ts";

/** Options that are one field of POST /disconnect and /coa each. */
const FIELDS: Readonly<Record<string, readonly [field: string, spec: OptionSpec]>> = {
  nas: ["nas_identifier", { type: "string", placeholder: "NAME", description: "NAS-Identifier of the router" }],
  "nas-ip": ["nas_ip_address", { type: "string", placeholder: "IP", description: "or its NAS-IP-Address" }],
  link: ["link_id", { type: "string", placeholder: "LINK", description: "or one link, as `links` shows it" }],
  user: ["username", { type: "string", placeholder: "NAME", description: "User-Name" }],
  session: ["session_id", { type: "string", placeholder: "ID", description: "Acct-Session-Id" }],
  mac: ["calling_station_id", { type: "string", placeholder: "MAC", description: "Calling-Station-Id" }],
  "framed-ip": ["framed_ip", { type: "string", placeholder: "IP", description: "IPv4 or IPv6 address" }],
  wait: ["timeout", { type: "string", placeholder: "TIME", description: "how long to wait, such as 10s" }],
};

/** One of them says which NAS is meant, or lets the hub find the acct sessions. */
const NAMING = ["nas", "nas-ip", "link", "user", "session", "mac", "framed-ip"];

const OPTIONS: Readonly<Record<string, OptionSpec>> = {
  ...Object.fromEntries(Object.entries(FIELDS).map(([option, [, spec]]) => [option, spec])),
  attribute: {
    type: "string",
    placeholder: "NAME=VALUE",
    multiple: true,
    description: "a further attribute, such as Session-Timeout=600",
  },
  force: { type: "boolean", description: "send it although it may match more acct sessions than one" },
  ...HUB_OPTIONS,
};

const EXITS = [EXIT.nak, EXIT.timeout, EXIT.noRoute, EXIT.busy, EXIT.unreachable];

export const DISCONNECT: Command = {
  name: "disconnect",
  summary: "Ends an acct session: sends a Disconnect-Request through a running hub.",
  positionals: [],
  options: OPTIONS,
  exits: EXITS,
  example: "disconnect --user alice",
  run: (context) => exchange(context, "/disconnect"),
};

export const COA: Command = {
  name: "coa",
  summary: "Changes an acct session: sends a CoA-Request through a running hub.",
  positionals: [],
  options: OPTIONS,
  exits: EXITS,
  example: "coa --nas shop-7 --user alice --session 81a20f --attribute Session-Timeout=600",
  run: (context) => exchange(context, "/coa"),
};

async function exchange(context: CommandContext, path: string): Promise<number> {
  const { options, print, json } = context;
  const body: Record<string, unknown> = {};
  for (const [option, [field]] of Object.entries(FIELDS)) {
    const value = options.text(option);
    if (value !== undefined) body[field] = value;
  }
  if (!NAMING.some((option) => options.text(option) !== undefined)) {
    throw new HubError("ERR_INPUT", `say who is meant: ${NAMING.map((option) => `--${option}`).join(", ")}`);
  }
  const attributes = options.list("attribute").map((text) => {
    const [name, value] = parsePair(text, "attribute");
    return { name, value };
  });
  if (attributes.length > 0) body["attributes"] = attributes;
  if (options.flag("force")) body["force"] = true;
  const answer = await callHub(context, "POST", path, body);
  if (json) print(JSON.stringify(answer.body));
  else for (const line of answerLines(answer)) print(line);
  return exitCode(answer);
}

/** Exit codes by the outcome, or by the `code` of a problem that is none. */
const EXIT_CODES: ReadonlyMap<unknown, number> = new Map([
  ["ack", EXIT.ok],
  ["nak", EXIT.nak],
  ["timeout", EXIT.timeout],
  ["no-route", EXIT.noRoute],
  ["busy", EXIT.busy],
  ["closed", EXIT.busy],
  ["no-session", EXIT.noRoute],
  ["stopping", EXIT.busy],
]);

/** The exit code of the first outcome that is no ack. */
function exitCode({ status, body }: HubAnswer): number {
  if (status === 202) return EXIT.ok; // RC-12: what was asked has begun
  const codes = outcomesOf(body).map(({ outcome }) => EXIT_CODES.get(outcome) ?? EXIT.mistake);
  if (codes.length > 0) return codes.find((code) => code !== EXIT.ok) ?? EXIT.ok;
  return status < 300 ? EXIT.ok : (EXIT_CODES.get(body["code"]) ?? EXIT.mistake);
}

type Outcome = Readonly<Record<string, unknown>>;

/** One answer holds one outcome, or a list of them, or a problem without any. */
function outcomesOf(body: HubAnswer["body"]): readonly Outcome[] {
  const { outcomes } = body;
  if (Array.isArray(outcomes)) return outcomes as readonly Outcome[];
  return typeof body["outcome"] === "string" ? [body] : [];
}

function answerLines(answer: HubAnswer): string[] {
  const outcomes = outcomesOf(answer.body);
  if (outcomes.length === 0) return [problemLine(answer), ...candidateLines(answer.body["candidates"])];
  return outcomes.map((outcome) => {
    const { nas, link_id: linkId, duration_ms: tookMs, detail } = outcome;
    const where = [textOf(nas), linkId === null ? undefined : `link ${textOf(linkId)}`].filter((each) => each);
    const took = typeof tookMs === "number" ? ` after ${tookMs.toFixed(1)} ms` : "";
    const why = textOf(detail) === undefined ? "" : `: ${textOf(detail)}`;
    return `${textOf(outcome["outcome"])}${why} (${where.join(", ")}${took})`;
  });
}

/** 422 ambiguous: which NASes share the name. */
function candidateLines(candidates: unknown): string[] {
  return Array.isArray(candidates) ? candidates.map((each) => `  ${JSON.stringify(each)}`) : [];
}

function textOf(value: unknown): string | undefined {
  return typeof value === "string" ? printable(value) : undefined;
}
