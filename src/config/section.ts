import { z } from "zod";
import type { Report } from "./problem.ts";
import { nearest } from "./spelling.ts";

/** Keys that people look for and that are missing on purpose. */
const ABSENT: Readonly<Record<string, string>> = {
  // CON-18, CON-19: a router that sends nothing but its watchdog must stay reachable, so there is nothing to set.
  idleTimeout:
    "there is no idle timeout, because a router that only sends its watchdog must stay connected; see keepAlive",
};

/** A map with exactly these keys. A key without anything after it ("limits:") is an empty map, so that a section whose
 *  keys are all commented out still loads.
 *  @param rule looks at what lies between the keys; it also runs, with what there is, when single values are wrong */
export function section<Shape extends z.ZodRawShape>(shape: Shape, rule?: (values: unknown, report: Report) => void) {
  const known = Object.keys(shape);
  const map = z.strictObject(shape, {
    error: (issue) => {
      if (issue.code === "unrecognized_keys") return issue.keys.map((key) => unknownKey(key, known)).join("\n");
      return issue.code === "invalid_type" ? "must be a map of keys" : undefined;
    },
  });
  const withRule = rule === undefined ? map : withRules(map, rule);
  return z.preprocess((value) => (value === null ? {} : value), withRule);
}

/** Adds a rule that runs even when parts of the value are wrong, so that every mistake is told at once. */
export function withRules<Schema extends z.ZodType>(
  schema: Schema,
  rule: (value: unknown, report: Report) => void,
): Schema {
  return schema.superRefine(
    (value, context) => rule(value, (path, message) => context.addIssue({ code: "custom", path: [...path], message })),
    { when: () => true },
  );
}

/** What to say about a key that does not exist, with the one that was probably meant. */
export function unknownKey(key: string, known: readonly string[]): string {
  const absent = Object.hasOwn(ABSENT, key) ? ABSENT[key] : undefined;
  if (absent !== undefined) return `unknown key: ${absent}`;
  const meant = nearest(key, known);
  return meant === undefined ? `unknown key; known here: ${known.join(", ")}` : `unknown key; did you mean "${meant}"?`;
}

/** The value at `path` of something that was perhaps read wrongly; undefined where there is none. */
export function valueAt(value: unknown, ...path: (string | number)[]): unknown {
  let at = value;
  for (const step of path) {
    if (typeof at !== "object" || at === null) return undefined;
    at = (at as Record<string | number, unknown>)[step];
  }
  return at;
}

/** The items of a list that was perhaps read wrongly. */
export function itemsOf(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : [];
}

/** Reports each item whose text at `key` is that of an earlier item. */
export function reportDuplicates(items: unknown, key: string, what: string, report: Report): void {
  const seen = new Map<string, number>();
  for (const [index, item] of itemsOf(items).entries()) {
    const text = valueAt(item, key);
    if (typeof text !== "string" || text === "") continue;
    const earlier = seen.get(text);
    if (earlier === undefined) seen.set(text, index);
    else report([index, key], `duplicate ${what}: item ${earlier} of the list has the same`);
  }
}
