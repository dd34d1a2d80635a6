import { HubError } from "../errors.ts";
import { ATTRIBUTE, type Attribute, attribute } from "./attribute.ts";
import {
  decodeExtendedVendor,
  EXTENDED_VENDOR_SPECIFIC,
  encodeExtended,
  encodeExtendedVendor,
  isExtended,
  readExtended,
} from "./extended.ts";
import { decodeVendorSpecific, encodeVendorSpecific, type VendorFormat } from "./vendor.ts";

/** Where a value stands in a packet, whatever envelope it takes: plain, vendor's, extended, or vendor's in extended. */
export interface AttributePlace {
  readonly type: number;
  readonly extendedType?: number;
  readonly vendor?: number;
  readonly vendorType?: number;
}

export interface PlacedValue {
  readonly place: AttributePlace;
  /** Without any envelope; a view where the packet has it in one piece. */
  readonly value: Buffer;
}

export type VendorFormatOf = (vendor: number) => VendorFormat;

/** The dotted number of a place: "31", "26.14988.8", "241.3" or "241.26.9.1". */
export function dottedNumber({ type, extendedType, vendor, vendorType }: AttributePlace): string {
  let dotted = `${type}`;
  if (extendedType !== undefined) dotted += `.${extendedType}`;
  if (vendor !== undefined) dotted += `.${vendor}.${vendorType}`;
  return dotted;
}

const DOTTED = /^\d{1,3}(\.\d{1,10}){0,3}$/;

/** Parses a dotted number; undefined when it is none or names a place that can not exist. */
export function parseDotted(text: string): AttributePlace | undefined {
  if (!DOTTED.test(text)) return undefined;
  const numbers = text.split(".").map(Number);
  const [type, second, third, fourth] = numbers as [number, number, number, number];
  if (type < 1 || type > 255 || numbers.some((each) => each > 0xffff_ffff)) return undefined;
  if (numbers.length === 1) return { type };
  if (type === ATTRIBUTE.vendorSpecific) {
    return numbers.length === 3 ? { type, vendor: second, vendorType: third } : undefined;
  }
  if (!isExtended(type) || second > 255) return undefined;
  if (numbers.length === 2) return { type, extendedType: second };
  const vendors = numbers.length === 4 && second === EXTENDED_VENDOR_SPECIFIC && fourth <= 255;
  return vendors ? { type, extendedType: second, vendor: third, vendorType: fourth } : undefined;
}

/** Puts a value into the envelope of its place.
 *  @throws {HubError} ERR_RADIUS_VALUE when it does not fit */
export function encodePlaced({ place, value }: PlacedValue, formatOf: VendorFormatOf): Attribute[] {
  const { type, extendedType, vendor, vendorType } = place;
  if (extendedType !== undefined) {
    const inner =
      vendor === undefined ? value : encodeExtendedVendor({ vendor, vendorType: vendorType as number, value });
    return encodeExtended(type, extendedType, inner);
  }
  if (vendor !== undefined) {
    const subAttributes = [{ type: vendorType as number, value }];
    return [encodeVendorSpecific({ vendor, subAttributes }, formatOf(vendor))];
  }
  // RFC 2865 Section 5, PKT-09: an attribute without a value is left out, never sent empty.
  if (value.length === 0) throw new HubError("ERR_RADIUS_VALUE", `attribute ${type} has no value`, { type });
  return [attribute(type, value)];
}

/** Every value of an attribute list in wire order, out of its envelope; an envelope that is malformed is a plain value
 *  (PKT-07, PKT-08). Never throws; linear in the octets. */
export function decodePlaced(attributes: readonly Attribute[], formatOf: VendorFormatOf): PlacedValue[] {
  const placed: PlacedValue[] = [];
  let index = 0;
  while (index < attributes.length) {
    const { type, value } = attributes[index] as Attribute;
    if (isExtended(type)) {
      index += pushExtended(placed, attributes, index);
      continue;
    }
    index += 1;
    const specific = type === ATTRIBUTE.vendorSpecific ? decodeVendorSpecific(value, formatOf) : undefined;
    if (specific === undefined) {
      placed.push({ place: { type }, value });
      continue;
    }
    for (const each of specific.subAttributes) {
      placed.push({ place: { type, vendor: specific.vendor, vendorType: each.type }, value: each.value });
    }
  }
  return placed;
}

function pushExtended(placed: PlacedValue[], attributes: readonly Attribute[], index: number): number {
  const { type } = attributes[index] as Attribute;
  const { extended, count } = readExtended(attributes, index);
  if (extended === undefined) {
    for (const each of attributes.slice(index, index + count)) placed.push({ place: { type }, value: each.value });
    return count;
  }
  const { extendedType, value } = extended;
  const specific = extendedType === EXTENDED_VENDOR_SPECIFIC ? decodeExtendedVendor(value) : undefined;
  if (specific === undefined) placed.push({ place: { type, extendedType }, value });
  else {
    const { vendor, vendorType } = specific;
    placed.push({ place: { type, extendedType, vendor, vendorType }, value: specific.value });
  }
  return count;
}
