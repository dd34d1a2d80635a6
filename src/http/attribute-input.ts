import { HubError } from "../errors.ts";
import type { Attribute } from "../radius/attribute.ts";
import { parseJson } from "./json-text.ts";
import type { AttributeNames } from "./options.ts";
import type { InputError } from "./parameters.ts";

/** Our choice: a packet of 4096 octets holds few more, and each costs a look-up. */
const ATTRIBUTES_MAX = 500;

/** Encodes the field `attributes`: `{"Class": "x", "Reply-Message": ["a", "b"]}`, or `[{"name": "Class", "value": "x"}]` where
 *  the order matters; in a query or form either as JSON text. Mistakes are added to `errors`.
 *  @throws {HubError} ERR_INPUT: malformed-body when the text is not JSON */
export function parseAttributes(given: unknown, dictionary: AttributeNames, errors: InputError[]): Attribute[] {
  if (given === undefined) return [];
  const entries = entriesOf(typeof given === "string" ? parseJson(given) : given, errors);
  if (entries.length > ATTRIBUTES_MAX) {
    errors.push({ field: "attributes", detail: `must not be more than ${ATTRIBUTES_MAX}` });
    return [];
  }
  const encoded: Attribute[] = [];
  for (const { name, value } of entries) {
    const field = `attributes.${name}`;
    if (typeof value !== "string" && typeof value !== "number" && typeof value !== "boolean") {
      errors.push({ field, detail: "must be text, a number, true or false" });
      continue;
    }
    try {
      encoded.push(...dictionary.encode(name, value));
    } catch (error) {
      if (!(error instanceof HubError)) throw error;
      errors.push({ field, detail: error.message });
    }
  }
  return encoded;
}

interface Entry {
  readonly name: string | number;
  readonly value: unknown;
}

function entriesOf(given: unknown, errors: InputError[]): Entry[] {
  if (Array.isArray(given)) return given.flatMap((each, index) => listedEntry(each, index, errors));
  if (typeof given === "object" && given !== null) {
    return Object.entries(given).flatMap(([name, value]: [string, unknown]) => several(name, value));
  }
  errors.push({ field: "attributes", detail: "must be an object, or a list of {name, value}" });
  return [];
}

function listedEntry(each: unknown, index: number, errors: InputError[]): Entry[] {
  const fields = new Map(typeof each === "object" && each !== null ? Object.entries(each) : []);
  const name: unknown = fields.get("name");
  const named = typeof name === "string" || typeof name === "number";
  if (!named || !fields.has("value") || fields.size !== 2) {
    errors.push({ field: `attributes.${index}`, detail: "must be {name, value}" });
    return [];
  }
  return several(name, fields.get("value"));
}

function several(name: string | number, value: unknown): Entry[] {
  return Array.isArray(value) ? value.map((each: unknown) => ({ name, value: each })) : [{ name, value }];
}
