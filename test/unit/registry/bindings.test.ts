import { describe, expect, it } from "vitest";
import { clientEntry } from "../../support/client-entries.ts";
import { HOUR_MS, ids, nasName, startRegistry } from "./harness.ts";

const DAY_MS = 24 * HOUR_MS;
const sharing = clientEntry({ name: "mist", sharedNasIdentifiers: new Set(["Mist-AP"]) });

describe("Bindings (invariant 1, IDX-04)", () => {
  it("IDX-04 refuses a peer the name of another, and the owner still receives", () => {
    const { registry, open, status, reported } = startRegistry();
    const owner = open({ linkId: "owner", peerKey: "a" });
    const thief = open({ linkId: "thief", peerKey: "b" });
    status(owner, nasName("edge-1"));
    status(thief, nasName("edge-1"));
    expect(ids(registry.byNasIdentifier("edge-1"))).toEqual(["owner"]);
    expect(registry.record("thief")?.nasIdentifiers.size).toBe(0);
    expect(reported).toMatchObject([
      { change: "bound", nasIdentifier: "edge-1", holder: "a", linkId: "owner" },
      { change: "refused", nasIdentifier: "edge-1", holder: "a", claimant: "b", linkId: "thief" },
    ]);
    expect(registry.binding("edge-1")).toMatchObject({
      peerKey: "a",
      client: "routers",
      linkIds: ["owner"],
      lapsesAtMs: undefined,
      refused: [{ peerKey: "b", peerLabel: "b" }],
    });
  });

  it("survives renewal: a new link of the same peer carries the name at once", () => {
    const { registry, open, status, changes } = startRegistry();
    const before = open({ linkId: "before", peerKey: "a" });
    status(before, nasName("edge-1"));
    registry.closed(before);
    status(open({ linkId: "after", peerKey: "a" }), nasName("edge-1"));
    expect(ids(registry.byNasIdentifier("edge-1"))).toEqual(["after"]);
    expect(changes()).toEqual(["bound edge-1"]);
  });

  it("lapses a name 24 h after the last link of its peer, and not a moment before", () => {
    const { registry, clock, open, status, changes } = startRegistry();
    const first = open({ linkId: "first", peerKey: "a" });
    const second = open({ linkId: "second", peerKey: "a" });
    const heir = open({ linkId: "heir", peerKey: "b" });
    status(first, nasName("edge-1"));
    registry.closed(first);
    clock.advance(2 * DAY_MS); // the second link of the peer keeps the name although it never said it
    status(heir, nasName("edge-1"));
    expect(registry.binding("edge-1")?.peerKey).toBe("a");

    registry.closed(second);
    expect(registry.binding("edge-1")?.lapsesAtMs).toBe(clock.wallMs() + DAY_MS);
    clock.advance(DAY_MS - 1);
    status(heir, nasName("edge-1"));
    expect(registry.binding("edge-1")?.peerKey).toBe("a");
    clock.advance(1);
    status(heir, nasName("edge-1"));
    expect(registry.binding("edge-1")?.peerKey).toBe("b");
    // The claim of a day later is reported again.
    expect(changes()).toEqual(["bound edge-1", "refused edge-1", "refused edge-1", "lapsed edge-1", "bound edge-1"]);
  });

  it("a peer that comes back in time keeps its names and the full 24 h", () => {
    const { registry, clock, open, status } = startRegistry();
    const first = open({ linkId: "first", peerKey: "a" });
    status(first, nasName("edge-1"));
    registry.closed(first);
    clock.advance(DAY_MS - 1);
    const second = open({ linkId: "second", peerKey: "a" });
    expect(clock.waiting).toBe(0);
    clock.advance(2);
    expect(registry.binding("edge-1")).toMatchObject({ peerKey: "a", linkIds: [], lapsesAtMs: undefined });
    registry.closed(second);
    clock.advance(DAY_MS - 1);
    expect(registry.binding("edge-1")?.peerKey).toBe("a");
    clock.advance(1);
    expect(registry.binding("edge-1")).toBeUndefined();
  });

  it("lapses by one timer without being asked, and leaves none behind", () => {
    const { registry, clock, open, status, changes } = startRegistry();
    const links = ["a", "b"].map((peerKey) => open({ linkId: peerKey, peerKey }));
    for (const link of links) status(link, nasName(link.linkId));
    expect(clock.waiting).toBe(0);
    for (const link of links) {
      registry.closed(link);
      clock.advance(HOUR_MS);
      expect(clock.waiting).toBe(1);
    }
    clock.advance(22 * HOUR_MS);
    expect(changes()).toEqual(["bound a", "bound b", "lapsed a"]);
    clock.advance(HOUR_MS);
    expect(changes()).toEqual(["bound a", "bound b", "lapsed a", "lapsed b"]);
    expect(clock.waiting).toBe(0);
  });

  it("apply() changes the time of lapse for peers that are gone already", () => {
    const { registry, clock, options, open, status, changes } = startRegistry();
    const link = open({ linkId: "one" });
    status(link, nasName("edge-1"));
    registry.closed(link);
    registry.apply({ ...options, bindingLapseMs: HOUR_MS });
    clock.advance(HOUR_MS - 1);
    expect(changes()).toEqual(["bound edge-1"]);
    clock.advance(1);
    expect(changes()).toEqual(["bound edge-1", "lapsed edge-1"]);
  });

  it("stop() ends the timer, and a link that closes later starts none", () => {
    const { registry, clock, open, status } = startRegistry();
    const links = ["a", "b"].map((linkId) => open({ linkId }));
    for (const link of links) status(link, nasName(link.linkId));
    registry.closed(links[0] as (typeof links)[0]);
    registry.stop();
    registry.closed(links[1] as (typeof links)[0]);
    expect(clock.waiting).toBe(0);
  });

  it.each([
    ["Café", "Café"],
    ["a\nlink up: b", "0x610a6c696e6b2075703a2062"],
    ["\u001b[2J", "0x1b5b324a"],
  ])(
    "IDX-05 reports %j as %s, which DELETE /v1/bindings takes and no line of a log can be forged with",
    (name, shown) => {
      const { open, status, changes } = startRegistry();
      status(open({ linkId: "one" }), nasName(name));
      expect(changes()).toEqual([`bound ${shown}`]);
    },
  );

  it("release() gives the name to the one peer that was refused it and is connected, at once", () => {
    const { registry, open, status, changes } = startRegistry();
    const owner = open({ linkId: "owner", peerKey: "a" });
    const claimant = open({ linkId: "claimant", peerKey: "b" });
    status(owner, nasName("edge-1"));
    status(claimant, nasName("edge-1"));
    expect(registry.release("edge-1")).toBe(true);
    expect(ids(registry.byNasIdentifier("edge-1"))).toEqual(["claimant"]);
    expect(registry.record("owner")?.nasIdentifiers.size).toBe(0);
    status(owner, nasName("edge-1"));
    expect(registry.binding("edge-1")).toMatchObject({ peerKey: "b", refused: [{ peerKey: "a" }] });
    expect(changes()).toEqual(["bound edge-1", "refused edge-1", "released edge-1", "bound edge-1", "refused edge-1"]);
    expect(registry.release("edge-9")).toBe(false);
  });

  it.each<[string, (registry: ReturnType<typeof startRegistry>) => void]>([
    ["nobody was refused", () => undefined],
    [
      "the refused one has gone",
      ({ registry, open, status }) => {
        const gone = open({ linkId: "gone" });
        status(gone, nasName("edge-1"));
        registry.closed(gone);
      },
    ],
    [
      "the refused one has not claimed it for an hour",
      ({ clock, open, status }) => {
        status(open({ linkId: "renamed" }), nasName("edge-1"));
        clock.advance(HOUR_MS);
      },
    ],
    [
      "several were refused: nobody guesses",
      ({ open, status }) => {
        for (const linkId of ["one", "other"]) status(open({ linkId }), nasName("edge-1"));
      },
    ],
  ])("release() leaves a name to whoever claims it next, the former holder included, where %s", (_, before) => {
    const started = startRegistry();
    const { registry, open, status } = started;
    const owner = open({ linkId: "owner", peerKey: "a" });
    status(owner, nasName("edge-1"));
    before(started);
    expect(registry.release("edge-1")).toBe(true);
    expect(registry.binding("edge-1")).toBeUndefined();
    status(owner, nasName("edge-1"));
    expect(ids(registry.byNasIdentifier("edge-1"))).toEqual(["owner"]);
  });

  it("reports a claimant once and then hourly, and shows its latest claim", () => {
    const { registry, clock, open, status, reported } = startRegistry();
    status(open({ linkId: "owner" }), nasName("edge-1"));
    const claimant = open({ linkId: "claimant" });
    for (let minute = 0; minute < 120; minute++) {
      status(claimant, nasName("edge-1"));
      clock.advance(60_000);
    }
    expect(reported.filter(({ change }) => change === "refused")).toHaveLength(2);
    expect(registry.binding("edge-1")?.refused).toMatchObject([{ atMs: clock.wallMs() - 60_000 }]);
  });

  it("remembers and reports at most eight claimants of a name, and takes new ones once old ones are silent", () => {
    const { registry, clock, open, status, reported } = startRegistry();
    status(open({ linkId: "owner" }), nasName("edge-1"));
    const claim = (from: number, to: number) => {
      for (let n = from; n <= to; n++) status(open({ linkId: `c${n}` }), nasName("edge-1"));
    };
    claim(1, 20);
    expect(registry.binding("edge-1")?.refused).toHaveLength(8);
    expect(reported.filter(({ change }) => change === "refused")).toHaveLength(8);
    clock.advance(HOUR_MS);
    claim(21, 21);
    expect(registry.binding("edge-1")?.refused.map(({ peerKey }) => peerKey)).toContain("peer of c21");
    expect(registry.binding("edge-1")?.refused).toHaveLength(8);
  });

  it("a link that claims everybody's names is reported for so many of them only", () => {
    const { open, status, reported } = startRegistry({ namesPerLinkMax: 3 });
    for (let n = 0; n < 10; n++) status(open({ linkId: `owner${n}` }), nasName(`edge-${n}`));
    const thief = open({ linkId: "thief" });
    for (let n = 0; n < 10; n++) status(thief, nasName(`edge-${n}`));
    expect(reported.filter(({ change }) => change === "refused")).toHaveLength(3);
  });
});

