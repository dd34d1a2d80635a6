import { z } from "zod";
import { hubSchema } from "./hub-schema.ts";

type Json = { readonly [key: string]: unknown };

/** A value from the environment or a file may stand wherever a single value may. */
const REFERENCE = { type: "string", pattern: "\\$\\{(env|file):[^}]+\\}" };

/** JSON schema of hub.yaml, by which editors complete and check; `npm run schema` writes it to config/hub.schema.json. */
export function configJsonSchema(): Json {
  const { $schema, ...schema } = z.toJSONSchema(hubSchema, { io: "input" }) as Json;
  return { $schema, title: "Configuration of radsec-hub", ...(asWritten(schema) as Json) };
}

/** Allows what loadConfig() accepts beyond the plain types: references, one item for a list, and nothing after a key. */
function asWritten(schema: unknown): unknown {
  if (Array.isArray(schema)) return schema.map(asWritten);
  if (typeof schema !== "object" || schema === null) return schema;
  const { description, default: preset, oneOrMany, shorthand, ...bare } = schema as Json;
  const inner = Object.fromEntries(
    Object.entries(bare).map(([key, value]) => [key, NESTED.has(key) ? mapNested(key, value) : value]),
  );
  const notes = {
    ...(description === undefined ? {} : { description }),
    ...(preset === undefined ? {} : { default: preset }),
  };
  if (oneOrMany === true) return { ...notes, anyOf: [inner["items"], inner] };
  if (shorthand === true) return { ...notes, anyOf: [{ type: "string" }, { ...inner, type: [inner["type"], "null"] }] };
  if (inner["type"] === "object" || inner["type"] === "array")
    return { ...notes, ...inner, type: [inner["type"], "null"] };
  const constrained = inner["type"] !== "string" || "pattern" in inner || "enum" in inner;
  return inner["type"] === undefined || !constrained ? { ...notes, ...inner } : { ...notes, anyOf: [inner, REFERENCE] };
}

const NESTED: ReadonlySet<string> = new Set(["properties", "items", "additionalProperties", "anyOf"]);

function mapNested(key: string, value: unknown): unknown {
  if (key !== "properties") return asWritten(value);
  return Object.fromEntries(Object.entries(value as Json).map(([name, property]) => [name, asWritten(property)]));
}
