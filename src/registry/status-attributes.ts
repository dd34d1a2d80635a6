import { ATTRIBUTE, type Attribute } from "../radius/attribute.ts";
import { OPERATOR_NAS_IDENTIFIER } from "../radius/operator.ts";

/** What does not belong in a Status-Server and is not kept: the signature, credentials, what concerns a user or its accounting
 *  (ST-08; RFC 5997 Section 3), and proxy state. */
const NOT_KEPT: ReadonlySet<number> = new Set([
  ATTRIBUTE.messageAuthenticator,
  ATTRIBUTE.userName,
  ATTRIBUTE.userPassword,
  ATTRIBUTE.chapPassword,
  ATTRIBUTE.chapChallenge,
  ATTRIBUTE.tunnelPassword,
  ATTRIBUTE.eapMessage,
  ATTRIBUTE.state,
  ATTRIBUTE.class,
  ATTRIBUTE.proxyState,
  ATTRIBUTE.eventTimestamp, // new in every packet: keeping it would mean a copy for each watchdog
  70, // ARAP-Password
  73, // ARAP-Security
  74, // ARAP-Security-Data
]);
/** Acct-Status-Type to Acct-Link-Count (RFC 2866 Section 5). */
const ACCOUNTING = { first: 40, last: 51 } as const;
/** The Microsoft vendor space: MS-CHAP responses and keys (RFC 2548). */
const MICROSOFT = 311;

function isKept({ type, value }: Attribute): boolean {
  if (NOT_KEPT.has(type) || (type >= ACCOUNTING.first && type <= ACCOUNTING.last)) return false;
  if (type === ATTRIBUTE.extended1) return value[0] !== OPERATOR_NAS_IDENTIFIER; // ST-15
  if (type === ATTRIBUTE.vendorSpecific) return value.length < 4 || value.readUInt32BE(0) !== MICROSOFT;
  return true;
}

/** The attributes of a Status-Server to keep with its link, copied out of the network's buffer. A watchdog says the same each
 *  time: then `kept` itself is returned and nothing is copied. */
export function keepStatusAttributes(
  attributes: readonly Attribute[],
  kept: readonly Attribute[],
): readonly Attribute[] {
  let count = 0;
  let octets = 0;
  let same = true;
  for (const each of attributes) {
    if (!isKept(each)) continue;
    const before = kept[count];
    same &&= before !== undefined && before.type === each.type && before.value.equals(each.value);
    count += 1;
    octets += each.value.length;
  }
  return same && count === kept.length ? kept : copies(attributes, octets);
}

function copies(attributes: readonly Attribute[], octets: number): readonly Attribute[] {
  // One buffer of their own: a slice of Node's pool would keep the whole pool alive as long as the link.
  const copy = Buffer.allocUnsafeSlow(octets);
  const kept: Attribute[] = [];
  let offset = 0;
  for (const each of attributes) {
    if (!isKept(each)) continue;
    const end = offset + each.value.copy(copy, offset);
    kept.push({ type: each.type, value: copy.subarray(offset, end) });
    offset = end;
  }
  return kept;
}
