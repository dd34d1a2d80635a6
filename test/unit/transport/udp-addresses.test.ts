import { networkInterfaces } from "node:os";
import { describe, expect, it } from "vitest";
import { AddressClients } from "../../../src/transport/address-clients.ts";
import { expandAddress } from "../../../src/transport/local-addresses.ts";
import { clientEntry } from "../../support/client-entries.ts";

describe("expandAddress()", () => {
  const local = Object.values(networkInterfaces()).flatMap((each) => each ?? []);

  it.each([
    ["0.0.0.0", "IPv4"],
    ["::", "IPv6"],
  ])("UL-02 DP-01 %s is every local %s address, and none of the other family", (wildcard, family) => {
    const wanted = local.filter((each) => each.family === family).map(({ address }) => address);
    expect(expandAddress(wildcard).map((address) => address.replace(/%.*/, ""))).toEqual(wanted);
  });

  it("link-local addresses have their zone, or no socket could be bound to them", () => {
    for (const address of expandAddress("::")) expect(address.startsWith("fe80:")).toBe(address.includes("%"));
  });

  it("any other address is itself", () => {
    expect(expandAddress("192.0.2.1")).toEqual(["192.0.2.1"]);
    expect(expandAddress("2001:db8::1")).toEqual(["2001:db8::1"]);
  });
});

describe("AddressClients", () => {
  const entry = (name: string, network: string[], transport: "tls" | "udp" | "tcp" = "udp") =>
    clientEntry({ name, transport, match: { network } });

  it("UL-01 finds by the longest network, among the entries of its own transport", () => {
    const clients = new AddressClients(
      [
        entry("wide", ["10.0.0.0/8", "2001:db8::/32"]),
        entry("narrow", ["10.1.0.0/16"]),
        entry("host", ["10.1.2.3"]),
        entry("same", ["10.1.2.3/32"]),
        entry("tcp", ["10.1.2.4"], "tcp"),
        entry("tls", ["10.1.2.5"], "tls"),
      ],
      "udp",
    );
    const found = (address: string) => clients.find(address)?.name;
    expect(["10.2.0.1", "10.1.0.1", "10.1.2.3", "10.1.2.4", "10.1.2.5"].map(found)).toEqual([
      "wide",
      "narrow",
      "host",
      "narrow",
      "narrow",
    ]);
    expect(found("2001:db8:0:1::1")).toBe("wide");
    expect(found("192.0.2.1")).toBeUndefined();
    expect(new AddressClients([entry("tcp", ["10.1.2.4"], "tcp")], "tcp").find("10.1.2.4")?.name).toBe("tcp");
  });

  it("hosts are the entries of exactly one address", () => {
    const clients = new AddressClients(
      [
        entry("a", ["10.0.0.1"]),
        entry("b", ["10.0.0.2/32"]),
        entry("c", ["2001:DB8:0::1/128"]),
        entry("d", ["10.0.0.0/31"]),
        entry("e", ["10.0.0.4", "10.0.0.5"]),
        clientEntry({ name: "f", transport: "udp", match: {} }),
      ],
      "udp",
    );
    expect(clients.hosts.map(([address, { name }]) => `${name} ${address}`)).toEqual([
      "a 10.0.0.1",
      "b 10.0.0.2",
      "c 2001:db8::1",
    ]);
  });
});