describe("Bindings of shared names (FIELD.md 54)", () => {
  it("lets several peers hold a name that all their entries share: the look-up yields them all", () => {
    const { registry, open, status } = startRegistry();
    const first = open({ linkId: "one", peerKey: "a", client: sharing });
    const second = open({ linkId: "two", peerKey: "b", client: sharing });
    status(first, nasName("Mist-AP"));
    status(second, nasName("Mist-AP"));
    expect(ids(registry.byNasIdentifier("Mist-AP"))).toEqual(["one", "two"]);
    expect(registry.count("nasIdentifier", "Mist-AP")).toBe(2);
    expect([...registry.bindings()].map(({ peerKey }) => peerKey)).toEqual(["a", "b"]);
    registry.closed(first);
    expect(ids(registry.byNasIdentifier("Mist-AP"))).toEqual(["two"]);
    expect(registry.release("Mist-AP")).toBe(true);
    expect([...registry.bindings()]).toEqual([]);
  });

  it("IDX-04 sharing is an agreement: neither side can force it on a peer whose entry does not share the name", () => {
    const { registry, open, status } = startRegistry();
    status(open({ linkId: "alone", peerKey: "a" }), nasName("Mist-AP"));
    status(open({ linkId: "sharer", peerKey: "b", client: sharing }), nasName("Mist-AP"));
    expect(ids(registry.byNasIdentifier("Mist-AP"))).toEqual(["alone"]);
    registry.release("Mist-AP"); // the sharer, who was refused, has it now
    status(open({ linkId: "sharer2", peerKey: "c", client: sharing }), nasName("Mist-AP"));
    status(open({ linkId: "alone2", peerKey: "d" }), nasName("Mist-AP"));
    expect(ids(registry.byNasIdentifier("Mist-AP"))).toEqual(["sharer", "sharer2"]);
  });

  it("a configuration that begins to share a name lets the refused peer in at its next packet", () => {
    const { registry, options, open, status } = startRegistry();
    const links = ["one", "two"].map((linkId) => open({ linkId }));
    for (const link of links) status(link, nasName("Mist-AP"));
    expect(ids(registry.byNasIdentifier("Mist-AP"))).toEqual(["one"]);
    for (const link of links) link.client = sharing;
    registry.apply(options);
    for (const link of links) status(link, nasName("Mist-AP"));
    expect(ids(registry.byNasIdentifier("Mist-AP"))).toEqual(["one", "two"]);
    expect(registry.binding("Mist-AP")?.refused).toEqual([]);
  });

  it("a holder that stops sharing keeps newcomers out until its binding lapses", () => {
    const { registry, clock, options, open, status } = startRegistry();
    const leaver = open({ linkId: "leaver", client: sharing });
    status(leaver, nasName("Mist-AP"));
    status(open({ linkId: "stayer", client: sharing }), nasName("Mist-AP"));
    leaver.client = clientEntry();
    registry.apply(options);
    const newcomer = open({ linkId: "newcomer", client: sharing });
    status(newcomer, nasName("Mist-AP"));
    expect(ids(registry.byNasIdentifier("Mist-AP"))).toEqual(["leaver", "stayer"]);
    registry.closed(leaver);
    clock.advance(DAY_MS);
    status(newcomer, nasName("Mist-AP"));
    expect(ids(registry.byNasIdentifier("Mist-AP"))).toEqual(["stayer", "newcomer"]);
  });
});

