import { ATTRIBUTE, type Attribute, firstValue } from "../radius/attribute.ts";
import type { LinkRecord } from "../registry/types.ts";
import type { Reach } from "../transport/client-entry.ts";

/** Whether a DAC may speak of this user (DP-13; RFC 8559 Section 3.3). One that is limited to realms must name a user of one. */
export function mayReachUser(reach: Reach | undefined, attributes: readonly Attribute[]): boolean {
  if (reach?.realms === undefined) return true;
  const userName = firstValue(attributes, ATTRIBUTE.userName)?.toString("utf8") ?? "";
  const at = userName.lastIndexOf("@");
  return at >= 0 && reach.realms.includes(userName.slice(at + 1).toLowerCase());
}

/** Whether a DAC may reach the NAS behind a link (DP-09; RFC 8559 Section 4.3.1): by what the link has proven, not by what
 *  the request says. */
export function mayReachLink(reach: Reach | undefined, record: LinkRecord | undefined): boolean {
  if (reach?.nas === undefined) return true;
  if (record === undefined) return false;
  const names = [...record.nasIdentifiers].map((name) => Buffer.from(name, "latin1").toString("utf8"));
  return [...names, ...record.nasAddresses].some((name) => reach.nas?.some((pattern) => fits(name, pattern)) === true);
}

function fits(name: string, pattern: string): boolean {
  return pattern.endsWith("*") ? name.startsWith(pattern.slice(0, -1)) : name === pattern;
}
