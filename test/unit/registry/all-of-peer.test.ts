import { describe, expect, it } from "vitest";
import { inPreferenceOrder, type SelectMode } from "../../../src/registry/preference.ts";
import { SharedSecret } from "../../../src/radius/authenticator.ts";
import { clientEntry } from "../../support/client-entries.ts";
import { ids, nasIp, nasName, startRegistry } from "./harness.ts";

const HUB = clientEntry({ role: "hub" });

describe("links that lead to all NASes of their peer", () => {
  it("a second link of a hub carries what the first has proven, at once and later; that of a router does not", () => {
    const { registry, open, request } = startRegistry();
    const one = open({ linkId: "one", peerKey: "hub-b", client: HUB });
    const router = open({ linkId: "router", peerKey: "edge" });
    request(one, nasName("nas-1"), nasIp(10, 0, 0, 1));
    request(router, nasName("edge"));
    open({ linkId: "two", peerKey: "hub-b", client: HUB });
    open({ linkId: "other", peerKey: "edge" });
    request(one, nasName("nas-2"), nasIp(10, 0, 0, 2));
    const found = (name: string) => ids(registry.byNasIdentifier(name));
    expect([found("nas-1"), found("nas-2"), found("edge")]).toEqual([["one", "two"], ["one", "two"], ["router"]]);
    expect(ids(registry.byNasAddress("10.0.0.1"))).toEqual(["one", "two"]);
    expect(ids(registry.byNasAddress("10.0.0.2"))).toEqual(["one", "two"]);
  });

  it("a hub that comes back leads to its NASes before they have sent anything (IDX-04: they are bound to it)", () => {
    const { registry, open, request } = startRegistry();
    const first = open({ linkId: "one", peerKey: "hub-b", client: HUB });
    request(first, nasName("nas-1"));
    registry.closed(first);
    expect(ids(registry.byNasIdentifier("nas-1"))).toEqual([]);
    const back = open({ linkId: "back", peerKey: "hub-b", client: HUB });
    expect(ids(registry.byNasIdentifier("nas-1"))).toEqual(["back"]);
    registry.closed(back);
    expect(ids(registry.byNasIdentifier("nas-1"))).toEqual([]);
  });

  it("carries no name of another peer, and no more than a link may carry", () => {
    const { registry, open, request } = startRegistry({ namesPerLinkMax: 2 });
    request(open({ linkId: "a", peerKey: "hub-a", client: HUB }), nasName("nas-1"));
    const hub = open({ linkId: "b", peerKey: "hub-b", client: HUB });
    for (const name of ["nas-1", "nas-2", "nas-3", "nas-4"]) request(hub, nasName(name));
    open({ linkId: "c", peerKey: "hub-b", client: HUB });
    expect(ids(registry.byNasIdentifier("nas-1"))).toEqual(["a"]);
    expect(registry.record("c")?.nasIdentifiers).toEqual(new Set(["nas-2", "nas-3"]));
  });

  it("a fallback stays when the links of its router go, and is forgotten with its name when an operator releases that", () => {
    const { registry, open, status } = startRegistry();
    open({ linkId: "udp", peerKey: "edge", fallback: true });
    const link = open({ linkId: "tls", peerKey: "edge" });
    status(link, nasName("edge-1"), nasIp(10, 0, 0, 1));
    expect(ids(registry.byNasIdentifier("edge-1"))).toEqual(["tls", "udp"]);
    registry.closed(link);
    expect(ids(registry.byNasIdentifier("edge-1"))).toEqual(["udp"]);
    expect(ids(registry.byNasAddress("10.0.0.1"))).toEqual(["udp"]);
    expect(registry.binding("edge-1")?.linkIds).toEqual(["udp"]);
    registry.release("edge-1");
    expect(ids(registry.byNasIdentifier("edge-1"))).toEqual([]);
  });

  it("IDX-06 a fallback that the configuration names later makes no link a half-open rest", () => {
    const { clock, registry, open } = startRegistry();
    open({ linkId: "half-open", peerKey: "edge" });
    clock.advance(60_000);
    open({ linkId: "late", peerKey: "edge" }).inFlight = 9;
    clock.advance(60_000);
    open({ linkId: "udp", peerKey: "edge", fallback: true });
    const order = ids(inPreferenceOrder(registry.byPeerKey("edge"), "least-busy"));
    expect(order).toEqual(["late", "half-open", "udp"]);
  });

  it("a link of a router with a fallback carries its names at once when it comes back, or the fallback would get its requests", () => {
    const { registry, open, status } = startRegistry();
    const secret = new SharedSecret("a secret of its UDP port");
    const client = clientEntry({ udpFallback: { address: "10.0.0.1", port: 3799, secret } });
    open({ linkId: "udp", peerKey: "edge", client, fallback: true });
    const first = open({ linkId: "first", peerKey: "edge", client });
    status(first, nasName("edge-1"));
    registry.closed(first);
    open({ linkId: "back", peerKey: "edge", client });
    expect(ids(inPreferenceOrder(registry.byNasIdentifier("edge-1"), "least-busy"))).toEqual(["back", "udp"]);
  });

  it.each<SelectMode>(["first", "round-robin", "least-busy"])("a fallback comes last, in mode %s", (mode) => {
    const { clock, registry, open, status } = startRegistry();
    const early = open({ linkId: "early", peerKey: "edge" });
    clock.advance(60_000);
    // The configuration may name it while the router is connected: that makes no half-open rest of the link.
    open({ linkId: "udp", peerKey: "edge", fallback: true });
    early.inFlight = 9;
    status(early, nasName("edge-1"));
    expect(ids(inPreferenceOrder(registry.byNasIdentifier("edge-1"), mode))).toEqual(["early", "udp"]);
    open({ linkId: "late", peerKey: "edge" });
    expect(ids(inPreferenceOrder(registry.byPeerKey("edge"), mode)).at(-1)).toBe("udp");
  });
});
