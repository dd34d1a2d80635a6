import { ATTRIBUTE, type Attribute, firstValue } from "../../radius/attribute.ts";
import { CODE } from "../../radius/codes.ts";
import type { RouteRule } from "./options.ts";

/** What is forwarded at all: Status-Server never is (ST-03). */
const KINDS: ReadonlyMap<number, "auth" | "acct"> = new Map([
  [CODE.accessRequest, "auth"],
  [CODE.accountingRequest, "acct"],
]);

/** The name of the pool for a request, undefined where the hub answers by itself. The first rule that fits decides. */
export function routeOf(
  rules: readonly RouteRule[],
  code: number,
  attributes: readonly Attribute[],
  listener: string,
): string | undefined {
  const kind = KINDS.get(code);
  if (kind === undefined || rules.length === 0) return undefined;
  const realm = realmOf(attributes);
  return rules.find(
    (rule) =>
      (rule.kind === undefined || rule.kind === kind) &&
      (rule.listeners?.includes(listener) ?? true) &&
      (rule.realm === undefined || fitsRealm(rule.realm, realm)),
  )?.pool;
}

function realmOf(attributes: readonly Attribute[]): string {
  return realmOfName(firstValue(attributes, ATTRIBUTE.userName)?.toString("utf8") ?? "");
}

/** "user@realm" (RFC 7542 Section 2.2), else "REALM\user"; lower case, "" without a realm. */
export function realmOfName(userName: string): string {
  const at = userName.lastIndexOf("@");
  if (at >= 0) return userName.slice(at + 1).toLowerCase();
  return userName.slice(0, Math.max(0, userName.indexOf("\\"))).toLowerCase();
}

/** Whether a realm is meant by RouteRule.realm. */
export function fitsRealm(pattern: string, realm: string): boolean {
  if (pattern === "*") return realm !== "";
  return pattern.startsWith("*.") ? realm.endsWith(pattern.slice(1)) : realm === pattern;
}
