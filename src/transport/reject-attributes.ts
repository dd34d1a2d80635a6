import { ATTRIBUTE, type Attribute } from "../radius/attribute.ts";

/** Whether an attribute may stand in an Access-Reject of the hub's own: it says why, and serves nobody (UL-16; RFC 5080 Section
 *  2.6.1). MS-CHAP-Error, which tells a user to try again or to change the password, says why as well (RFC 2548 Section 2.1.5). */
export function isOfReject({ type, value }: Attribute): boolean {
  return EXPLAINS.has(type) || (type === ATTRIBUTE.vendorSpecific && value.subarray(0, 5).equals(MS_CHAP_ERROR));
}

const EXPLAINS: ReadonlySet<number> = new Set<number>([
  ATTRIBUTE.replyMessage,
  ATTRIBUTE.proxyState,
  ATTRIBUTE.eapMessage,
  ATTRIBUTE.messageAuthenticator,
  ATTRIBUTE.errorCause,
]);

/** Vendor 311, type 2. */
const MS_CHAP_ERROR: Buffer = Buffer.from([0, 0, 1, 55, 2]);
