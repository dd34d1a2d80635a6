import { describe, expect, it } from "vitest";
import type { Attribute } from "../../../src/radius/attribute.ts";
import { decodePlaced, dottedNumber, parseDotted } from "../../../src/radius/attribute-place.ts";
import {
  decodeExtendedVendor,
  encodeExtended,
  encodeExtendedVendor,
  readExtended,
} from "../../../src/radius/extended.ts";
import { VENDOR_FORMAT_DEFAULT } from "../../../src/radius/vendor.ts";

const wire = (type: number, hex: string): Attribute => ({ type, value: Buffer.from(hex.replaceAll(" ", ""), "hex") });
const full = (more: number, extendedType = 1): Attribute => ({
  type: 245,
  value: Buffer.concat([Buffer.of(extendedType, more), Buffer.alloc(251, 0x61)]),
});

function places(...attributes: Attribute[]): string[] {
  return decodePlaced(attributes, () => VENDOR_FORMAT_DEFAULT).map(
    ({ place, value }) => `${dottedNumber(place)}=${value.length}`,
  );
}

describe("extended attributes (RFC 6929)", () => {
  it("PKT-10 readExtended() reads the Extended-Type of 241..244", () => {
    expect(readExtended([wire(241, "08 deadbeef")], 0)).toEqual({
      extended: { extendedType: 8, value: Buffer.from("deadbeef", "hex") },
      count: 1,
    });
  });

  it.each([
    { name: "Length 2", attribute: wire(241, "") },
    { name: "Length 3", attribute: wire(241, "04") },
    { name: "a long one with Length 3", attribute: wire(245, "04") },
    { name: "a long one with Length 4", attribute: wire(245, "04 00") },
  ])("PKT-10 $name is an invalid attribute that keeps its octets", ({ attribute }) => {
    expect(readExtended([attribute], 0)).toEqual({ extended: undefined, count: 1 });
    expect(places(attribute, wire(1, "61"))).toEqual([`${attribute.type}=${attribute.value.length}`, "1=1"]);
  });

  it("PKT-12 joins the contiguous fragments of a long-extended attribute", () => {
    const list = [full(0x80), full(0x80), wire(245, "01 00 6161"), wire(1, "61")];
    const { extended, count } = readExtended(list, 0);
    expect(count).toBe(3);
    expect(extended?.value).toEqual(Buffer.alloc(504, 0x61));
    expect(places(...list)).toEqual(["245.1=504", "1=1"]);
  });

  it("PKT-12 does not join two attributes of one type where More is not set", () => {
    expect(places(full(0), full(0))).toEqual(["245.1=251", "245.1=251"]);
  });

  it.each([
    {
      name: "another type between them",
      list: [full(0x80), wire(1, "61"), full(0)],
      shown: ["245=253", "1=1", "245.1=251"],
    },
    { name: "another long type behind it", list: [full(0x80), wire(246, "01 00 61")], shown: ["245=253", "246.1=1"] },
    { name: "another Extended-Type behind it", list: [full(0x80), full(0, 2)], shown: ["245=253", "245.2=251"] },
    { name: "nothing behind it", list: [full(0x80), full(0x80)], shown: ["245=253", "245=253"] },
    { name: "a fragment without data behind it", list: [full(0x80), wire(245, "01 00")], shown: ["245=253", "245=2"] },
    { name: "More in a short attribute", list: [wire(245, "01 80 61"), full(0)], shown: ["245=3", "245.1=251"] },
  ])("PKT-12 a fragment with $name is invalid and keeps its octets", ({ list, shown }) => {
    expect(places(...list)).toEqual(shown);
  });

  it("ignores the reserved bits beside More", () => {
    expect(readExtended([wire(246, "05 7f 6162")], 0).extended?.value).toEqual(Buffer.from("ab"));
  });

  it.each([1, 250, 251, 252, 502, 503, 4000])(
    "PKT-12 encodeExtended() and readExtended() agree on %i octets of 245",
    (length) => {
      const value = Buffer.from(Array.from({ length }, (_, index) => index & 0xff));
      const fragments = encodeExtended(245, 9, value);
      expect(fragments).toHaveLength(Math.ceil(length / 251));
      expect(readExtended(fragments, 0)).toEqual({ extended: { extendedType: 9, value }, count: fragments.length });
    },
  );

  it.each([
    { type: 241, length: 0 },
    { type: 241, length: 253 },
    { type: 245, length: 0 },
    { type: 245, length: 4097 },
    { type: 240, length: 1 },
    { type: 247, length: 1 },
  ])("encodeExtended() refuses $length octets in $type", ({ type, length }) => {
    expect(() => encodeExtended(type, 1, Buffer.alloc(length))).toThrow(
      expect.objectContaining({ code: "ERR_RADIUS_VALUE" }),
    );
  });

  it("encodeExtended() takes 252 octets in 241", () => {
    expect(encodeExtended(241, 1, Buffer.alloc(252))[0]?.value).toHaveLength(253);
  });

  it("reads and writes a vendor's attribute in Extended-Type 26, also over fragments", () => {
    const specific = { vendor: 9, vendorType: 1, value: Buffer.alloc(600, 1) };
    expect(decodeExtendedVendor(encodeExtendedVendor(specific))).toEqual(specific);
    expect(places(...encodeExtended(246, 26, encodeExtendedVendor(specific)))).toEqual(["246.26.9.1=600"]);
  });

  it("a vendor's attribute in Extended-Type 26 that is too short is opaque", () => {
    expect(places(wire(241, "1a 00000009 01"))).toEqual(["241.26=5"]);
    expect(places(wire(241, "1a 00000009 01 ff"))).toEqual(["241.26.9.1=1"]);
  });
});

describe("parseDotted()", () => {
  it.each(["1", "255", "26.9.1", "26.4294967295.4294967295", "241.3", "245.0", "246.26.9.255"])("reads %s", (text) => {
    const place = parseDotted(text);
    if (place === undefined) expect.unreachable();
    expect(dottedNumber(place)).toBe(text);
  });

  it.each([
    "",
    "0",
    "256",
    "26.9",
    "26.9.1.1",
    "1.2",
    "241.256",
    "241.1.2",
    "241.25.9.1",
    "241.26.9.256",
    "1.",
    "-1",
    "0x1",
    "26.9.4294967296",
  ])("refuses %j", (text) => {
    expect(parseDotted(text)).toBeUndefined();
  });
});
