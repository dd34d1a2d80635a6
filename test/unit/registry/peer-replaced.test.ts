import { describe, expect, it } from "vitest";
import { clientEntry } from "../../support/client-entries.ts";
import { certificatePeer, type FakeLink } from "../../support/fake-link.ts";
import { HOUR_MS, ids, nasName, startRegistry } from "./harness.ts";

const edge = certificatePeer({ san: { dns: ["edge-1.example"] } });
/** What a peer is under an entry that admits the whole CA. */
const ADMITTED = 'certificate:["CN=Test CA","dns:edge-1.example"]';
const own = clientEntry({ name: "edge-1" });

function moved(link: FakeLink, peerKey: string, client = clientEntry({ name: peerKey })): void {
  link.peerKey = peerKey;
  link.client = client;
}

describe("A change of the configuration that makes another peer of a router (invariant 1)", () => {
  it("takes the names of a connected router along, the ones that it does not carry now too", () => {
    const { registry, options, open, status, kept, changes } = startRegistry();
    const before = open({ linkId: "before", peerKey: "old" });
    status(before, nasName("edge-1b"));
    const link = open({ linkId: "link", peerKey: "old" });
    status(link, nasName("edge-1"));
    registry.closed(before);
    kept.length = 0;
    moved(link, "new", own);
    registry.apply(options);
    expect(ids(registry.byNasIdentifier("edge-1"))).toEqual(["link"]);
    expect([...registry.bindings()]).toMatchObject([
      { nasIdentifier: "edge-1b", peerKey: "new", client: "edge-1", lapsesAtMs: undefined },
      { nasIdentifier: "edge-1", peerKey: "new", client: "edge-1", linkIds: ["link"] },
    ]);
    expect(kept).toEqual(["changed edge-1 old", "changed edge-1 new", "changed edge-1b old", "changed edge-1b new"]);
    expect(changes()).toEqual(["bound edge-1b", "bound edge-1"]);
    const thief = open({ linkId: "thief", peerKey: "old" });
    status(thief, nasName("edge-1"));
    expect(ids(registry.byNasIdentifier("edge-1"))).toEqual(["link"]);
  });

  it("moves all links of a router that has several, and its acct sessions find it by the old key", () => {
    const { registry, options, open, status } = startRegistry();
    const links = ["one", "two"].map((linkId) => open({ linkId, peerKey: "old" }));
    for (const link of links) status(link, nasName("edge-1"));
    for (const link of links) moved(link, "new", own);
    registry.apply(options);
    expect(ids(registry.byNasIdentifier("edge-1")).sort()).toEqual(["one", "two"]);
    expect(registry.binding("edge-1")?.linkIds).toHaveLength(2);
    expect(ids(registry.byPeerKey("new"))).toEqual(["one", "two"]);
    expect(ids(registry.byPeerKey("old"))).toEqual(["one", "two"]);
    for (const link of links) registry.closed(link);
    expect([...registry.byPeerKey("new"), ...registry.byPeerKey("old")]).toEqual([]);
    expect(registry.binding("edge-1")?.lapsesAtMs).toBeDefined();
  });

  it("of two links that were one peer and become two, the one that stays keeps the name", () => {
    const { registry, options, open, status, changes } = startRegistry();
    const links = ["stays", "goes"].map((linkId) => open({ linkId, peerKey: "old" }));
    for (const link of links) status(link, nasName("edge-1"));
    moved(links[1] as FakeLink, "new", own);
    registry.apply(options);
    expect(ids(registry.byNasIdentifier("edge-1"))).toEqual(["stays"]);
    expect(registry.record("goes")?.nasIdentifiers.size).toBe(0);
    expect(changes()).toEqual(["bound edge-1", "refused edge-1"]);
  });

  it("two peers that become one hold a name that they shared once", () => {
    const { registry, options, open, status } = startRegistry();
    const sharing = clientEntry({ name: "mist", sharedNasIdentifiers: new Set(["Mist-AP"]) });
    const links = ["a", "b", "b2"].map((linkId) => open({ linkId, peerKey: linkId.charAt(0), client: sharing }));
    for (const link of links) status(link, nasName("Mist-AP"));
    for (const link of links) moved(link, "one", { ...sharing });
    registry.apply(options);
    expect(ids(registry.byNasIdentifier("Mist-AP")).sort()).toEqual(["a", "b", "b2"]);
    expect([...registry.bindings()]).toMatchObject([{ peerKey: "one" }]);
    expect(registry.count("nasIdentifier", "Mist-AP")).toBe(3);
  });

  it("a router that was away gets back what it bound under an entry that admits its CA: issuer and SAN set prove it", () => {
    const { registry, clock, open, status, kept } = startRegistry();
    const before = open({ linkId: "before", peer: edge, peerKey: ADMITTED });
    status(before, nasName("edge-1"));
    registry.closed(before);
    kept.length = 0;
    const after = open({ linkId: "after", peer: edge, peerKey: "client:edge-1", client: own });
    status(after, nasName("edge-1"));
    expect(ids(registry.byNasIdentifier("edge-1"))).toEqual(["after"]);
    expect(registry.binding("edge-1")).toMatchObject({ peerKey: "client:edge-1", lapsesAtMs: undefined });
    expect(kept).toEqual([`changed edge-1 ${ADMITTED}`, "changed edge-1 client:edge-1"]);
    expect(clock.waiting).toBe(0);
    clock.advance(48 * HOUR_MS);
    expect(registry.binding("edge-1")?.peerKey).toBe("client:edge-1");
  });

  it.each([
    ["another SAN", certificatePeer({ san: { dns: ["edge-2.example"] } })],
    ["another issuer", certificatePeer({ issuer: "CN=Other CA", san: { dns: ["edge-1.example"] } })],
    ["an address", { kind: "address", address: "192.0.2.1" } as const],
  ])("IDX-04 %s proves nothing of the kind", (_, peer) => {
    const { registry, open, status } = startRegistry();
    const before = open({ linkId: "before", peer: edge, peerKey: ADMITTED });
    status(before, nasName("edge-1"));
    registry.closed(before);
    status(open({ linkId: "other", peer, peerKey: "client:edge-2" }), nasName("edge-1"));
    expect(ids(registry.byNasIdentifier("edge-1"))).toEqual([]);
  });

  it("IDX-04 while links have the former key, both keys are in use and are two peers", () => {
    const { registry, open, status } = startRegistry();
    status(open({ linkId: "one", peer: edge, peerKey: ADMITTED }), nasName("edge-1"));
    status(open({ linkId: "two", peer: edge, peerKey: "client:edge-1" }), nasName("edge-1"));
    expect(ids(registry.byNasIdentifier("edge-1"))).toEqual(["one"]);
  });
});
