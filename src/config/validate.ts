import type { z } from "zod";
import { type HubValues, hubSchema } from "./hub-schema.ts";
import type { KeyPath, Problem } from "./problem.ts";
import { valueAt } from "./section.ts";
import type { YamlTree } from "./yaml-tree.ts";

/** Checks the values of a file against the schema: all of them in the end, or every mistake. */
export function validate(tree: YamlTree): { readonly values: HubValues } | { readonly problems: readonly Problem[] } {
  const root = tree.root ?? {};
  let result = hubSchema.safeParse(root);
  if (!result.success && takeAsWritten(result.error.issues, root, tree)) result = hubSchema.safeParse(root);
  if (result.success) return { values: result.data };
  return { problems: result.error.issues.flatMap((issue) => problemsOf(issue, root, tree)) };
}

/** Turns text of the environment or a file into the number or boolean that the schema wants at its place.
 *  @returns whether there was any */
function takeAsWritten(issues: readonly z.core.$ZodIssue[], root: unknown, tree: YamlTree): boolean {
  let changed = false;
  for (const issue of issues) {
    const path = issue.path as KeyPath;
    const text = valueAt(root, ...path);
    if (issue.code !== "invalid_type" || typeof text !== "string" || !tree.substituted(path)) continue;
    const value = issue.expected === "boolean" ? BOOLEANS.get(text) : numberOf(text);
    if (value === undefined) continue;
    (valueAt(root, ...path.slice(0, -1)) as Record<string | number, unknown>)[path.at(-1) as string] = value;
    changed = true;
  }
  return changed;
}

const BOOLEANS: ReadonlyMap<string, boolean> = new Map([
  ["true", true],
  ["false", false],
]);

function numberOf(text: string): number | undefined {
  return /^-?\d{1,15}$/.test(text) ? Number(text) : undefined;
}

function problemsOf(issue: z.core.$ZodIssue, root: unknown, tree: YamlTree): Problem[] {
  const path = issue.path as KeyPath;
  if (issue.code === "unrecognized_keys") {
    const messages = issue.message.split("\n"); // one line a key, see section.ts
    return issue.keys.map((key, index) => tree.problemAt([...path, key], messages[index] as string, "key"));
  }
  const value = writtenAt(root, path);
  const typed = issue.code === "invalid_type" || issue.code === "invalid_value" || issue.code === "invalid_union";
  if (typed && value === undefined) return [tree.problemAt(path, "is required")];
  if (typed && value === null) return [tree.problemAt(path, "has no value")];
  return [tree.problemAt(path, issue.message)];
}

/** What stands at a path: a single item may stand for a list of one. */
function writtenAt(root: unknown, path: KeyPath): unknown {
  return path.reduce<unknown>((at, step) => (step === 0 && !Array.isArray(at) ? at : valueAt(at, step)), root);
}
