import { HubError } from "../errors.ts";
import { ATTRIBUTE, ATTRIBUTE_VALUE_BYTES_MAX, type Attribute } from "./attribute.ts";

/** Widths of the Vendor-Type and Vendor-Length fields; 0 means that one sub-attribute fills the whole attribute. */
export interface VendorFormat {
  readonly typeBytes: 1 | 2 | 4;
  readonly lengthBytes: 0 | 1 | 2;
}

/** What RFC 2865 Section 5.26 recommends and nearly every vendor does. */
export const VENDOR_FORMAT_DEFAULT: VendorFormat = { typeBytes: 1, lengthBytes: 1 };

/** One attribute inside a Vendor-Specific attribute. */
interface SubAttribute {
  readonly type: number;
  /** A view into the attribute it came from. */
  readonly value: Buffer;
}

export interface VendorSpecific {
  /** SMI Private Enterprise Number. */
  readonly vendor: number;
  /** In wire order, at least one. */
  readonly subAttributes: readonly SubAttribute[];
}

const VENDOR_ID_BYTES = 4;

/** The sub-attributes of a Vendor-Specific value, or undefined when it does not follow the vendor's format: RFC 2865
 *  Section 5.26 leaves the content to the vendor, so such a value is opaque and never an error (PKT-07). */
export function decodeVendorSpecific(
  value: Buffer,
  formatOf: (vendor: number) => VendorFormat,
): VendorSpecific | undefined {
  if (value.length <= VENDOR_ID_BYTES) return undefined;
  const vendor = value.readUInt32BE();
  const { typeBytes, lengthBytes } = formatOf(vendor);
  const headBytes = typeBytes + lengthBytes;
  const subAttributes: SubAttribute[] = [];
  let offset = VENDOR_ID_BYTES;
  while (offset < value.length) {
    if (offset + headBytes > value.length) return undefined;
    const type = value.readUIntBE(offset, typeBytes);
    const length = lengthBytes === 0 ? value.length - offset : value.readUIntBE(offset + typeBytes, lengthBytes);
    if (length < headBytes || offset + length > value.length) return undefined;
    subAttributes.push({ type, value: value.subarray(offset + headBytes, offset + length) });
    offset += length;
  }
  return { vendor, subAttributes };
}

/** One Vendor-Specific attribute that holds the given sub-attributes in order.
 *  @throws {HubError} ERR_RADIUS_VALUE when they do not fit, or the format has no room for several or for such a type. */
export function encodeVendorSpecific(
  { vendor, subAttributes }: VendorSpecific,
  format: VendorFormat = VENDOR_FORMAT_DEFAULT,
): Attribute {
  const { typeBytes, lengthBytes } = format;
  const headBytes = typeBytes + lengthBytes;
  const fixed = lengthBytes === 0 && subAttributes.length > 1;
  const length = subAttributes.reduce((sum, each) => sum + headBytes + each.value.length, VENDOR_ID_BYTES);
  if (subAttributes.length === 0 || fixed || length > ATTRIBUTE_VALUE_BYTES_MAX) {
    throw new HubError(
      "ERR_RADIUS_VALUE",
      `${subAttributes.length} sub-attributes of vendor ${vendor} with ${length} octets do not fit into one attribute`,
      { vendor, length },
    );
  }
  const value = Buffer.alloc(length);
  value.writeUInt32BE(vendor);
  let offset = VENDOR_ID_BYTES;
  for (const each of subAttributes) {
    if (each.type >= 2 ** (8 * typeBytes)) {
      throw new HubError("ERR_RADIUS_VALUE", `type ${each.type} is too large for vendor ${vendor}`, { vendor });
    }
    value.writeUIntBE(each.type, offset, typeBytes);
    if (lengthBytes > 0) value.writeUIntBE(headBytes + each.value.length, offset + typeBytes, lengthBytes);
    each.value.copy(value, offset + headBytes);
    offset += headBytes + each.value.length;
  }
  return { type: ATTRIBUTE.vendorSpecific, value };
}
