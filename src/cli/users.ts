import { type Random, systemRandom } from "../clock.ts";
import { HubError } from "../errors.ts";
import { type Command, type CommandContext, EXIT, type OptionSpec } from "./command.ts";
import { callHub, HUB_OPTIONS, type HubAnswer, problemLine } from "./hub-api.ts";
import { printable } from "./printable.ts";
import { textTable } from "./text-table.ts";

const USER_OPTIONS: Readonly<Record<string, OptionSpec>> = {
  plan: { type: "string", placeholder: "NAME", description: 'plan of the user; "" for none' },
  from: { type: "string", placeholder: "TIME", description: 'valid from, such as 2027-01-01; "" for ever since' },
  until: { type: "string", placeholder: "TIME", description: 'valid until; "" for ever' },
  note: { type: "string", placeholder: "TEXT", description: "a note for people" },
  disable: { type: "boolean", description: "let the user in no more" },
  enable: { type: "boolean", description: "let the user in again" },
  kind: {
    type: "string",
    placeholder: "KIND",
    description: "how the password is kept: hashed (default); clear-text or nt-hash for CHAP and MS-CHAP",
  },
  // No option takes a password: what is on a command line, everybody on the machine can read.
  "password-stdin": { type: "boolean", description: "take the password from the first line of standard input" },
};

export const USERS_ADD: Command = {
  name: "users add",
  summary: "Makes a user; without --password-stdin with a password that is printed once.",
  positionals: ["NAME"],
  options: { ...USER_OPTIONS, ...HUB_OPTIONS },
  exits: [EXIT.unreachable],
  example: "users add alice --plan gold",
  run: async (context) => {
    const { password, isGenerated } = await newPassword(context, true);
    const body = { username: context.positionals[0], ...changes(context), password, ...kind(context) };
    const answer = await callHub(context, "POST", "/v1/users", body);
    return told(context, answer, isGenerated ? password : undefined);
  },
};

export const USERS_SET: Command = {
  name: "users set",
  summary: "Changes a user; what no option names stays.",
  positionals: ["NAME"],
  options: {
    ...USER_OPTIONS,
    "new-password": { type: "boolean", description: "make a new password and print it once" },
    ...HUB_OPTIONS,
  },
  exits: [EXIT.unreachable],
  example: "users set alice --plan iron",
  run: async (context) => {
    const path = pathOf(context);
    const before = await callHub(context, "GET", path);
    if (before.status !== 200 || before.etag === undefined) return told(context, before, undefined);
    const { password, isGenerated } = await newPassword(context, context.options.flag("new-password"));
    const { plan, valid_from, valid_until, disabled, overrides, note } = before.body;
    const kept = { plan, valid_from, valid_until, disabled, overrides, note };
    const anew = password === undefined ? {} : { password, ...kind(context, before.body["password_kind"]) };
    const body = { ...kept, ...changes(context), ...anew };
    const answer = await callHub(context, "PUT", path, body, { "if-match": before.etag });
    return told(context, answer, isGenerated ? password : undefined);
  },
};

export const USERS_DELETE: Command = {
  name: "users delete",
  summary: "Deletes a user and ends its acct sessions.",
  positionals: ["NAME"],
  options: HUB_OPTIONS,
  exits: [EXIT.unreachable],
  example: "users delete alice",
  run: async (context) => {
    const answer = await callHub(context, "DELETE", pathOf(context), undefined, { "if-match": "*" });
    return told(context, answer, undefined);
  },
};

export const USERS_LIST: Command = {
  name: "users list",
  summary: "Lists the users of a running hub.",
  positionals: [],
  options: {
    plan: { type: "string", placeholder: "NAME", description: "only those of this plan" },
    ...HUB_OPTIONS,
  },
  exits: [EXIT.unreachable],
  example: "users list --plan gold",
  run: list,
};

type UserJson = Readonly<Record<string, unknown>>;

