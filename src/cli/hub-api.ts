import { HubError } from "../errors.ts";
import type { CommandContext, OptionSpec } from "./command.ts";
import { printable } from "./printable.ts";

const DEFAULT_URL = "http://127.0.0.1:4000";
/** Our choice: what an answer may take beyond the time that the exchange itself may take. */
const ANSWER_MARGIN_MS = 5_000;
const EXCHANGE_MS_MAX = 30_000;

/** Options of every command that talks to a running hub. */
export const HUB_OPTIONS: Readonly<Record<string, OptionSpec>> = {
  url: { type: "string", placeholder: "URL", description: `address of the hub's API (default ${DEFAULT_URL})` },
  token: { type: "string", placeholder: "TOKEN", description: "bearer token (default: RADSEC_HUB_TOKEN)" },
};

/** The hub does not answer, or something else does. The message says where it was looked for. */
export class Unreachable extends Error {
  override readonly name = "Unreachable";
}

export interface HubAnswer {
  readonly status: number;
  readonly body: Readonly<Record<string, unknown>>;
  /** Entity tag of what was answered. */
  readonly etag?: string | undefined;
}

/** What a problem of the API says, in a line: "ambiguous: several NASes share the name". */
export function problemLine({ status, body }: HubAnswer): string {
  const [code, detail, title] = ["code", "detail", "title"].map((key) => {
    const value = body[key];
    return typeof value === "string" ? printable(value) : undefined;
  });
  return `${code ?? "failed"}: ${detail ?? title ?? `HTTP status ${status}`}`;
}

/** One call of a running hub's HTTP API.
 *  @throws {Unreachable} when no hub answers; {HubError} ERR_INPUT for a bad --url */
export async function callHub(
  { io, options }: CommandContext,
  method: "GET" | "POST" | "PUT" | "DELETE",
  path: string,
  body?: Readonly<Record<string, unknown>>,
  headers: Readonly<Record<string, string>> = {},
): Promise<HubAnswer> {
  const base = options.text("url") ?? DEFAULT_URL;
  if (!URL.canParse(path, base)) throw new HubError("ERR_INPUT", `--url "${base}" is not a URL`);
  const token = options.text("token") ?? io.env["RADSEC_HUB_TOKEN"];
  const request: RequestInit = {
    method,
    headers: {
      ...headers,
      accept: "application/json",
      ...(token === undefined || token === "" ? {} : { authorization: `Bearer ${token}` }),
      ...(body === undefined ? {} : { "content-type": "application/json" }),
    },
    signal: AbortSignal.timeout(EXCHANGE_MS_MAX + ANSWER_MARGIN_MS),
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  };
  const call = io.fetch ?? fetch;
  try {
    const response = await call(new URL(path, base), request);
    const text = await response.text();
    const noContent = 204;
    const answered = response.status === noContent ? {} : record(JSON.parse(text));
    return { status: response.status, body: answered, etag: response.headers.get("etag") ?? undefined };
  } catch (error) {
    throw new Unreachable(`no hub answers at ${base}: ${causeText(error)}`, { cause: error });
  }
}

function record(value: unknown): Readonly<Record<string, unknown>> {
  if (typeof value !== "object" || value === null || Array.isArray(value))
    throw new TypeError("the answer is no object");
  return value as Readonly<Record<string, unknown>>;
}

/** fetch() hides the reason in `cause`; an answer that is not JSON comes from something that is no hub. */
function causeText(error: unknown): string {
  if (error instanceof SyntaxError) return "the answer is not JSON";
  const cause = error instanceof Error ? (error.cause ?? error) : error;
  const code = typeof cause === "object" && cause !== null && "code" in cause ? cause.code : undefined;
  if (typeof code === "string") return code;
  return cause instanceof Error ? cause.message : String(cause);
}
