import type { IncomingMessage } from "node:http";
import { bodyFormat, readBody } from "./body.ts";
import { parseForm } from "./form-text.ts";
import { parseJson } from "./json-text.ts";
import { utf8 } from "../registry/nas-name.ts";
import { refusal } from "./problem.ts";

/** One mistake in the input, as an entry of the problem's `errors`. */
export interface InputError {
  /** The field as the caller wrote it. */
  readonly field: string;
  readonly detail: string;
}

export type Fields = Readonly<Record<string, unknown>>;

export interface Parameters {
  readonly fields: Fields;
  /** The octets that the fields were read from: two requests with the same are the same request. */
  readonly source: readonly [query: string, body: Buffer];
}

/** The fields of query and body together. What is said twice must be the same.
 *  @throws {HubError} ERR_INPUT: bad-input, malformed-request, malformed-body, body-too-large, unsupported-media-type */
export async function readParameters(incoming: IncomingMessage, bodyBytesMax: number): Promise<Parameters> {
  const query = queryOf(incoming);
  const body = await readBody(incoming, bodyBytesMax);
  const pairs: [string, unknown][] = parseForm(query, "query");
  pairs.push(...bodyPairs(incoming, body));
  return { fields: joined(pairs), source: [query, body] };
}

/** The fields of the query alone.
 *  @throws {HubError} ERR_INPUT: bad-input, malformed-request */
export function readQuery(incoming: IncomingMessage): Fields {
  return joined(parseForm(queryOf(incoming), "query"));
}

function queryOf({ url = "" }: IncomingMessage): string {
  const start = url.indexOf("?");
  return start < 0 ? "" : url.slice(start + 1);
}

function bodyPairs({ headers }: IncomingMessage, body: Buffer): [string, unknown][] {
  switch (bodyFormat(headers, body)) {
    case "none":
      return [];
    case "form":
      return parseForm(body.toString("latin1"), "body");
    case "json": {
      const text = utf8(body);
      if (text === undefined) throw refusal("malformed-body", "the body is not UTF-8");
      const value = parseJson(text);
      if (typeof value !== "object" || value === null || Array.isArray(value)) {
        throw refusal("bad-input", "the body must be a JSON object");
      }
      return Object.entries(value);
    }
  }
}

function joined(pairs: readonly [string, unknown][]): Fields {
  const fields = new Map<string, unknown>();
  const errors: InputError[] = [];
  for (const [field, value] of pairs) {
    if (fields.has(field) && comparable(fields.get(field)) !== comparable(value)) {
      errors.push({ field, detail: "given twice with different values" });
    }
    fields.set(field, value);
  }
  refuseIfAny(errors);
  return Object.fromEntries(fields);
}

/** A query knows text only: 5 in JSON is the "5" of the query. */
function comparable(value: unknown): string {
  return typeof value === "string" ? value : JSON.stringify(value);
}

/** @throws {HubError} ERR_INPUT: bad-input, every mistake at once */
export function refuseIfAny(errors: readonly InputError[]): void {
  if (errors.length === 0) return;
  const shown = errors.map(({ field, detail }) => (field === "" ? detail : `${field}: ${detail}`)).join("; ");
  throw refusal("bad-input", shown, { errors });
}