async function list(context: CommandContext): Promise<number> {
  const { options, json, print } = context;
  const plan = options.text("plan");
  const found: UserJson[] = [];
  let cursor: unknown;
  do {
    const query = new URLSearchParams({ limit: "1000", ...(plan === undefined ? {} : { plan }) });
    if (typeof cursor === "string") query.set("cursor", cursor);
    const answer = await callHub(context, "GET", `/v1/users?${query.toString()}`);
    if (answer.status !== 200 || !Array.isArray(answer.body["users"])) return told(context, answer, undefined);
    found.push(...(answer.body["users"] as UserJson[]));
    cursor = answer.body["next_cursor"];
  } while (typeof cursor === "string");
  if (json) print(JSON.stringify({ users: found }));
  else if (found.length === 0) print("no users");
  else print(textTable(["USER", "PLAN", "STATUS", "VALID UNTIL", "PASSWORD", "NOTE"], found.map(row)));
  return EXIT.ok;
}

function row({ username, plan, status, valid_until, password_kind, note }: UserJson): string[] {
  return [username, plan, status, valid_until, password_kind, note].map(cell);
}

function cell(value: unknown): string {
  return typeof value === "string" ? printable(value) : "-";
}

function told({ json, print, complain }: CommandContext, answer: HubAnswer, password: string | undefined): number {
  const isDone = answer.status >= 200 && answer.status < 300;
  const said = password === undefined || !isDone ? answer.body : { ...answer.body, password };
  if (json) print(JSON.stringify(said));
  else if (!isDone) complain(problemLine(answer));
  else if (password !== undefined) print(`password: ${password}`);
  return isDone ? EXIT.ok : EXIT.mistake;
}

function pathOf({ positionals }: CommandContext): string {
  return `/v1/users/${encodeURIComponent(positionals[0] ?? "")}`;
}

/** @throws {HubError} ERR_INPUT */
function changes({ options }: CommandContext): Record<string, unknown> {
  if (options.flag("disable") && options.flag("enable")) {
    throw new HubError("ERR_INPUT", "--disable and --enable are the opposite of each other");
  }
  const fields: Record<string, unknown> = {};
  const named = { plan: "plan", from: "valid_from", until: "valid_until", note: "note" };
  for (const [option, field] of Object.entries(named)) {
    const value = options.text(option);
    if (value !== undefined) fields[field] = value === "" ? null : value;
  }
  if (options.flag("disable") || options.flag("enable")) fields["disabled"] = options.flag("disable");
  return fields;
}

/** A new password is kept as the one before it was, unless --kind says otherwise. */
function kind({ options }: CommandContext, before?: unknown): { readonly password_kind?: unknown } {
  const wanted = options.text("kind") ?? before ?? undefined;
  return wanted === undefined ? {} : { password_kind: wanted };
}

interface NewPassword {
  readonly password: string | undefined;
  readonly isGenerated: boolean;
}

/** @throws {HubError} ERR_INPUT where standard input has none */
async function newPassword({ io, options }: CommandContext, otherwiseMade: boolean): Promise<NewPassword> {
  if (!options.flag("password-stdin")) {
    if (!otherwiseMade && options.text("kind") !== undefined) {
      throw new HubError("ERR_INPUT", "--kind is about a new password: add --password-stdin or --new-password");
    }
    const password = otherwiseMade ? generatedPassword(io.random ?? systemRandom) : undefined;
    return { password, isGenerated: otherwiseMade };
  }
  const [password = ""] = ((await io.readInput?.()) ?? "").split(/\r?\n/, 1);
  if (password === "") throw new HubError("ERR_INPUT", "--password-stdin: standard input has no password");
  return { password, isGenerated: false };
}

/** Without what is mistaken for something else when it is read aloud or typed from paper. */
const LETTERS = "abcdefghjkmnpqrstuvwxyz23456789";
const PASSWORD_LETTERS = 16;

/** 79 bits. */
function generatedPassword(random: Random): string {
  let password = "";
  while (password.length < PASSWORD_LETTERS) {
    // What is left of 256 beyond whole alphabets would make some letters likelier.
    const letters = [...random.bytes(2 * PASSWORD_LETTERS)].filter((octet) => octet < 8 * LETTERS.length);
    for (const octet of letters) password += LETTERS[octet % LETTERS.length];
  }
  return password.slice(0, PASSWORD_LETTERS);
}
