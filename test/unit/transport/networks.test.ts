import { describe, expect, it } from "vitest";
import { addressGroup, canonicalAddress, NetworkSet, NetworkTable } from "../../../src/transport/networks.ts";

describe("canonicalAddress()", () => {
  it.each([
    ["192.0.2.1", "192.0.2.1"],
    ["::ffff:192.0.2.1", "192.0.2.1"],
    ["2001:DB8:0:0:0:0:0:1", "2001:db8::1"],
    ["fe80::1%eth0", "fe80::1"],
    ["::ffff:c000:201", "192.0.2.1"],
  ])("%s is %s", (text, canonical) => expect(canonicalAddress(text)).toBe(canonical));

  it.each(["", "1.2", "0x7f000001", "1.2.3.256", "1.2.3.4.5", "2001:db8::g", "edge-1", " 1.2.3.4"])(
    "%j is no address",
    (text) => expect(canonicalAddress(text)).toBeUndefined(),
  );
});

describe("NetworkSet", () => {
  it.each([
    ["10.0.0.0/8", "10.255.0.1", true],
    ["10.0.0.0/8", "11.0.0.1", false],
    ["10.1.2.3/8", "10.9.9.9", true], // bits beyond the prefix do not count
    ["10.0.0.0/9", "10.127.255.255", true],
    ["10.0.0.0/9", "10.128.0.0", false],
    ["10.0.0.7", "10.0.0.7", true],
    ["10.0.0.7", "10.0.0.8", false],
    ["10.0.0.0/8", "::ffff:10.1.1.1", true],
    ["::ffff:10.0.0.0/104", "10.1.1.1", true],
    ["0.0.0.0/0", "203.0.113.9", true],
    ["0.0.0.0/0", "2001:db8::1", false],
    ["::/0", "2001:db8::1", true],
    ["::/0", "203.0.113.9", false],
    ["2001:db8::/33", "2001:db8:7fff::1", true],
    ["2001:db8::/33", "2001:db8:8000::1", false],
    ["2001:db8::/32", "not an address", false],
  ])("TLS-19 %s holds %s: %s", (network, address, held) => expect(new NetworkSet([network]).has(address)).toBe(held));

  it.each([
    "10.0.0.0/33",
    "2001:db8::/129",
    "10.0.0.0/-1",
    "10.0.0.0/",
    "10.0.0/8",
    "hub.example",
    "::ffff:10.0.0.0/95",
    "",
  ])("refuses %j", (network) =>
    expect(() => new NetworkSet([network])).toThrow(expect.objectContaining({ code: "ERR_INPUT" })),
  );
});

describe("NetworkTable", () => {
  it("find() answers with the longest prefix, and with the first of two equal ones", () => {
    const table = new NetworkTable([
      ["0.0.0.0/0", "any"],
      ["10.0.0.0/8", "ten"],
      ["10.1.0.0/16", "ten-one"],
      ["10.1.0.0/16", "later"],
      ["2001:db8::/32", "six"],
    ]);
    expect(["10.1.2.3", "10.2.2.3", "11.0.0.1", "2001:db8::1", "2001:db9::1"].map((at) => table.find(at))).toEqual([
      "ten-one",
      "ten",
      "any",
      "six",
      undefined,
    ]);
  });
});

describe("addressGroup()", () => {
  it("CON-16 counts an IPv6 /64 as one and an IPv4 address as itself", () => {
    expect(addressGroup("2001:db8::1")).toBe(addressGroup("2001:db8::ffff:1"));
    expect(addressGroup("2001:db8::1")).not.toBe(addressGroup("2001:db8:0:1::1"));
    expect(addressGroup("192.0.2.1")).toBe("192.0.2.1");
  });
});
