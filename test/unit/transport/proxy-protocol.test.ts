import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { HubError } from "../../../src/errors.ts";
import { crc32c, decodeProxyHeader } from "../../../src/transport/proxy-protocol.ts";

const SIGNATURE = "0d0a0d0a000d0a515549540a";
const V4 = "c0000201c6336402ffff0823"; // 192.0.2.1 -> 198.51.100.2, 65535 -> 2083
const V6 = `20010db8${"00".repeat(11)}01${"00".repeat(15)}0115b30823`; // 2001:db8::1 -> ::1, 5555 -> 2083
const REFUSED = expect.objectContaining({ code: "ERR_PROXY_HEADER" });

function v2(command: string, family: string, body: string, length = body.length / 2): Buffer {
  return Buffer.from(`${SIGNATURE}${command}${family}${length.toString(16).padStart(4, "0")}${body}`, "hex");
}

function checksummed(): Buffer {
  const header = v2("21", "11", `${V4}03000400000000`);
  header.writeUInt32BE(crc32c(header), header.length - 4);
  return header;
}

const v4 = { address: "192.0.2.1", port: 65_535 };
const v6 = { address: "2001:db8::1", port: 5_555 };
const HEADERS = [
  { name: "v1 TCP4", header: Buffer.from("PROXY TCP4 192.0.2.1 198.51.100.2 65535 2083\r\n"), source: v4 },
  { name: "v1 TCP6", header: Buffer.from("PROXY TCP6 2001:db8::1 ::1 5555 2083\r\n"), source: v6 },
  { name: "v1 UNKNOWN", header: Buffer.from("PROXY UNKNOWN\r\n"), source: undefined },
  { name: "v1 UNKNOWN and text", header: Buffer.from("PROXY UNKNOWN ffff::1 what ever\r\n"), source: undefined },
  { name: "v2 TCP4", header: v2("21", "11", V4), source: v4 },
  { name: "v2 TCP6", header: v2("21", "21", V6), source: v6 },
  {
    name: "v2 TCP6 of an IPv4-mapped source",
    header: v2("21", "21", `${"00".repeat(10)}ffffc0000201${"00".repeat(16)}ffff0823`),
    source: v4,
  },
  { name: "v2 UNIX", header: v2("21", "31", "61".repeat(216)), source: undefined },
  { name: "v2 UNSPEC", header: v2("21", "00", ""), source: undefined },
  { name: "v2 LOCAL", header: v2("20", "00", ""), source: undefined },
  { name: "v2 LOCAL with addresses to ignore", header: v2("20", "11", V4), source: undefined },
  { name: "v2 with a checksum", header: checksummed(), source: v4 },
];