describe("Bindings at their bounds (invariant 9)", () => {
  it("does not bind a new name beyond bindingsMax, says so once for a link, and keeps the others working", () => {
    const { registry, open, status, changes } = startRegistry({ bindingsMax: 2 });
    const known = open({ linkId: "known" });
    const late = open({ linkId: "late" });
    for (const name of ["a", "b"]) status(known, nasName(name));
    for (const name of ["c", "d", "c"]) status(late, nasName(name));
    expect(changes()).toEqual(["bound a", "bound b", "not-indexed c"]);
    expect(ids(registry.byNasIdentifier("a"))).toEqual(["known"]);
    expect(registry.binding("c")).toBeUndefined();
    registry.release("a");
    status(late, nasName("c"));
    expect(ids(registry.byNasIdentifier("c"))).toEqual(["late"]);
  });

  it("a peer that reconnects under ever new names loses its own oldest ones, nobody else's", () => {
    const { registry, open, status } = startRegistry({ namesPerLinkMax: 3, bindingsMax: 8 });
    status(open({ linkId: "honest", peerKey: "h" }), nasName("edge-1"));
    for (let n = 0; n < 50; n++) {
      const link = open({ linkId: `n${n}`, peerKey: "churn" });
      status(link, nasName(`churn-${n}`));
      registry.closed(link);
    }
    const names = [...registry.bindings()].map(({ nasIdentifier }) => nasIdentifier);
    expect(names).toEqual(["edge-1", "churn-47", "churn-48", "churn-49"]);
  });
});
