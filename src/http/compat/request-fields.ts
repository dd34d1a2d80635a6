import type { IncomingMessage } from "node:http";
import { utf8 } from "../../registry/nas-name.ts";
import { bodyFormat, readBody } from "../body.ts";
import { parseForm } from "../form-text.ts";
import { parseJson } from "../json-text.ts";
import type { Fields } from "../parameters.ts";
import { refusal } from "../problem.ts";

/** Files of a multipart body by field; everything else is text. */
export interface SentFields {
  readonly fields: Fields;
  readonly files: ReadonlyMap<string, SentFile>;
}

export interface SentFile {
  readonly name: string;
  readonly octets: Buffer;
}

/** What a body says: JSON, or a form. The query is not part of it: it may hold a token. Of a field that is there twice the last one
 *  counts. @throws {HubError} ERR_INPUT: malformed-body, body-too-large, unsupported-media-type */
export async function readFields(incoming: IncomingMessage, bytesMax: number): Promise<SentFields> {
  const body = await readBody(incoming, bytesMax);
  const type = incoming.headers["content-type"] ?? "";
  if (/^multipart\/form-data\s*;/i.test(type)) return readMultipart(type, body);
  const files = new Map<string, SentFile>();
  switch (bodyFormat(incoming.headers, body)) {
    case "none":
      return { fields: {}, files };
    case "form":
      return { fields: Object.fromEntries(parseForm(body.toString("latin1"), "body")), files };
    case "json": {
      const text = utf8(body);
      if (text === undefined) throw refusal("malformed-body", "JSON parse error - not UTF-8");
      const value = jsonValue(text);
      if (typeof value === "object" && value !== null && !Array.isArray(value))
        return { fields: value as Fields, files };
      const detail = `Invalid data. Expected a dictionary, but got ${pythonType(value)}.`;
      throw refusal("malformed-body", detail, { nonField: true });
    }
  }
}

function jsonValue(text: string): unknown {
  try {
    return parseJson(text);
  } catch (error) {
    throw refusal("malformed-body", `JSON parse error - ${error instanceof Error ? error.message : ""}`);
  }
}

/** As the original names what it got. */
function pythonType(value: unknown): string {
  if (value === null) return "NoneType";
  if (Array.isArray(value)) return "list";
  if (typeof value === "number") return Number.isInteger(value) ? "int" : "float";
  return typeof value === "string" ? "str" : "bool";
}

async function readMultipart(type: string, body: Buffer): Promise<SentFields> {
  const form = await new Response(new Uint8Array(body), { headers: { "Content-Type": type } }).formData().catch(() => {
    throw refusal("malformed-body", "Multipart form parse error - the body is not what its boundary says");
  });
  const fields = new Map<string, string>();
  const files = new Map<string, SentFile>();
  for (const [field, value] of form) {
    if (typeof value === "string") fields.set(field, value);
    else files.set(field, { name: value.name, octets: Buffer.from(await value.arrayBuffer()) });
  }
  return { fields: Object.fromEntries(fields), files };
}

/** The query, leniently: what can not be read is not there. */
export function queryOf({ url = "" }: Pick<IncomingMessage, "url">): URLSearchParams {
  const start = url.indexOf("?");
  return new URLSearchParams(start < 0 ? "" : url.slice(start + 1));
}
