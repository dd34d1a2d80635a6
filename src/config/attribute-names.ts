import { HubError } from "../errors.ts";
import { ATTRIBUTE } from "../radius/attribute.ts";
import { type AttributePlace, parseDotted } from "../radius/attribute-place.ts";
import { Dictionary } from "../radius/dictionary.ts";
import { attributeReader } from "../registry/request-template.ts";
import type { KeyPath, Report } from "./problem.ts";
import { itemsOf, valueAt } from "./section.ts";

/** Stands in where there is no dictionary: attributes then have numbers only. */
export const NO_DICTIONARY = new Dictionary([]);

/** The place of an attribute by name ("User-Name", any case) or number ("31", "Attr-26.14988.8"); undefined when there is none. */
export function attributePlace(name: string, dictionary: Dictionary): AttributePlace | undefined {
  return dictionary.find(name)?.place ?? parseDotted(name.replace(/^attr-/i, ""));
}

/** Reports attributes in `dynauth.select` that no dictionary has, or that nothing may compare because they are secrets.
 *  @param root the values of hub.yaml, right or wrong */
export function checkSelectAttributes(root: unknown, dictionary: Dictionary, report: Report): void {
  for (const [index, rule] of itemsOf(valueAt(root, "dynauth", "select")).entries()) {
    const match = valueAt(rule, "match");
    if (typeof match !== "object" || match === null) continue;
    for (const [key, value] of Object.entries(match)) {
      const path = ["dynauth", "select", index, "match", key];
      const [, status] = /^status\.([A-Za-z0-9][A-Za-z0-9_.-]*)$/.exec(key) ?? [];
      if (status !== undefined) checkComparable(status, path, dictionary, report);
      for (const [position, item] of (Array.isArray(value) ? value : [value]).entries()) {
        if (typeof item !== "string" || item.startsWith("/")) continue;
        for (const [, name] of item.matchAll(/%\{request\.([A-Za-z0-9][A-Za-z0-9_.-]*)\}/g)) {
          checkComparable(name as string, Array.isArray(value) ? [...path, position] : path, dictionary, report);
        }
      }
    }
  }
}

function checkComparable(name: string, path: KeyPath, dictionary: Dictionary, report: Report): void {
  try {
    attributeReader(name, dictionary);
  } catch (error) {
    if (!(error instanceof HubError)) throw error;
    report(path, error.message);
  }
}

/** Reports attributes in a filter that no dictionary has, or that are not the filter's to decide.
 *  @param root the values of hub.yaml, right or wrong */
export function checkFilterAttributes(root: unknown, dictionary: Dictionary, report: Report): void {
  for (const section of [["clients"], ["upstreams", "servers"]]) {
    for (const [index, entry] of itemsOf(valueAt(root, ...section)).entries()) {
      for (const key of ["remove", "select"]) {
        const value = valueAt(entry, "filter", key);
        for (const [position, name] of (Array.isArray(value) ? value : [value]).entries()) {
          if (typeof name !== "string" || name === "") continue;
          const path = [...section, index, "filter", key];
          const message = filterMistake(attributePlace(name, dictionary));
          if (message !== undefined) report(Array.isArray(value) ? [...path, position] : path, message);
        }
      }
    }
  }
}

function filterMistake(place: AttributePlace | undefined): string | undefined {
  if (place === undefined) return "no dictionary has an attribute of this name";
  // DP-22, DP-26: each hop has its own authenticator, and Proxy-State has to come back.
  const kept = place.type === ATTRIBUTE.proxyState || place.type === ATTRIBUTE.messageAuthenticator;
  return kept ? "is no matter of a filter: the hub deals with it as the protocol says" : undefined;
}
