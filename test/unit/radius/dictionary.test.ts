import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { describe, expect, it, onTestFinished } from "vitest";
import type { Attribute } from "../../../src/radius/attribute.ts";
import { type AttributeDefinition, Dictionary, REDACTED } from "../../../src/radius/dictionary.ts";
import { decodePacket, encodePacket } from "../../../src/radius/packet.ts";
import type { DataType } from "../../../src/radius/values.ts";

const OURS = join(import.meta.dirname, "../../../config/dictionaries");
const PACKAGE = join(dirname(createRequire(import.meta.url).resolve("radius")), "../dictionaries");
const dictionary = Dictionary.load(OURS);

/** A value of each type as decode() shows it. */
const SAMPLES: Readonly<Record<DataType, string | number>> = {
  text: "abc",
  octets: "0x00ff10",
  integer: 77_777,
  signed: -5,
  short: 300,
  byte: 200,
  integer64: "9007199254740993",
  date: "2023-11-14T22:13:20.000Z",
  ipaddr: "192.0.2.16",
  ipv4prefix: "192.0.2.0/24",
  ipv6addr: "2001:db8::1",
  ipv6prefix: "2001:db8::/56",
  ifid: "0200:5eff:fe00:5323",
  ether: "00:00:5e:00:53:01",
};

/** What the attributes are after a trip over the wire. */
function roundTrip(attributes: readonly Attribute[]) {
  return dictionary.decode(decodePacket(encodePacket(1, 0, Buffer.alloc(16), attributes)).attributes);
}

