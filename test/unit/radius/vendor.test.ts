import { describe, expect, it } from "vitest";
import { decodeVendorSpecific, encodeVendorSpecific, type VendorFormat } from "../../../src/radius/vendor.ts";

const usual: VendorFormat = { typeBytes: 1, lengthBytes: 1 };
const formats: VendorFormat[] = ([1, 2, 4] as const).flatMap((typeBytes) =>
  ([0, 1, 2] as const).map((lengthBytes) => ({ typeBytes, lengthBytes })),
);

function decode(hex: string, format = usual) {
  return decodeVendorSpecific(Buffer.from(hex.replaceAll(" ", ""), "hex"), () => format);
}

describe("Vendor-Specific (RFC 2865 Section 5.26)", () => {
  it("decodeVendorSpecific() reads several sub-attributes in order", () => {
    expect(decode("00003a8c 0805314d2f 1303786c")).toBeUndefined(); // the last one is cut short
    expect(decode("00003a8c 0805314d2f 1304786c")).toEqual({
      vendor: 14988,
      subAttributes: [
        { type: 8, value: Buffer.from("1M/") },
        { type: 19, value: Buffer.from("xl") },
      ],
    });
  });

  it.each([
    { name: "no sub-attribute", hex: "00003a8c" },
    { name: "three octets", hex: "00003a" },
    { name: "nothing at all", hex: "" },
    { name: "a Type without Length", hex: "00003a8c 08" },
    { name: "Length 0", hex: "00003a8c 0800 0802" },
    { name: "Length 1", hex: "00003a8c 0801 02" },
    { name: "an overrun", hex: "00003a8c 080531" },
    { name: "octets left over", hex: "00003a8c 080331 08" },
  ])("PKT-07 a value with $name is opaque, not an error", ({ hex }) => {
    expect(decode(hex)).toBeUndefined();
  });

  it("reads a sub-attribute without a value", () => {
    expect(decode("00000de9 fc02")?.subAttributes).toEqual([{ type: 252, value: Buffer.alloc(0) }]);
  });

  it.each([
    { format: { typeBytes: 2, lengthBytes: 2 }, hex: "00000001 0102 0006 abcd 0103 0004" },
    { format: { typeBytes: 2, lengthBytes: 1 }, hex: "00000001 0102 05 abcd 0103 03" },
    { format: { typeBytes: 4, lengthBytes: 1 }, hex: "00000001 00010002 07 abcd" },
    { format: { typeBytes: 4, lengthBytes: 0 }, hex: "00000001 00010002 abcdef" },
  ] as const)("reads and writes format $format.typeBytes,$format.lengthBytes", ({ format, hex }) => {
    const specific = decode(hex, format);
    if (specific === undefined) expect.unreachable();
    expect(encodeVendorSpecific(specific, format).value.toString("hex")).toBe(hex.replaceAll(" ", ""));
  });

  it.each(formats)("no octets make decodeVendorSpecific() throw: format $typeBytes,$lengthBytes", (format) => {
    for (let length = 0; length <= 12; length++) {
      for (const fill of [0, 1, 2, 3, 0xff]) decodeVendorSpecific(Buffer.alloc(length, fill), () => format);
    }
  });

  it("encodeVendorSpecific() fills an attribute to its last octet and no further", () => {
    const sub = (length: number) => ({ vendor: 9, subAttributes: [{ type: 1, value: Buffer.alloc(length) }] });
    expect(encodeVendorSpecific(sub(247)).value).toHaveLength(253);
    expect(() => encodeVendorSpecific(sub(248))).toThrow(expect.objectContaining({ code: "ERR_RADIUS_VALUE" }));
  });

  it.each([
    { name: "no sub-attribute", subAttributes: [], format: usual },
    { name: "a type over 255", subAttributes: [{ type: 256, value: Buffer.alloc(1) }], format: usual },
    {
      name: "two where the format has no length",
      subAttributes: [1, 2].map((type) => ({ type, value: Buffer.alloc(1) })),
      format: { typeBytes: 4, lengthBytes: 0 } as const,
    },
  ])("encodeVendorSpecific() refuses $name", ({ subAttributes, format }) => {
    expect(() => encodeVendorSpecific({ vendor: 9, subAttributes }, format)).toThrow(
      expect.objectContaining({ code: "ERR_RADIUS_VALUE" }),
    );
  });
});
