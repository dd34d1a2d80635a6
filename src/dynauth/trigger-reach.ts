import { ATTRIBUTE, type Attribute } from "../radius/attribute.ts";
import { textOf } from "../registry/nas-name.ts";
import type { LinkRecord } from "../registry/types.ts";
import type { Reach } from "../transport/client-entry.ts";
import type { Link } from "../transport/link.ts";
import type { Target } from "./exchange-request.ts";

/** Whether a DAC may speak of this user (DP-13; RFC 8559 Section 3.3). One that is limited to realms must name a user of one, and
 *  nobody else besides: which of two names counts is up to the NAS. */
export function mayReachUser(reach: Reach | undefined, attributes: readonly Attribute[]): boolean {
  const realms = reach?.realms;
  if (realms === undefined) return true;
  const userNames = attributes.filter(({ type }) => type === ATTRIBUTE.userName);
  return userNames.length > 0 && userNames.every(({ value }) => isOfRealm(value.toString("utf8"), realms));
}

function isOfRealm(userName: string, realms: readonly string[]): boolean {
  const at = userName.lastIndexOf("@");
  return at >= 0 && realms.includes(userName.slice(at + 1).toLowerCase());
}

/** Whether a DAC may reach a NAS by a link (DP-09; RFC 8559 Section 4.3.1). The link of a router is judged by what it has proven,
 *  not by what the request says. Behind that of a proxy or hub there are many NASes (IDX-09): there it is the one that is meant,
 *  by its name if it has one. */
export function mayReachNas(
  reach: Reach | undefined,
  meant: Pick<Target, "nasIdentifier" | "nasAddress">,
  link: Link,
  record: LinkRecord | undefined,
): boolean {
  if (reach?.nas === undefined) return true;
  if (link.client.role !== "nas") {
    const name = meant.nasIdentifier === undefined ? meant.nasAddress : textOf(meant.nasIdentifier);
    return name !== undefined && mayReachName(reach.nas, name);
  }
  const { nasIdentifiers, nasAddresses } = record ?? NOTHING_PROVEN;
  // Which is what a router over UDP is known by; a router on RadSec is not, though it may be asked there.
  const source = link.kind === "udp" && link.fallback !== true ? [link.address] : [];
  return [...Array.from(nasIdentifiers, textOf), ...nasAddresses, ...source].some((name) =>
    mayReachName(reach.nas ?? [], name),
  );
}

const NOTHING_PROVEN = { nasIdentifiers: new Set<string>(), nasAddresses: new Set<string>() };

function mayReachName(patterns: readonly string[], name: string): boolean {
  return patterns.some((pattern) => fits(name, pattern));
}

function fits(name: string, pattern: string): boolean {
  return pattern.endsWith("*") ? name.startsWith(pattern.slice(0, -1)) : name === pattern;
}
