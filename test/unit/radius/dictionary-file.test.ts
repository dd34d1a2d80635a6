import { describe, expect, it } from "vitest";
import { Dictionary } from "../../../src/radius/dictionary.ts";
import { parseDictionaryFile } from "../../../src/radius/dictionary-file.ts";

const lines = (...text: string[]) => parseDictionaryFile(text.join("\n"), "dictionary.test");

describe("parseDictionaryFile()", () => {
  it("reads attributes, vendors and values, and skips comments", () => {
    expect(
      lines(
        "# nothing",
        "VENDOR  Acme  99999  format=2,1   # wide types",
        "BEGIN-VENDOR Acme",
        "ATTRIBUTE Acme-Key 0x101 octets[16] encrypt=2,has_tag",
        "END-VENDOR Acme",
        "ATTRIBUTE\tFoo\t241.9\tinteger",
        "VALUE Foo Bar 0x1F",
      ),
    ).toEqual([
      { kind: "vendor", number: 99999, format: { typeBytes: 2, lengthBytes: 1 } },
      {
        kind: "attribute",
        name: "Acme-Key",
        dotted: "26.99999.257",
        dataType: "octets",
        tagged: true,
        hidden: true,
        secret: true,
      },
      {
        kind: "attribute",
        name: "Foo",
        dotted: "241.9",
        dataType: "integer",
        tagged: false,
        hidden: false,
        secret: false,
      },
      { kind: "value", attribute: "Foo", name: "Bar", number: 31 },
    ]);
  });

  it("reads a vendor's attributes inside of the extended space", () => {
    const entries = lines(
      "VENDOR Acme 99999",
      "BEGIN-VENDOR Acme format=Extended-Vendor-Specific-5",
      "ATTRIBUTE A 1 string",
    );
    expect(entries[0]).toMatchObject({ dotted: "245.26.99999.1" });
  });

  it.each([
    "ATTRIBUTE",
    "ATTRIBUTE Foo",
    "ATTRIBUTE Foo 256 string",
    "ATTRIBUTE Foo 0 string",
    "ATTRIBUTE Foo 241.1.2 string",
    "ATTRIBUTE Foo 1 strin",
    "ATTRIBUTE Foo 1 string has_tags",
    "ATTRIBUTE 0xff 1 string",
    "ATTRIBUTE A:1 1 string",
    "VENDOR Acme",
    "VENDOR Acme 4294967296",
    "VENDOR Acme 1 format=1,1,c",
    "VENDOR Acme 1 format=3,1",
    "BEGIN-VENDOR Nobody",
    "VALUE Foo Bar",
    "VALUE Foo Bar x",
    "$INCLUDE dictionary.other",
    "BEGIN-TLV Foo",
  ])("refuses %j with file and line", (line) => {
    expect(() => lines("", line)).toThrow(
      expect.objectContaining({ code: "ERR_DICTIONARY", message: expect.stringMatching(/^dictionary\.test:2: /) }),
    );
  });
});

describe("new Dictionary()", () => {
  it.each([
    { name: "a name with two numbers", entries: lines("ATTRIBUTE Foo 1 string", "ATTRIBUTE foo 2 string") },
    { name: "a VALUE of an attribute that is not there", entries: lines("VALUE Foo Bar 1") },
  ])("refuses $name", ({ entries }) => {
    expect(() => new Dictionary(entries)).toThrow(expect.objectContaining({ code: "ERR_DICTIONARY" }));
  });

  it("lets a later entry rename an attribute and keeps the older name as an alias with the same values", () => {
    const dictionary = new Dictionary(
      lines("ATTRIBUTE Old 6 integer", "VALUE Old One 1", "ATTRIBUTE New 6 integer", "VALUE New Two 2"),
    );
    const attributes = ["Two", "One"].flatMap((value) => dictionary.encode("Old", value));
    expect(dictionary.decode(attributes)).toMatchObject([
      { name: "New", value: "Two" },
      { name: "New", value: "One" },
    ]);
  });

  it("uses the format of a vendor for its attributes", () => {
    const dictionary = new Dictionary(
      lines("VENDOR Wide 429 format=4,0", "BEGIN-VENDOR Wide", "ATTRIBUTE Wide-Speed 0x0019 integer"),
    );
    const [attribute] = dictionary.encode("Wide-Speed", 5);
    expect(attribute?.value.toString("hex")).toBe("000001ad0000001900000005");
    expect(dictionary.decode(attribute === undefined ? [] : [attribute])).toMatchObject([
      { name: "Wide-Speed", value: 5 },
    ]);
  });
});
