import { HubError } from "../errors.ts";
import type { Dictionary } from "../radius/dictionary.ts";
import { attributeReader } from "../registry/request-template.ts";
import type { KeyPath, Report } from "./problem.ts";
import { itemsOf, valueAt } from "./section.ts";

/** Reports attributes in `dynauth.select` that no dictionary has, or that nothing may compare because they are secrets.
 *  @param root the values of hub.yaml, right or wrong */
export function checkAttributeNames(root: unknown, dictionary: Dictionary, report: Report): void {
  for (const [index, rule] of itemsOf(valueAt(root, "dynauth", "select")).entries()) {
    const match = valueAt(rule, "match");
    if (typeof match !== "object" || match === null) continue;
    for (const [key, value] of Object.entries(match)) {
      const path = ["dynauth", "select", index, "match", key];
      const [, status] = /^status\.([A-Za-z0-9][A-Za-z0-9_.-]*)$/.exec(key) ?? [];
      if (status !== undefined) checkName(status, path, dictionary, report);
      for (const [position, item] of (Array.isArray(value) ? value : [value]).entries()) {
        if (typeof item !== "string" || item.startsWith("/")) continue;
        for (const [, name] of item.matchAll(/%\{request\.([A-Za-z0-9][A-Za-z0-9_.-]*)\}/g)) {
          checkName(name as string, Array.isArray(value) ? [...path, position] : path, dictionary, report);
        }
      }
    }
  }
}

function checkName(name: string, path: KeyPath, dictionary: Dictionary, report: Report): void {
  try {
    attributeReader(name, dictionary);
  } catch (error) {
    if (!(error instanceof HubError)) throw error;
    report(path, error.message);
  }
}