describe("decodeProxyHeader()", () => {
  it.each(HEADERS)("reads $name, and leaves what follows", ({ header, source }) => {
    const decoded = decodeProxyHeader(Buffer.concat([header, Buffer.from("16030100", "hex")]));
    expect(decoded).toMatchObject({ headerBytes: header.length, source });
  });

  it.each(HEADERS)("waits for the rest of $name at every cut", ({ header }) => {
    for (let cut = 0; cut < header.length; cut += 1) {
      expect(decodeProxyHeader(header.subarray(0, cut)), `${cut} octets`).toBeUndefined();
    }
  });

  it("reads the TLVs of a version 2 header", () => {
    const header = v2("21", "11", `${V4}02000361626304000001${"0002"}cafe`);
    expect(decodeProxyHeader(header)?.tlvs).toEqual([
      { type: 2, value: Buffer.from("abc") },
      { type: 4, value: Buffer.alloc(0) },
      { type: 1, value: Buffer.from("cafe", "hex") },
    ]);
  });

  it.each([
    { name: "TLS", octets: Buffer.from("160301", "hex") },
    { name: "HTTP", octets: Buffer.from("GET / HTTP/1.1\r\n") },
    { name: "one wrong octet in the signature", octets: Buffer.from(`${SIGNATURE.slice(0, 22)}0b`, "hex") },
    { name: "v1 lower case", octets: Buffer.from("proxy ") },
    { name: "v1 of 107 octets without an end", octets: Buffer.from(`PROXY TCP4 ${"1".repeat(96)}`) },
    { name: "v1 that ends after octet 107", octets: Buffer.from(`PROXY UNKNOWN ${"x".repeat(92)}\r\n`) },
    { name: "v1 family mix", octets: Buffer.from("PROXY TCP4 2001:db8::1 ::1 1 2\r\n") },
    { name: "v1 family mix the other way", octets: Buffer.from("PROXY TCP6 192.0.2.1 192.0.2.2 1 2\r\n") },
    { name: "v1 port 65536", octets: Buffer.from("PROXY TCP4 192.0.2.1 192.0.2.2 65536 2\r\n") },
    { name: "v1 port with a zero in front", octets: Buffer.from("PROXY TCP4 192.0.2.1 192.0.2.2 01 2\r\n") },
    { name: "v1 without a port", octets: Buffer.from("PROXY TCP4 192.0.2.1 192.0.2.2 1\r\n") },
    { name: "v1 with one field more", octets: Buffer.from("PROXY TCP4 192.0.2.1 192.0.2.2 1 2 3\r\n") },
    { name: "v1 with two blanks", octets: Buffer.from("PROXY TCP4  192.0.2.1 192.0.2.2 1 2\r\n") },
    { name: "v1 with half an address", octets: Buffer.from("PROXY TCP4 192.0.2 192.0.2.2 1 2\r\n") },
    { name: "v1 without a family", octets: Buffer.from("PROXY \r\n") },
    { name: "v2 version 3", octets: v2("31", "11", V4) },
    { name: "v2 command 2", octets: v2("22", "11", V4) },
    { name: "v2 UDP", octets: v2("21", "12", V4) },
    { name: "v2 family 4", octets: v2("21", "41", V4) },
    { name: "v2 addresses longer than the header", octets: v2("21", "11", V4.slice(2)) },
    { name: "v2 IPv6 in an IPv4 header", octets: v2("21", "21", V4) },
    { name: "v2 length 65535", octets: v2("21", "11", V4, 65_535) },
    { name: "v2 TLV without a length", octets: v2("21", "11", `${V4}0200`) },
    { name: "v2 TLV longer than the header", octets: v2("21", "11", `${V4}02000461`) },
    { name: "v2 checksum that does not fit", octets: v2("21", "11", `${V4}03000400000000`) },
    { name: "v2 checksum of 3 octets", octets: v2("21", "11", `${V4}030003000000`) },
  ])("ERR_PROXY_HEADER for $name", ({ octets }) => {
    expect(() => decodeProxyHeader(octets)).toThrow(REFUSED);
  });

  it("answers any octets with a header inside them, with undefined or with ERR_PROXY_HEADER", () => {
    const start = fc.constantFrom(Buffer.alloc(0), Buffer.from("PROXY "), ...HEADERS.map(({ header }) => header));
    fc.assert(
      fc.property(start, fc.uint8Array({ maxLength: 300 }), fc.nat(600), fc.nat(255), (head, tail, at, octet) => {
        const octets = Buffer.concat([head, tail]);
        if (at < octets.length) octets[at] = octet;
        try {
          const header = decodeProxyHeader(octets);
          expect(header?.headerBytes ?? 0).toBeLessThanOrEqual(octets.length);
        } catch (error) {
          expect(error).toBeInstanceOf(HubError);
          expect(error).toEqual(REFUSED);
        }
      }),
      { numRuns: 2_000 },
    );
  });
});

it("crc32c() fits the check value of RFC 3309's polynomial", () => {
  expect(crc32c(Buffer.from("123456789"))).toBe(0xe306_9283);
});
