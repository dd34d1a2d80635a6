import { HubError } from "../errors.ts";
import { ATTRIBUTE_VALUE_BYTES_MAX, type Attribute } from "./attribute.ts";
import { PACKET_BYTES_MAX } from "./packet.ts";

const EXTENDED_FIRST = 241;
const LONG_FIRST = 245;
const EXTENDED_LAST = 246;
const MORE = 0x80;

/** Extended-Type that holds a vendor's attribute (RFC 6929 Section 2.4). */
export const EXTENDED_VENDOR_SPECIFIC = 26;

/** One value of the extended space, put together from its fragments. */
interface Extended {
  readonly extendedType: number;
  readonly value: Buffer;
}

/** What stands at a place of an attribute list: a value, or nothing that RFC 6929 allows. */
export interface ExtendedRead {
  /** Undefined for an "invalid attribute" (RFC 6929 Section 2.8): keep its octets, ignore its meaning. */
  readonly extended: Extended | undefined;
  /** Attributes taken from the list, at least 1. */
  readonly count: number;
}

/** Whether a type is one of 241..246. */
export function isExtended(type: number): boolean {
  return type >= EXTENDED_FIRST && type <= EXTENDED_LAST;
}

function isLong(type: number): boolean {
  return type >= LONG_FIRST;
}

/** Reads the extended attribute that begins at `index`; the attribute there must be of type 241..246.
 *  Long ones are joined while More is set and the next attribute goes on with the same types (PKT-12, RFC 6929 Section 2.2). */
export function readExtended(attributes: readonly Attribute[], index: number): ExtendedRead {
  const { type, value } = attributes[index] as Attribute;
  const headBytes = isLong(type) ? 2 : 1;
  // PKT-10: Length 2 or 3 (2..4 for long ones) leaves no octet of data; RFC 6929 Sections 2.1 and 2.2 call it invalid.
  if (value.length <= headBytes) return { extended: undefined, count: 1 };
  const extendedType = value[0] as number;
  if (!isLong(type)) return { extended: { extendedType, value: value.subarray(headBytes) }, count: 1 };
  return readFragments(attributes, index, type, extendedType);
}

function readFragments(attributes: readonly Attribute[], index: number, type: number, extendedType: number) {
  const parts: Buffer[] = [];
  for (let count = 1; ; count++) {
    const fragment = attributes[index + count - 1];
    if (fragment?.type !== type || fragment.value.length <= 2 || fragment.value[0] !== extendedType) {
      return { extended: undefined, count: count - 1 }; // More promised a fragment that is not there
    }
    parts.push(fragment.value.subarray(2));
    if (((fragment.value[1] as number) & MORE) === 0) {
      const value = parts.length === 1 ? (parts[0] as Buffer) : Buffer.concat(parts);
      return { extended: { extendedType, value }, count };
    }
    // RFC 6929 Section 2.2: More may be set only in a full attribute.
    if (fragment.value.length !== ATTRIBUTE_VALUE_BYTES_MAX) return { extended: undefined, count };
  }
}

/** The attribute, or for 245 and 246 the contiguous fragments, that carry a value of the extended space.
 *  @throws {HubError} ERR_RADIUS_VALUE when the value is empty or does not fit */
export function encodeExtended(type: number, extendedType: number, value: Buffer): Attribute[] {
  const bytesMax = isLong(type) ? PACKET_BYTES_MAX : ATTRIBUTE_VALUE_BYTES_MAX - 1;
  if (!isExtended(type) || value.length === 0 || value.length > bytesMax) {
    throw new HubError(
      "ERR_RADIUS_VALUE",
      `attribute ${type}.${extendedType} can not hold ${value.length} octets, 1..${bytesMax} fit`,
      { type, extendedType, length: value.length },
    );
  }
  if (!isLong(type)) return [{ type, value: Buffer.concat([Buffer.of(extendedType), value]) }];
  const dataBytesMax = ATTRIBUTE_VALUE_BYTES_MAX - 2;
  const fragments: Attribute[] = [];
  for (let offset = 0; offset < value.length; offset += dataBytesMax) {
    const more = offset + dataBytesMax < value.length ? MORE : 0;
    const data = value.subarray(offset, offset + dataBytesMax);
    fragments.push({ type, value: Buffer.concat([Buffer.of(extendedType, more), data]) });
  }
  return fragments;
}

/** A vendor's attribute inside Extended-Type 26: Vendor-Id, one octet of type, then the value; exactly one of them. */
export interface ExtendedVendorSpecific {
  readonly vendor: number;
  readonly vendorType: number;
  readonly value: Buffer;
}

const VENDOR_HEAD_BYTES = 5;

/** Undefined when the value is too short to be one (RFC 6929 Section 2.4): then it is opaque. */
export function decodeExtendedVendor(value: Buffer): ExtendedVendorSpecific | undefined {
  if (value.length <= VENDOR_HEAD_BYTES) return undefined;
  return {
    vendor: value.readUInt32BE(),
    vendorType: value[4] as number,
    value: value.subarray(VENDOR_HEAD_BYTES),
  };
}

/** The value of Extended-Type 26 for a vendor's attribute. */
export function encodeExtendedVendor({ vendor, vendorType, value }: ExtendedVendorSpecific): Buffer {
  const head = Buffer.alloc(VENDOR_HEAD_BYTES);
  head.writeUInt32BE(vendor);
  head.writeUInt8(vendorType, 4);
  return Buffer.concat([head, value]);
}
