import type { ReturnCode } from "../../pipeline/types.ts";
import { asksForVerdict, type CallName } from "./settings.ts";

/** What follows from an HTTP status. */
export interface StatusMeaning {
  /** Where the answer brings attributes, ok becomes updated. */
  readonly code: ReturnCode;
  readonly readsBody: boolean;
  /** There is no answer in it: the back end is in trouble. */
  readonly isDown: boolean;
}

/** Of rlm_rest (raddb/mods-available/rest of FreeRADIUS 3.2): 404 and 410 notfound, 403 userlock, 401 reject with its body, 204 ok,
 *  other 2xx ok or updated with their body, 5xx fail, everything else invalid. Only who asks for a verdict on a user knows
 *  401, 403, 404 and 410.
 *  @param own what the settings say instead: by status, or by class as "5xx" */
export function statusMeaning(
  name: CallName,
  status: number,
  own: Readonly<Record<string, ReturnCode>> = {},
): StatusMeaning {
  const readsBody = (status >= 200 && status <= 299 && status !== 204) || (status === 401 && asksForVerdict(name));
  const told = own[String(status)] ?? own[`${Math.floor(status / 100)}xx`];
  if (told !== undefined) return { code: told, readsBody, isDown: false };
  return { code: codeOf(name, status), readsBody, isDown: status >= 500 && status <= 599 };
}

function codeOf(name: CallName, status: number): ReturnCode {
  if (asksForVerdict(name)) {
    if (status === 401) return "reject";
    if (status === 403) return "userlock";
    if (status === 404 || status === 410) return "notfound";
  }
  if (status >= 200 && status <= 299) return "ok";
  return status >= 500 && status <= 599 ? "fail" : "invalid";
}
