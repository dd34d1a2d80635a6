import { ATTRIBUTE, type Attribute, firstValue } from "./attribute.ts";
import { type HidingHop, rehideBlocks, SALT_BYTES } from "./hidden.ts";

const MICROSOFT = 311;
const VENDOR_ID_BYTES = 4;
const VENDOR_HEAD_BYTES = 2;

/** How a value is hidden. */
type Hiding = "blocks" | "salted" | "tagged";

/** Attributes with a hidden value: User-Password (RFC 2865 Section 5.2), Tunnel-Password (RFC 2868 Section 3.5). */
const HIDDEN: ReadonlyMap<number, Hiding> = new Map([
  [ATTRIBUTE.userPassword, "blocks"],
  [ATTRIBUTE.tunnelPassword, "tagged"],
]);

/** Of Microsoft: MS-CHAP-MPPE-Keys, MS-MPPE-Send-Key and MS-MPPE-Recv-Key (RFC 2548 Sections 2.4.1 to 2.4.3). */
const HIDDEN_OF_MICROSOFT: ReadonlyMap<number, Hiding> = new Map([
  [12, "blocks"],
  [16, "salted"],
  [17, "salted"],
]);

/** Takes hidden values from one hop to another (CRY-15; RFC 2865 Section 2.3): the same list, in the same order and with the
 *  same lengths, tags and salts; only the hidden octets differ. A value that can not be hidden octets stays as it is (PKT-08).
 *  The hop's authenticator is that of the request, also for the attributes of its response; in a CoA-Request it is zero. */
export function rehide(attributes: readonly Attribute[], from: HidingHop, to: HidingHop): readonly Attribute[] {
  return attributes.map((each) => {
    const hiding = HIDDEN.get(each.type);
    if (hiding !== undefined) return { type: each.type, value: rehideValue(each.value, hiding, from, to) };
    if (each.type === ATTRIBUTE.vendorSpecific) return rehideMicrosoft(each, from, to);
    return each;
  });
}

/** The challenge of CHAP is the Request Authenticator unless there is a CHAP-Challenge; a proxy has another authenticator, so
 *  it says what the challenge was (UL-19; RFC 2865 Sections 2.3 and 5.3). */
export function withChapChallenge(
  attributes: readonly Attribute[],
  requestAuthenticator: Buffer,
): readonly Attribute[] {
  const needsOne =
    firstValue(attributes, ATTRIBUTE.chapPassword) !== undefined &&
    firstValue(attributes, ATTRIBUTE.chapChallenge) === undefined;
  if (!needsOne) return attributes;
  return [...attributes, { type: ATTRIBUTE.chapChallenge, value: Buffer.from(requestAuthenticator) }];
}

function rehideValue(value: Buffer, hiding: Hiding, from: HidingHop, to: HidingHop): Buffer {
  const clearBytes = CLEAR_BYTES[hiding];
  const hidden = value.subarray(clearBytes);
  const salt = value.subarray(Math.max(0, clearBytes - SALT_BYTES), clearBytes);
  const rehidden = rehideBlocks(hidden, from, to, salt);
  return rehidden === undefined ? value : Buffer.concat([value.subarray(0, clearBytes), rehidden]);
}

/** Octets before the hidden ones: none, the salt, or the tag and the salt. */
const CLEAR_BYTES = { blocks: 0, salted: SALT_BYTES, tagged: 1 + SALT_BYTES } as const satisfies Record<Hiding, number>;

/** A key may share its Vendor-Specific attribute with others, so it is replaced where it stands. */
function rehideMicrosoft(attribute: Attribute, from: HidingHop, to: HidingHop): Attribute {
  const { type, value } = attribute;
  if (value.length < VENDOR_ID_BYTES || value.readUInt32BE() !== MICROSOFT) return attribute;
  const rehidden = Buffer.from(value);
  let offset = VENDOR_ID_BYTES;
  while (offset + VENDOR_HEAD_BYTES <= value.length) {
    const end = offset + (value[offset + 1] as number);
    if (end < offset + VENDOR_HEAD_BYTES || end > value.length) return attribute;
    const hiding = HIDDEN_OF_MICROSOFT.get(value[offset] as number);
    const inner = value.subarray(offset + VENDOR_HEAD_BYTES, end);
    if (hiding !== undefined) rehidden.set(rehideValue(inner, hiding, from, to), offset + VENDOR_HEAD_BYTES);
    offset = end;
  }
  return offset === value.length ? { type, value: rehidden } : attribute;
}