function statements(folder: string, keyword: string): string[][] {
  return readdirSync(folder)
    .flatMap((file) => readFileSync(join(folder, file), "utf8").split("\n"))
    .map((line) => line.replace(/#.*/, "").trim().split(/\s+/))
    .filter(([first]) => first === keyword);
}

describe("the dictionaries", () => {
  it.each([PACKAGE, OURS])("knows every ATTRIBUTE and VALUE of the files in %s", (folder) => {
    const attributes = statements(folder, "ATTRIBUTE");
    expect(attributes.length).toBeGreaterThan(100);
    for (const [, name = "", number = ""] of attributes) {
      expect(dictionary.find(name)?.dotted, name).toMatch(new RegExp(`(^|\\.)${number}$`));
    }
    for (const [, attribute = "", name = "", number] of statements(folder, "VALUE")) {
      expect(dictionary.find(attribute)?.valueNumbers.get(name.toLowerCase()), name).toBe(Number(number));
    }
  });

  it.each([...dictionary.definitions()])("$name ($dotted, $dataType) is encoded and decoded again", (definition) => {
    const { name, dataType, tagged, place } = definition;
    const sample = SAMPLES[dataType];
    const [decoded, ...rest] = roundTrip(encodeSample(definition, sample));
    expect(rest).toEqual([]);
    expect(decoded).toMatchObject({ name, ...place, value: definition.secret ? REDACTED : sample });
    expect(decoded?.tag).toBe(tagged && !definition.secret ? 9 : undefined);
  });

  it.each([...dictionary.definitions()].filter(({ valueNames }) => valueNames.size > 0))(
    "$name takes and shows its values by name",
    ({ name, valueNames }) => {
      const names = [...valueNames.values()];
      expect(roundTrip(names.flatMap((each) => dictionary.encode(name, each))).map(({ value }) => value)).toEqual(
        names,
      );
      const numbers = [...valueNames.keys()];
      expect(roundTrip(numbers.flatMap((each) => dictionary.encode(name, each))).map(({ value }) => value)).toEqual(
        names,
      );
    },
  );

  it("has no name twice and shows each number under one name", () => {
    const all = [...dictionary.definitions()];
    expect(new Set(all.map(({ name }) => name.toLowerCase())).size).toBe(all.length);
    expect(new Set(all.map(({ dotted }) => dotted)).size).toBe(all.length);
  });
});

function encodeSample({ name, hidden, tagged }: AttributeDefinition, sample: string | number): Attribute[] {
  if (hidden) return dictionary.encode(name, Buffer.alloc(16, 1));
  return dictionary.encode(tagged ? `${name}:9` : name, sample);
}

describe("Dictionary.encode()", () => {
  it.each([
    ["User-Name", 1],
    ["user-name", 1],
    ["1", 1],
    [1, 1],
    ["Attr-1", 1],
  ])("finds %j", (name, type) => {
    expect(dictionary.encode(name, "bob")).toEqual([{ type, value: Buffer.from("bob") }]);
  });

  it.each([
    ["Mikrotik-Rate-Limit", "1M/2M", "00003a8c0807314d2f324d"],
    ["26.14988.8", "1M/2M", "00003a8c0807314d2f324d"],
    ["Attr-26.14988.200", "0x01", "00003a8cc80301"],
    ["Cisco-AVPair", "a=b", "000000090105613d62"],
    ["241.3", 65535, "030000ffff"],
    ["Operator-NAS-Identifier", "0xdeadbeef", "08deadbeef"],
    ["Attr-241.26.9.1", "0x61", "1a000000090161"],
    ["Attr-200", "0x0102", "0102"],
    ["Attr-200", "text", "74657874"],
    ["Vendor-Specific", "0x0000000901036f", "0000000901036f"],
    ["Tunnel-Type:1", "VLAN", "0100000d"],
    ["Tunnel-Type", 13, "0000000d"],
    ["Tunnel-Private-Group-Id:31", "100", "1f313030"],
    ["Tunnel-Private-Group-Id", "100", "313030"],
    ["Tunnel-Private-Group-Id", "\u0001x", "000178"],
    ["Acct-Status-Type", "interim-update", "00000003"],
    ["Error-Cause", "Response-Too-Big", "00000259"],
  ])("%s = %j is 0x%s", (name, value, hex) => {
    expect(dictionary.encode(name, value).map((attribute) => attribute.value.toString("hex"))).toEqual([hex]);
  });

  it("PKT-12 a long value of the long-extended space becomes several attributes", () => {
    const attributes = dictionary.encode("245.1", `0x${"61".repeat(600)}`);
    expect(attributes.map(({ type, value }) => [type, value.length])).toEqual([
      [245, 253],
      [245, 253],
      [245, 100],
    ]);
    expect(roundTrip(attributes)).toMatchObject([{ name: "Attr-245.1", value: `0x${"61".repeat(600)}` }]);
  });

  it("takes octets as they are, whatever the data type", () => {
    expect(dictionary.encode("NAS-IP-Address", Buffer.of(1, 2, 3))).toEqual([{ type: 4, value: Buffer.of(1, 2, 3) }]);
  });

  it.each(["Nonsense", "0", "256", "26.9", "Attr-26.9", "User-Name:", "User-Name:x", "Attr-200:1", "__proto__", ""])(
    "refuses the unknown name %j",
    (name) => {
      expect(() => dictionary.encode(name, "x")).toThrow(expect.objectContaining({ code: "ERR_DICTIONARY" }));
    },
  );

  it.each([
    ["Session-Timeout", "soon"],
    ["Acct-Status-Type", "Begin"],
    ["NAS-IP-Address", "localhost"],
    ["User-Name", ""], // PKT-09
    ["User-Name", "x".repeat(254)],
    ["User-Name:1", "bob"],
    ["Tunnel-Type:32", "VLAN"],
    ["Tunnel-Preference", 2 ** 24],
    ["Mikrotik-Rate-Limit", "x".repeat(248)],
    ["Operator-NAS-Identifier", "x".repeat(253)],
    ["Attr-200", 5],
    ["Attr-200", "0x"],
    ["State", "0x"],
  ])("refuses %s = %j and names the attribute", (name, value) => {
    const bare = name.replace(/:\d+$/, "");
    expect(() => dictionary.encode(name, value)).toThrow(
      expect.objectContaining({
        code: "ERR_RADIUS_VALUE",
        message: expect.stringContaining(bare.replace("Attr-", "")),
      }),
    );
  });

  it.each(["User-Password", "Tunnel-Password:1", "MS-MPPE-Send-Key", "MS-CHAP-MPPE-Keys"])(
    "CRY-16 refuses %s in clear, and does not repeat it",
    (name) => {
      expect(() => dictionary.encode(name, "swordfish")).toThrow(
        expect.objectContaining({ code: "ERR_RADIUS_VALUE", message: expect.not.stringContaining("swordfish") }),
      );
      expect(dictionary.encode(name, Buffer.alloc(16))).toHaveLength(1);
    },
  );
});

describe("Dictionary.decode()", () => {
  const shown = (type: number, hex: string) =>
    dictionary.decode([{ type, value: Buffer.from(hex, "hex") }]).map(({ name, value }) => [name, value]);

  it("lays several sub-attributes of one Vendor-Specific out flat", () => {
    expect(shown(26, "00003a8c0805314d2f13047661aa03ff")).toEqual([
      ["Mikrotik-Rate-Limit", "1M/"],
      ["Mikrotik-Address-List", "va"],
      ["Attr-26.14988.170", "0xff"],
    ]);
  });

  it.each([
    { type: 4, hex: "0a0000", name: "NAS-IP-Address", value: "0x0a0000" },
    { type: 27, hex: "", name: "Session-Timeout", value: "0x" },
    { type: 1, hex: "ff00", name: "User-Name", value: "0xff00" },
    { type: 200, hex: "ff00", name: "Attr-200", value: "0xff00" },
    { type: 26, hex: "0000", name: "Vendor-Specific", value: "0x0000" },
    { type: 26, hex: "00003a8c0800", name: "Vendor-Specific", value: "0x00003a8c0800" },
    { type: 241, hex: "04", name: "Attr-241", value: "0x04" },
    { type: 64, hex: "ff00000d", name: "Tunnel-Type", value: "0xff00000d" },
    { type: 64, hex: "", name: "Tunnel-Type", value: "0x" },
    { type: 81, hex: "", name: "Tunnel-Private-Group-Id", value: "" },
  ])("PKT-07 PKT-10 shows octets for what is no value: $name = $value", ({ type, hex, name, value }) => {
    expect(shown(type, hex)).toEqual([[name, value]]);
  });

  it("shows a number that has no name as a number", () => {
    expect(shown(101, "000003e7")).toEqual([["Error-Cause", 999]]);
  });

  it("shows a tag apart from the value", () => {
    expect(dictionary.decode([{ type: 81, value: Buffer.from("\u0005100") }])).toEqual([
      { name: "Tunnel-Private-Group-Id", type: 81, value: "100", raw: "05313030", tag: 5 },
    ]);
  });

  it.each([
    { type: 2, hex: "0dbe708d93d413ce3196e43f782a0aee" },
    { type: 3, hex: "16e97557c316185895f293ff6344077275" },
    { type: 26, hex: `00003a8c100a${Buffer.from("password").toString("hex")}` },
  ])("shows nothing of a password or key, not even its octets: type $type", ({ type, hex }) => {
    const decoded = dictionary.decode([{ type, value: Buffer.from(hex, "hex") }]);
    expect(decoded).toMatchObject([{ value: REDACTED, raw: "" }]);
  });
});

describe("Dictionary.attributeName()", () => {
  it.each([
    { type: 1, hex: "61", name: "User-Name" },
    { type: 200, hex: "61", name: "Attr-200" },
    { type: 26, hex: "00003a8c08033177", name: "Vendor-Specific" },
    { type: 26, hex: "00003a8c080331", name: "Mikrotik-Rate-Limit" },
    { type: 26, hex: "00003a8c630331", name: "Attr-26.14988.99" },
    { type: 241, hex: "03000000ff", name: "Response-Length" },
    { type: 241, hex: "", name: "Attr-241" },
    { type: 245, hex: "0100ff", name: "Attr-245.1" },
  ])("is $name for type $type 0x$hex", ({ type, hex, name }) => {
    expect(dictionary.attributeName({ type, value: Buffer.from(hex, "hex") })).toBe(name);
  });
});

describe("Dictionary.load()", () => {
  it("reads the files dictionary.* of a folder and no others", () => {
    const folder = mkdtempSync(join(tmpdir(), "dictionaries-"));
    onTestFinished(() => rmSync(folder, { recursive: true }));
    writeFileSync(join(folder, "dictionary.acme"), "ATTRIBUTE Acme 222 string\n");
    writeFileSync(join(folder, "README"), "not a dictionary\n");
    const loaded = Dictionary.load(folder);
    expect(loaded.find("Acme")?.dotted).toBe("222");
    expect(loaded.find("User-Name")?.dotted).toBe("1");
    expect(loaded.find("Mikrotik-Rate-Limit")).toBeUndefined();
    expect(dictionary.find("Acme")).toBeUndefined();
  });

  it("names the folder that is not there", () => {
    expect(() => Dictionary.load("/nonexistent/dictionaries")).toThrow(
      expect.objectContaining({ code: "ERR_DICTIONARY", message: expect.stringContaining("/nonexistent") }),
    );
  });
});
