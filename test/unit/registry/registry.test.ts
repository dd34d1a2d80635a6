import { describe, expect, it } from "vitest";
import { attribute, textAttribute } from "../../../src/radius/attribute.ts";
import { CODE } from "../../../src/radius/codes.ts";
import { clientEntry } from "../../support/client-entries.ts";
import { certificatePeer } from "../../support/fake-link.ts";
import { ids, nasIp, nasName, packet, startRegistry } from "./harness.ts";

const OPERATOR_NAS_IDENTIFIER = attribute(241, Buffer.from("08deadbeef", "hex"));

describe("Registry", () => {
  it("invariant 2, IDX-02 IDX-06: follows links and NASes, many to many, through opening, learning and closing", () => {
    const { registry, open, status } = startRegistry();
    const one = open({ linkId: "one", peerKey: "a" });
    const two = open({ linkId: "two", peerKey: "a" });
    expect(ids(registry.byNasIdentifier("edge-1"))).toEqual([]);

    status(one, nasName("edge-1"));
    expect(ids(registry.byNasIdentifier("edge-1"))).toEqual(["one"]);

    status(two, nasName("edge-1"));
    status(two, nasName("edge-2"));
    expect(ids(registry.byNasIdentifier("edge-1"))).toEqual(["one", "two"]);
    expect(ids(registry.byNasIdentifier("edge-2"))).toEqual(["two"]);
    expect(registry.record("two")?.nasIdentifiers).toEqual(new Set(["edge-1", "edge-2"]));

    expect(registry.closed(one)?.nasIdentifiers).toEqual(new Set(["edge-1"]));
    expect(ids(registry.byNasIdentifier("edge-1"))).toEqual(["two"]);
    expect(registry.record("one")).toBeUndefined();

    registry.closed(two);
    expect(ids(registry.byNasIdentifier("edge-1"))).toEqual([]);
    expect(ids(registry.byNasIdentifier("edge-2"))).toEqual([]);
    expect(registry.size).toBe(0);
  });

  it("IDX-03 finds a link by each of its keys, and by none of them once it has closed (IDX-06)", () => {
    const { registry, open, status } = startRegistry();
    const peer = certificatePeer({
      commonName: "Edge 1",
      fingerprint256: "0A:0B",
      issuer: "CN=Field CA",
      san: { dns: ["Edge-1.NAS.example"], ip: ["10.0.0.9"], uri: ["urn:nas:1"], email: ["noc@nas.example"] },
    });
    const link = open({
      linkId: "one",
      peerKey: "a",
      peer,
      listener: "main",
      address: "::ffff:192.0.2.7",
      client: clientEntry({ name: "field" }),
    });
    open({ linkId: "other", peer: { kind: "psk", identity: "psk-1" } });
    status(link, nasName("edge-1"), nasIp(10, 9, 0, 1), attribute(95, Buffer.from("20010db8".padEnd(32, "0"), "hex")));
    const keys = [
      ["linkId", "one"],
      ["nasIdentifier", "edge-1"],
      ["nasAddress", "10.9.0.1"],
      ["nasAddress", "2001:db8::"],
      ["peerKey", "a"],
      ["listener", "main"],
      ["client", "field"],
      ["address", "192.0.2.7"],
      ["commonName", "Edge 1"],
      ["sanDns", "edge-1.nas.example"],
      ["sanIp", "10.0.0.9"],
      ["sanUri", "urn:nas:1"],
      ["sanEmail", "noc@nas.example"],
      ["fingerprint", "0A:0B"],
      ["issuer", "CN=Field CA"],
    ] as const;
    for (const [key, value] of keys) {
      expect(ids(registry.find(key, value)), key).toEqual(["one"]);
      expect(registry.count(key, value), key).toBe(1);
    }
    expect(ids(registry.find("psk", "psk-1"))).toEqual(["other"]);
    registry.closed(link);
    for (const [key, value] of keys) {
      expect(ids(registry.find(key, value)), key).toEqual([]);
      expect(registry.count(key, value), key).toBe(0);
    }
  });

  it("IDX-05 PKT-09 keeps NAS-Identifiers octet by octet", () => {
    const { registry, open, status } = startRegistry();
    const upper = open({ linkId: "upper" });
    const lower = open({ linkId: "lower" });
    const raw = open({ linkId: "raw" });
    status(upper, nasName("NAS1"));
    status(lower, nasName("nas1"));
    status(raw, attribute(32, Buffer.from([0xff, 0x00, 0x80])));
    expect(ids(registry.byNasIdentifier("NAS1"))).toEqual(["upper"]);
    expect(ids(registry.byNasIdentifier("nas1"))).toEqual(["lower"]);
    expect(ids(registry.byNasIdentifier("\xff\x00\x80"))).toEqual(["raw"]);
    expect(ids(registry.byNasIdentifier("nas1\0"))).toEqual([]);
  });

  it.each([
    ["Access-Request", CODE.accessRequest, ["one"]],
    ["Accounting-Request", CODE.accountingRequest, ["one"]],
    ["Disconnect-Request, where it names the target", CODE.disconnectRequest, []],
    ["CoA-Request, where it names the target", CODE.coaRequest, []],
  ])("IDX-07 ST-18 learnRequest() and the NAS-Identifier of an %s", (_, code, found) => {
    const { registry, open } = startRegistry();
    const link = open({ linkId: "one" });
    registry.learnRequest(link, packet(code, nasName("edge-1"), nasIp(10, 9, 0, 1)));
    expect(ids(registry.byNasIdentifier("edge-1"))).toEqual(found);
    expect(ids(registry.byNasAddress("10.9.0.1"))).toEqual(found);
  });

  it("ST-14 learns a NAS that gives only its address", () => {
    const { registry, open, status } = startRegistry();
    status(open({ linkId: "one" }), nasIp(10, 9, 0, 1));
    expect(ids(registry.byNasAddress("10.9.0.1"))).toEqual(["one"]);
    expect(registry.record("one")?.nasIdentifiers.size).toBe(0);
  });

  it("byNasAddress() takes any notation of an address", () => {
    const { registry, open, status } = startRegistry();
    status(open({ linkId: "one" }), attribute(95, Buffer.from("20010db8000000000000000000000001", "hex")));
    expect(ids(registry.byNasAddress("2001:DB8:0::0:1"))).toEqual(["one"]);
    expect(ids(registry.byNasAddress("no address"))).toEqual([]);
  });

  it("PKT-07 ignores identities of the wrong size, the unspecified address and the empty name", () => {
    const { registry, open, status, changes } = startRegistry();
    const link = open({ linkId: "one" });
    status(link, nasIp(10, 9, 0), attribute(95, Buffer.alloc(15, 1)));
    status(link, nasIp(0, 0, 0, 0), attribute(95, Buffer.alloc(16)), attribute(32, Buffer.alloc(0)));
    expect(registry.record("one")?.nasAddresses.size).toBe(0);
    expect(registry.record("one")?.nasIdentifiers.size).toBe(0);
    expect(changes()).toEqual([]);
  });

  it("ST-08 ST-15 keeps neither User-Name, credentials, accounting nor Operator-NAS-Identifier of a Status-Server", () => {
    const { registry, open, status } = startRegistry();
    const portId = textAttribute(87, "ether1");
    const mikrotik = attribute(26, Buffer.from("00003a8c0808726174652d31", "hex"));
    const microsoft = attribute(26, Buffer.from("000001371906000000000000", "hex"));
    status(
      open({ linkId: "one" }),
      textAttribute(1, "bob"),
      textAttribute(2, "secret password!"),
      textAttribute(44, "acct-1"),
      attribute(80, Buffer.alloc(16, 7)),
      OPERATOR_NAS_IDENTIFIER,
      microsoft,
      mikrotik,
      portId,
      nasName("edge-1"),
    );
    expect(registry.record("one")?.statusAttributes).toEqual([mikrotik, portId, nasName("edge-1")]);
    expect(ids(registry.byNasIdentifier("\xde\xad\xbe\xef"))).toEqual([]);
  });

  it("learnStatus() copies out of the network's buffer, and copies nothing when nothing changed (ST-12)", () => {
    const { registry, open } = startRegistry();
    const link = open({ linkId: "one" });
    const first = packet(CODE.statusServer, nasName("edge-1"), attribute(80, Buffer.alloc(16, 1)));
    registry.learnStatus(link, first);
    const kept = registry.record("one")?.statusAttributes;
    first.octets.fill(0);
    expect(kept).toEqual([nasName("edge-1")]);
    registry.learnStatus(link, packet(CODE.statusServer, nasName("edge-1"), attribute(80, Buffer.alloc(16, 2))));
    expect(registry.record("one")?.statusAttributes).toBe(kept);
    registry.learnStatus(link, packet(CODE.statusServer, nasName("edge-1"), textAttribute(87, "ether2")));
    expect(registry.record("one")?.statusAttributes).toEqual([nasName("edge-1"), textAttribute(87, "ether2")]);
    registry.learnStatus(link, packet(CODE.statusServer, nasName("edge-2"), textAttribute(87, "ether2")));
    expect(registry.record("one")?.statusAttributes).toEqual([nasName("edge-2"), textAttribute(87, "ether2")]);
    registry.learnStatus(link, packet(CODE.statusServer, nasName("edge-2")));
    expect(registry.record("one")?.statusAttributes).toEqual([nasName("edge-2")]);
  });

  it("lastSeenMs follows every verified packet, a reply included", () => {
    const { registry, clock, open, status } = startRegistry();
    const link = open({ linkId: "one" });
    const begun = clock.wallMs();
    expect(registry.record("one")?.lastSeenMs).toBe(begun);
    clock.advance(10);
    status(link);
    expect(registry.record("one")?.lastSeenMs).toBe(begun + 10);
    clock.advance(5);
    registry.learnReply(link);
    expect(registry.record("one")?.lastSeenMs).toBe(begun + 15);
  });

  it("IDX-06 a link that has closed is not learnt from, and a second close removes nobody", () => {
    const { registry, open, status } = startRegistry();
    const old = open({ linkId: "one", peerKey: "a" });
    registry.closed(old);
    status(old, nasName("edge-1"), nasIp(10, 9, 0, 1));
    expect(registry.binding("edge-1")).toBeUndefined();
    expect(ids(registry.byNasAddress("10.9.0.1"))).toEqual([]);
    open({ linkId: "one", peerKey: "a" });
    expect(registry.closed(old)).toBeUndefined();
    expect(registry.size).toBe(1);
  });

  it("reports a link with too many names once, and goes on with those it has", () => {
    const { registry, open, status, request, changes } = startRegistry({ namesPerLinkMax: 2 });
    const link = open({ linkId: "one" });
    for (const name of ["a", "b", "c", "d"]) status(link, nasName(name));
    for (let last = 1; last <= 4; last++) request(link, nasIp(10, 0, 0, last));
    expect(changes()).toEqual(["bound a", "bound b", "not-indexed c"]);
    expect(registry.record("one")?.nasIdentifiers).toEqual(new Set(["a", "b"]));
    expect(registry.record("one")?.nasAddresses).toEqual(new Set(["10.0.0.1", "10.0.0.2"]));
    expect(ids(registry.byNasIdentifier("c"))).toEqual([]);
  });

  it("byNasAddress() yields the routers of several peers where they have the same address behind NAT", () => {
    const { registry, open, status } = startRegistry();
    for (const linkId of ["one", "two", "three"]) {
      status(open({ linkId, peerKey: linkId === "three" ? "b" : "a" }), nasIp(192, 168, 88, 1));
    }
    const peers = registry.byNasAddress("192.168.88.1").map(({ link }) => link.peerKey);
    expect(peers).toEqual(["a", "a", "b"]);
  });

  it("finds a link by the name of its client entry after the configuration replaced the entry", () => {
    const { registry, options, open } = startRegistry();
    const link = open({ linkId: "one", client: clientEntry({ name: "before" }) });
    link.client = clientEntry({ name: "after" });
    registry.apply(options);
    expect(ids(registry.find("client", "before"))).toEqual([]);
    expect(ids(registry.find("client", "after"))).toEqual(["one"]);
    link.client = clientEntry({ name: "later" });
    registry.closed(link);
    expect(registry.count("client", "after")).toBe(0);
  });
});
