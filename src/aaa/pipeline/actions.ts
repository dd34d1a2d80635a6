import { type Component, RETURN_CODES, type ReturnCode } from "./types.ts";

/** What a code of one item does to its list: "return" ends it with that code, "reject" ends it with reject, a number is a
 *  priority: the code with the highest one is that of the list, of equal ones the first. */
export type Action = "return" | "reject" | number;
export type Actions = Readonly<Record<ReturnCode, Action>>;

/** In the order of RETURN_CODES. */
function actions(...row: readonly Action[]): Actions {
  return Object.fromEntries(RETURN_CODES.map((code, index) => [code, row[index] as Action])) as Record<
    ReturnCode,
    Action
  >;
}

// What FreeRADIUS does by default (defaultactions[] of its modcall.c), so that who knows it is not surprised.
//                           reject    fail      ok        handled   invalid   userlock  notfound  noop      updated
const AUTHENTICATE = actions("return", 1, "return", "return", 1, "return", "return", 1, 1);
const ACCT = actions("return", "return", 2, "return", "return", "return", "return", 1, 3);
const CHECKSIMUL = actions("return", 1, "return", "return", "return", "return", "return", "return", "return");
const OTHERS = actions("return", "return", 3, "return", "return", "return", 1, 2, 4);
const FAIL_OVER = actions("return", 1, "return", "return", "return", "return", "return", "return", "return");
/** A record that one store refuses, whatever the reason, is offered to the next. */
const FAIL_OVER_ACCOUNTING = actions(1, 1, "return", "return", 1, 1, 1, 2, 4);

const IN_LIST: Readonly<Record<Component, Actions>> = {
  authorize: OTHERS,
  authenticate: AUTHENTICATE,
  preacct: ACCT,
  accounting: ACCT,
  checksimul: CHECKSIMUL,
  postauth: OTHERS,
  preproxy: OTHERS,
  postproxy: OTHERS,
};

/** The actions of an item that overrides none.
 *  @param redundant it stands in a group whose next item is tried when one fails */
export function defaultActions(component: Component, redundant: boolean): Actions {
  if (!redundant) return IN_LIST[component];
  return component === "accounting" ? FAIL_OVER_ACCOUNTING : FAIL_OVER;
}

/** The code of a list in which no item has given one. */
export const EMPTY_RESULT: Readonly<Record<Component, ReturnCode>> = {
  authorize: "notfound",
  authenticate: "reject",
  preacct: "noop",
  accounting: "noop",
  checksimul: "noop", // FreeRADIUS has fail here, and runs the list only where there is one
  postauth: "noop",
  preproxy: "noop",
  postproxy: "noop",
};
