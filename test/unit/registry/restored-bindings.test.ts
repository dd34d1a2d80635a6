import { describe, expect, it } from "vitest";
import type { KeptBinding } from "../../../src/registry/types.ts";
import { clientEntry } from "../../support/client-entries.ts";
import { HOUR_MS, ids, nasName, startRegistry } from "./harness.ts";

const DAY_MS = 24 * HOUR_MS;
type Started = ReturnType<typeof startRegistry>;

/** A binding of peer "a" whose last link ended `awayMs` ago. */
function kept({ clock }: Started, nasIdentifier: string, changes: Partial<KeptBinding> & { awayMs?: number } = {}) {
  const { awayMs = 0, ...more } = changes;
  const seenAtMs = clock.wallMs() - awayMs;
  const peerKey = more.peerKey ?? "a";
  return {
    nasIdentifier,
    peerKey,
    peerLabel: peerKey,
    client: "routers",
    shared: false,
    boundAtMs: 1,
    seenAtMs,
    ...more,
  };
}

describe("Registry.restoreBindings() (invariant 1, IDX-04)", () => {
  it("keeps a second peer out as if the hub had never stopped, and lets the first in", () => {
    const started = startRegistry();
    const { registry, open, status, changes } = started;
    expect(registry.restoreBindings([kept(started, "edge-1")])).toBe(1);
    status(open({ linkId: "thief", peerKey: "b" }), nasName("edge-1"));
    expect(ids(registry.byNasIdentifier("edge-1"))).toEqual([]);
    status(open({ linkId: "owner", peerKey: "a" }), nasName("edge-1"));
    expect(ids(registry.byNasIdentifier("edge-1"))).toEqual(["owner"]);
    expect(changes()).toEqual(["refused edge-1"]);
  });

  it("counts the 24 h from the last link, in whatever order the bindings come", () => {
    const started = startRegistry();
    const { registry, clock, changes } = started;
    const rows = [
      kept(started, "late", { peerKey: "l", awayMs: HOUR_MS }),
      kept(started, "gone", { peerKey: "g", awayMs: DAY_MS }),
      kept(started, "early", { peerKey: "e", awayMs: 23 * HOUR_MS }),
      kept(started, "middle", { peerKey: "m", awayMs: 12 * HOUR_MS }),
    ];
    expect(registry.restoreBindings(rows)).toBe(3);
    expect(clock.waiting).toBe(1);
    clock.advance(HOUR_MS);
    expect(changes()).toEqual(["lapsed early"]);
    clock.advance(11 * HOUR_MS);
    expect(changes()).toEqual(["lapsed early", "lapsed middle"]);
    clock.advance(11 * HOUR_MS);
    expect(changes()).toEqual(["lapsed early", "lapsed middle", "lapsed late"]);
  });

  it("a wall clock that was set back does not lengthen the 24 h", () => {
    const started = startRegistry();
    started.registry.restoreBindings([kept(started, "edge-1", { awayMs: -7 * DAY_MS })]);
    started.clock.advance(DAY_MS);
    expect(started.registry.binding("edge-1")).toBeUndefined();
  });

  it("counts before what was bound while the store was down: that peer is refused the name after all", () => {
    const started = startRegistry();
    const { registry, open, status, changes, kept: told } = started;
    status(open({ linkId: "thief", peerKey: "b" }), nasName("edge-1"));
    const owner = open({ linkId: "owner", peerKey: "a" });
    status(owner, nasName("edge-1"));
    told.length = 0;
    expect(registry.restoreBindings([kept(started, "edge-1")])).toBe(1);
    expect(ids(registry.byNasIdentifier("edge-1"))).toEqual([]);
    expect(told).toEqual(["changed edge-1 b"]);
    status(owner, nasName("edge-1"));
    expect(ids(registry.byNasIdentifier("edge-1"))).toEqual(["owner"]);
    expect(registry.binding("edge-1")).toMatchObject({ lapsesAtMs: undefined, refused: [{ peerKey: "b" }] });
    expect(changes()).toEqual(["bound edge-1", "refused edge-1", "refused edge-1"]);
  });

  it("leaves alone what the same peer has bound again, and of two exclusive holders takes the first", () => {
    const started = startRegistry();
    const { registry, open, status } = started;
    const owner = open({ linkId: "owner", peerKey: "a" });
    status(owner, nasName("edge-1"));
    const rows = [
      kept(started, "edge-1", { awayMs: HOUR_MS }),
      kept(started, "edge-2", { peerKey: "second", boundAtMs: 9 }),
      kept(started, "edge-2", { peerKey: "first", boundAtMs: 8 }),
    ];
    expect(registry.restoreBindings(rows)).toBe(1);
    expect(ids(registry.byNasIdentifier("edge-1"))).toEqual(["owner"]);
    expect(registry.binding("edge-1")?.lapsesAtMs).toBeUndefined();
    expect(registry.binding("edge-2")?.peerKey).toBe("first");
  });

  it("gives a shared name back to all who shared it, and to who shares it now", () => {
    const started = startRegistry();
    const { registry, open, status } = started;
    const client = clientEntry({ name: "mist", sharedNasIdentifiers: new Set(["Mist-AP"]) });
    status(open({ linkId: "c", peerKey: "c", client }), nasName("Mist-AP"));
    const rows = ["a", "b"].map((peerKey) => kept(started, "Mist-AP", { peerKey, shared: true }));
    expect(registry.restoreBindings(rows)).toBe(2);
    expect(registry.holdersOf("Mist-AP")).toBe(3);
    expect(ids(registry.byNasIdentifier("Mist-AP"))).toEqual(["c"]);
  });

  it("takes no more than bindingsMax", () => {
    const started = startRegistry({ bindingsMax: 2 });
    const rows = ["a", "b", "c"].map((name) => kept(started, name, { peerKey: name }));
    expect(started.registry.restoreBindings(rows)).toBe(2);
    expect(started.registry.bindingCount).toBe(2);
  });
});

describe("What is to be kept of a binding", () => {
  it("is told at each change: bound, last link gone, lapsed, released", () => {
    const { registry, clock, open, status, kept: told } = startRegistry();
    const link = open({ linkId: "one", peerKey: "a" });
    status(link, nasName("edge-1"));
    status(link, nasName("edge-2"));
    registry.release("edge-2");
    registry.closed(link);
    clock.advance(DAY_MS);
    expect(told).toEqual([
      "changed edge-1 a",
      "changed edge-2 a",
      "changed edge-2 a",
      "changed edge-1 a",
      "lapsed edge-1 a",
    ]);
  });

  it("has the time of the last link: now while there is one", () => {
    const { registry, clock, open, status } = startRegistry();
    const link = open({ linkId: "one", peerKey: "a" });
    const boundAtMs = clock.wallMs();
    status(link, nasName("edge-1"));
    clock.advance(HOUR_MS);
    const seenAtMs = clock.wallMs();
    const binding = { nasIdentifier: "edge-1", peerKey: "a", peerLabel: "a", client: "routers", shared: false };
    expect(registry.keptBinding("edge-1", "a")).toEqual({ ...binding, boundAtMs, seenAtMs });
    expect([...registry.presentBindings()]).toEqual([["edge-1", "a"]]);
    registry.closed(link);
    clock.advance(HOUR_MS);
    expect(registry.keptBinding("edge-1", "a")).toEqual({ ...binding, boundAtMs, seenAtMs });
    expect([...registry.presentBindings()]).toEqual([]);
    expect(registry.keptBinding("edge-9", "a")).toBeUndefined();
  });
});
