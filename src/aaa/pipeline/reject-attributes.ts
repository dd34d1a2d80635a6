import { ATTRIBUTE, type Attribute } from "../../radius/attribute.ts";
import { decodeVendorSpecific, VENDOR_FORMAT_DEFAULT } from "../../radius/vendor.ts";

const MICROSOFT = 311;
const MS_CHAP_ERROR = 2;
const REJECT_TYPES: ReadonlySet<number> = new Set<number>([
  ATTRIBUTE.replyMessage,
  ATTRIBUTE.proxyState,
  ATTRIBUTE.eapMessage,
  ATTRIBUTE.errorCause,
]);
/** RFC 3748 Section 4. */
const EAP = { success: 3, failure: 4, bytes: 4 } as const;

/** What of a reply an Access-Reject may say (RFC 2865 Section 5.44), whatever was meant for an Access-Accept. */
export function rejectAttributes(attributes: readonly Attribute[]): readonly Attribute[] {
  return attributes.filter(fitsReject).map(withoutSuccess);
}

function fitsReject({ type, value }: Attribute): boolean {
  if (REJECT_TYPES.has(type)) return true;
  if (type !== ATTRIBUTE.vendorSpecific) return false;
  const specific = decodeVendorSpecific(value, () => VENDOR_FORMAT_DEFAULT);
  return specific?.vendor === MICROSOFT && specific.subAttributes.every((each) => each.type === MS_CHAP_ERROR);
}

/** RFC 3579 Section 2.6.3: an Access-Reject with an EAP Success contradicts itself. Somebody else has let the user in, and is
 *  overruled. */
function withoutSuccess(attribute: Attribute): Attribute {
  const { type, value } = attribute;
  if (type !== ATTRIBUTE.eapMessage || value.length !== EAP.bytes || value[0] !== EAP.success) return attribute;
  return { type, value: Buffer.of(EAP.failure, ...value.subarray(1)) };
}
