import { describe, expect, it } from "vitest";
import { type AttributeInput, type DataType, parseDataType, VALUE_CODECS } from "../../../src/radius/values.ts";

type Input = Exclude<AttributeInput, Buffer>;

describe("VALUE_CODECS", () => {
  it.each<[DataType, Input, string, string | number]>([
    ["text", "bob", "626f62", "bob"],
    ["text", "a\0b", "610062", "a\0b"], // PKT-09
    ["text", "Zoë 🛜", "5a6fc3ab20f09f9b9c", "Zoë 🛜"],
    ["text", "0xff", "30786666", "0xff"],
    ["octets", "0xDEadbeef", "deadbeef", "0xdeadbeef"],
    ["octets", "0x", "", "0x"],
    ["octets", "plain", "706c61696e", "0x706c61696e"],
    ["integer", 0, "00000000", 0],
    ["integer", "4294967295", "ffffffff", 4294967295],
    ["integer", 7n, "00000007", 7],
    ["integer", true, "00000001", 1],
    ["signed", -1, "ffffffff", -1],
    ["signed", "-2147483648", "80000000", -2147483648],
    ["short", 65535, "ffff", 65535],
    ["byte", 255, "ff", 255],
    ["integer64", "18446744073709551615", "ffffffffffffffff", "18446744073709551615"],
    ["integer64", 2n ** 53n + 1n, "0020000000000001", "9007199254740993"],
    ["date", "2023-11-14T22:13:20Z", "6553f100", "2023-11-14T22:13:20.000Z"],
    ["date", "2023-11-14T23:13:20+01:00", "6553f100", "2023-11-14T22:13:20.000Z"],
    ["date", 1700000000, "6553f100", "2023-11-14T22:13:20.000Z"],
    ["date", "4294967295", "ffffffff", "2106-02-07T06:28:15.000Z"],
    ["ipaddr", "192.0.2.16", "c0000210", "192.0.2.16"],
    ["ipaddr", "255.255.255.255", "ffffffff", "255.255.255.255"],
    ["ipv4prefix", "192.0.2.0/24", "0018c0000200", "192.0.2.0/24"],
    ["ipv4prefix", "0.0.0.0/0", "000000000000", "0.0.0.0/0"],
    ["ipv6addr", "2001:DB8::1", "20010db8000000000000000000000001", "2001:db8::1"],
    ["ipv6addr", "::", "00000000000000000000000000000000", "::"],
    ["ipv6prefix", "2001:db8::/32", "002020010db8", "2001:db8::/32"],
    ["ipv6prefix", "2001:db8:8000::/33", "002120010db880", "2001:db8:8000::/33"],
    ["ipv6prefix", "::/0", "0000", "::/0"],
    ["ipv6prefix", "2001:db8::1/128", "008020010db8000000000000000000000001", "2001:db8::1/128"],
    ["ifid", "0:0:0:1", "0000000000000001", "0000:0000:0000:0001"],
    ["ifid", "200:5eff:fe00:5323", "02005efffe005323", "0200:5eff:fe00:5323"],
    ["ether", "00-00-5E-00-53-01", "00005e005301", "00:00:5e:00:53:01"],
  ])("%s: %s is 0x%s on the wire and %s again", (dataType, input, hex, shown) => {
    const codec = VALUE_CODECS[dataType];
    const value = codec.encode(input);
    expect(value?.toString("hex")).toBe(hex);
    expect(codec.decode(Buffer.from(hex, "hex"))).toBe(shown);
    expect(codec.encode(shown)?.toString("hex")).toBe(hex);
  });

  it.each<[DataType, Input]>([
    ["text", ""], // PKT-09
    ["octets", ""],
    ["octets", "0xabc"],
    ["octets", "0xzz"],
    ["octets", 5],
    ["integer", -1],
    ["integer", 2 ** 32],
    ["integer", 1.5],
    ["integer", Number.NaN],
    ["integer", "1e3"],
    ["integer", " 1"],
    ["integer", ""],
    ["integer", "1".repeat(400)],
    ["signed", 2147483648],
    ["signed", -2147483649],
    ["short", 65536],
    ["byte", 256],
    ["integer64", 2n ** 64n],
    ["integer64", -1],
    ["integer64", 2 ** 53],
    ["date", "yesterday"],
    ["date", "2023-13-01T00:00:00Z"],
    ["date", "1969-12-31T23:59:59Z"],
    ["date", "2106-02-07T06:28:16Z"],
    ["ipaddr", "1.2.3"],
    ["ipaddr", "1.2.3.256"],
    ["ipaddr", "01.2.3.4"],
    ["ipaddr", "1.2.3.4.5"],
    ["ipaddr", 16909060],
    ["ipv4prefix", "192.0.2.0"],
    ["ipv4prefix", "192.0.2.0/33"],
    ["ipv4prefix", "192.0.2.1/24"],
    ["ipv6addr", "192.0.2.1"],
    ["ipv6addr", "fe80::1%eth0"],
    ["ipv6addr", "2001:db8"],
    ["ipv6prefix", "2001:db8::/129"],
    ["ipv6prefix", "2001:db8::1/64"],
    ["ifid", "0:0:0:0:1"],
    ["ifid", "0:0:0:g"],
    ["ether", "00:00:5e:00:53"],
  ])("%s: refuses %s", (dataType, input) => {
    expect(VALUE_CODECS[dataType].encode(input)).toBeUndefined();
  });

  it.each<[DataType, string]>([
    ["text", "ff"],
    ["text", "eda080"], // a surrogate
    ["integer", "000001"],
    ["integer", "0000000001"],
    ["signed", "00"],
    ["short", "00"],
    ["byte", ""],
    ["integer64", "00000001"],
    ["date", "00"],
    ["ipaddr", "c00002"],
    ["ipv4prefix", "0021c0000200"],
    ["ipv4prefix", "0018c0000201"],
    ["ipv6addr", "20010db8"],
    ["ipv6prefix", "00"],
    ["ipv6prefix", "0081"],
    ["ipv6prefix", "004020010db8"], // 64 bits promised, 32 there
    ["ipv6prefix", "001020010db8"], // 16 bits promised, more set
    ["ifid", "00000000000001"],
    ["ether", "00005e0053"],
  ])("PKT-07 %s: the octets 0x%s are no value", (dataType, hex) => {
    expect(VALUE_CODECS[dataType].decode(Buffer.from(hex, "hex"))).toBeUndefined();
  });

  it("reads an IPv6 prefix that is sent with all 16 octets", () => {
    const value = Buffer.from(`002020010db8${"00".repeat(12)}`, "hex");
    expect(VALUE_CODECS.ipv6prefix.decode(value)).toBe("2001:db8::/32");
  });
});

describe("parseDataType()", () => {
  it.each([
    ["string", "text"],
    ["octets[16]", "octets"],
    ["UINT64", "integer64"],
    ["strin", undefined],
  ])("reads %s", (text, dataType) => {
    expect(parseDataType(text)).toBe(dataType);
  });
});
