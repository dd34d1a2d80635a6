import type { z } from "zod";

const NUMBER = /^-?\d+(?:\.\d+)?$/;
const BOOLEAN: ReadonlyMap<string, boolean> = new Map([
  ["true", true],
  ["false", false],
]);

/** Reads the settings of a module. What comes from `${env:...}` or `${file:...}` is text: where the schema wants a number or a
 *  boolean, text that is one counts as such.
 *  @param given as it stands in hub.yaml, which is left as it is */
export function readSettings<Schema extends z.ZodType>(
  schema: Schema,
  given: unknown,
): z.ZodSafeParseResult<z.output<Schema>> {
  const read = schema.safeParse(given ?? {});
  if (read.success) return read;
  const copy: unknown = structuredClone(given ?? {});
  const changes = read.error.issues.map((issue) => issue.code === "invalid_type" && unquote(copy, issue));
  return changes.includes(true) ? schema.safeParse(copy) : read;
}

/** @returns whether the text at that place was what is wanted there */
function unquote(root: unknown, { path, expected }: { path: readonly PropertyKey[]; expected: string }): boolean {
  const last = path.at(-1);
  const parent = path
    .slice(0, -1)
    .reduce<unknown>((value, key) => (value as Record<PropertyKey, unknown>)?.[key], root);
  if (last === undefined || typeof parent !== "object" || parent === null) return false;
  const holder = parent as Record<PropertyKey, unknown>;
  const text = holder[last];
  if (typeof text !== "string") return false;
  const value = expected === "boolean" ? BOOLEAN.get(text) : NUMBER.test(text) ? Number(text) : undefined;
  if (value === undefined) return false;
  holder[last] = value;
  return true;
}
