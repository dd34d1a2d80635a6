import { unknownNames } from "../attribute-mistakes.ts";
import type { KnownNames, SettingMistake } from "../../pipeline/types.ts";
import { CONTROL_NAMES } from "./effects.ts";
import { renderingMistakes, templateMistakes } from "./rendering.ts";
import { isKnownName } from "./request-values.ts";
import { CALLS, type CallName, type CallSettings, type RestSettings } from "./settings.ts";
import { isJsonName } from "./told-by-template.ts";

/** What the schema can not see. */
export function restMistakes(settings: RestSettings, { dictionary }: KnownNames): readonly SettingMistake[] {
  const isKnown = (name: string): boolean => isKnownName(name, dictionary);
  const isKnownInAnswer = (name: string): boolean => isJsonName(name) || isKnown(name);
  const { cache, headers, tls, url } = settings;
  const mistakes: SettingMistake[] = [];
  if (CALLS.every((name) => settings[name] === undefined)) {
    mistakes.push({ path: [], message: `has nothing to ask: needs one of ${CALLS.join(", ")}` });
  }
  for (const [name, text] of Object.entries(headers))
    mistakes.push(...templateMistakes(["headers", name], text, isKnown));
  if (cache.key !== undefined) mistakes.push(...templateMistakes(["cache", "key"], cache.key, isKnown));
  if ((tls.certificateFile === undefined) !== (tls.keyFile === undefined)) {
    mistakes.push({ path: ["tls"], message: "needs both certificateFile and keyFile, or none" });
  }
  if (Object.keys(tls).length > 0 && url.startsWith("http:")) {
    mistakes.push({ path: ["tls"], message: "is for a url with https://" });
  }
  for (const name of CALLS) {
    const call = settings[name];
    if (call === undefined) continue;
    const within = (each: SettingMistake): SettingMistake => ({ ...each, path: [name, ...each.path] });
    mistakes.push(...renderingMistakes(call, isKnown).map(within), ...usageMistakes(name, call).map(within));
    for (const key of ["reply", "rejectReply", "control"] as const) {
      for (const [attribute, text] of Object.entries(call[key] ?? {})) {
        mistakes.push(...templateMistakes([name, key, attribute], text, isKnownInAnswer));
        if (key === "control" && !CONTROL_NAMES.has(attribute.toLowerCase())) {
          mistakes.push({ path: [name, key, attribute], message: `is none of ${[...CONTROL_NAMES].join(", ")}` });
        }
        if (key !== "control") {
          const [unknown] = unknownNames([], [attribute], dictionary);
          if (unknown !== undefined) mistakes.push({ path: [name, key, attribute], message: unknown.message });
        }
      }
    }
  }
  return mistakes;
}

/** Keys that do nothing for a component, or the wrong thing. */
function usageMistakes(name: CallName, { whenDown, wait, reply, control }: CallSettings): readonly SettingMistake[] {
  const mistakes: SettingMistake[] = [];
  const tells = name === "accounting" || name === "postauth";
  if (!wait && !tells) mistakes.push({ path: ["wait"], message: "is for accounting and postauth" });
  if (whenDown === "last-known" && tells) {
    mistakes.push({ path: ["whenDown"], message: "last-known is for authorize and authenticate" });
  }
  if (name === "accounting" && (whenDown === "reject" || whenDown === "silent")) {
    mistakes.push({ path: ["whenDown"], message: "of accounting is fail (no answer to the router) or ignore" });
  }
  if (name === "accounting" && (reply ?? control) !== undefined) {
    mistakes.push({ path: ["reply"], message: "an Accounting-Response has no attributes (RFC 2866 Section 5.13)" });
  }
  return mistakes;
}
