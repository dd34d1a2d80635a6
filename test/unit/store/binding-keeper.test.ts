import { describe, expect, it, vi } from "vitest";
import type { KeptBinding } from "../../../src/registry/types.ts";
import { BindingKeeper, type KeeperReport } from "../../../src/store/binding-keeper.ts";
import type { BindingRemoval, BindingStore } from "../../../src/store/binding-types.ts";
import { storeError } from "../../../src/store/store-error.ts";
import type { PageRequest } from "../../../src/store/types.ts";
import { ManualClock } from "../../support/manual-clock.ts";

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;

/** A store of bindings that is up or down, and remembers how large its calls were. */
class FakeBindingStore implements BindingStore {
  readonly rows = new Map<string, KeptBinding>();
  readonly calls: number[] = [];
  up = true;
  /** Calls wait for this. */
  gate: Promise<void> = Promise.resolve();

  async put(bindings: readonly KeptBinding[]): Promise<void> {
    await this.#called(bindings.length);
    for (const each of bindings) this.rows.set(`${each.nasIdentifier} ${each.peerKey}`, each);
  }

  async remove(bindings: readonly BindingRemoval[]): Promise<void> {
    await this.#called(bindings.length);
    for (const { nasIdentifier, peerKey, seenUntilMs = Number.MAX_SAFE_INTEGER } of bindings) {
      const key = `${nasIdentifier} ${peerKey}`;
      if ((this.rows.get(key)?.seenAtMs ?? 0) <= seenUntilMs) this.rows.delete(key);
    }
  }

  async list({ after = "0", limit }: PageRequest) {
    await this.#called(0);
    const from = Number(after);
    const items = [...this.rows.values()].slice(from, from + limit);
    return { items, next: from + limit < this.rows.size ? String(from + limit) : undefined };
  }

  async #called(size: number): Promise<void> {
    await this.gate;
    if (!this.up) throw storeError("down", "a test said so");
    if (size > 0) this.calls.push(size);
  }
}

/** Bindings in memory, without a registry. */
class FakeBindings {
  readonly held = new Map<string, KeptBinding>();
  restored: readonly KeptBinding[] = [];

  keptBinding(nasIdentifier: string, peerKey: string): KeptBinding | undefined {
    return this.held.get(`${nasIdentifier} ${peerKey}`);
  }

  *presentBindings(): IterableIterator<readonly [string, string]> {
    for (const { nasIdentifier, peerKey } of this.held.values()) yield [nasIdentifier, peerKey];
  }

  restoreBindings(kept: readonly KeptBinding[]): number {
    this.restored = kept;
    return kept.length;
  }
}

function start() {
  const clock = new ManualClock();
  const store = new FakeBindingStore();
  const bindings = new FakeBindings();
  const reports: KeeperReport[] = [];
  const keeper = new BindingKeeper({ clock, bindings, store, report: (what) => reports.push(what) }, DAY_MS);
  const binding = (name: string, seenAtMs = clock.wallMs()): KeptBinding => {
    const known = { peerKey: "a", peerLabel: "A", client: "routers", shared: false, boundAtMs: 1 };
    return { nasIdentifier: name, ...known, seenAtMs };
  };
  const hold = (name: string) => {
    bindings.held.set(`${name} a`, binding(name));
    keeper.changed(name, "a", "changed");
  };
  const settled = () => vi.waitFor(() => expect(keeper.waiting).toBe(0));
  return { clock, store, bindings, reports, keeper, binding, hold, settled };
}

describe("BindingKeeper", () => {
  it("loads every page before it writes anything, and says what came of it", async () => {
    const { store, bindings, reports, keeper, binding, hold, settled } = start();
    for (let n = 0; n < 2_001; n++) store.rows.set(`n${n} a`, binding(`n${n}`));
    hold("new");
    await keeper.load();
    expect(keeper.loaded).toBe(true);
    expect(bindings.restored).toHaveLength(2_001);
    expect(reports).toEqual([{ loaded: 2_001, restored: 2_001 }]);
    await settled();
    expect(store.rows.has("new a")).toBe(true);
  });

  it("writes the state of the moment of writing, many at a time, each once", async () => {
    const { store, bindings, keeper, hold } = start();
    await keeper.load();
    for (let n = 0; n < 600; n++) hold(`n${n}`);
    for (let n = 0; n < 600; n++) keeper.changed(`n${n}`, "a", "changed");
    bindings.held.delete("n7 a");
    keeper.changed("n7", "a", "changed");
    expect(keeper.waiting).toBe(600);
    await vi.waitFor(() => expect(store.calls).toEqual([255, 1, 256, 88]));
    expect(store.rows.size).toBe(599);
    expect(store.rows.has("n7 a")).toBe(false);
  });

  it("a lapse leaves what another hub has seen since, a release does not", async () => {
    const { clock, store, keeper, binding, settled } = start();
    await keeper.load();
    for (const name of ["lapsed", "seen elsewhere", "released"]) store.rows.set(`${name} a`, binding(name));
    store.rows.set("lapsed a", binding("lapsed", clock.wallMs() - DAY_MS));
    keeper.changed("lapsed", "a", "lapsed");
    keeper.changed("seen elsewhere", "a", "lapsed");
    keeper.changed("released", "a", "changed");
    await settled();
    await vi.waitFor(() => expect([...store.rows.keys()]).toEqual(["seen elsewhere a"]));
  });

  it("removes at load what lapsed while no hub ran", async () => {
    const { clock, store, keeper, binding } = start();
    store.rows.set("old a", binding("old", clock.wallMs() - DAY_MS));
    store.rows.set("young a", binding("young", clock.wallMs() - DAY_MS + 1));
    await keeper.load();
    await vi.waitFor(() => expect([...store.rows.keys()]).toEqual(["young a"]));
  });

  it("tries a load again until it succeeds: later and later, and at once when the store is up", async () => {
    const { clock, store, bindings, keeper, binding, hold, settled } = start();
    store.rows.set("old a", binding("old"));
    store.up = false;
    await keeper.load();
    expect([keeper.loaded, clock.waiting]).toEqual([false, 1]);
    hold("provisional");
    clock.advance(1_000);
    await vi.waitFor(() => expect(clock.waiting).toBe(1));
    clock.advance(1_999); // the second wait is twice as long
    expect(clock.waiting).toBe(1);
    store.up = true;
    keeper.storeIsUp();
    await settled();
    expect(bindings.restored.map(({ nasIdentifier }) => nasIdentifier)).toEqual(["old"]);
    expect([...store.rows.keys()]).toEqual(["old a", "provisional a"]);
  });

  it("does not take back from the store what changed before it was loaded", async () => {
    const { store, bindings, keeper, binding, settled } = start();
    store.rows.set("released a", binding("released"));
    keeper.changed("released", "a", "changed");
    await keeper.load();
    expect(bindings.restored).toEqual([]);
    await settled();
    await vi.waitFor(() => expect(store.rows.size).toBe(0));
  });

  it("while the store is down it keeps what changed, and writes it when the store is back", async () => {
    const { clock, store, keeper, hold, settled } = start();
    await keeper.load();
    store.up = false;
    hold("one");
    await vi.waitFor(() => expect(clock.waiting).toBe(2)); // the refresh, and another try
    hold("two");
    expect(keeper.waiting).toBe(2);
    store.up = true;
    clock.advance(1_000);
    await settled();
    await vi.waitFor(() => expect([...store.rows.keys()].sort()).toEqual(["one a", "two a"]));
  });

  it("invariant 9: 100,000 changes wait at most; what is not noted is made up for, and reported", async () => {
    const { clock, store, keeper, hold, reports, settled } = start();
    await keeper.load();
    store.up = false;
    hold("first");
    await vi.waitFor(() => expect(clock.waiting).toBe(2));
    for (let n = 0; n < 100_010; n++) hold(`n${n}`);
    expect(keeper.waiting).toBe(100_000);
    store.up = true;
    keeper.storeIsUp();
    await settled();
    await vi.waitFor(() => expect(store.rows.size).toBe(100_011), { timeout: 15_000 });
    expect(reports.at(-1)).toEqual({ unwritten: 11 });
  });

  it("writes the time of peers that have a link anew, every eighth of the lapse and at least hourly", async () => {
    const { clock, store, bindings, keeper, binding, hold, settled } = start();
    await keeper.load();
    hold("edge-1");
    await settled();
    clock.advance(HOUR_MS - 1);
    bindings.held.set("edge-1 a", binding("edge-1"));
    const before = store.rows.get("edge-1 a")?.seenAtMs ?? 0;
    clock.advance(1);
    await vi.waitFor(() => expect(store.rows.get("edge-1 a")?.seenAtMs).toBe(before + HOUR_MS - 1));
    keeper.apply(600_000);
    clock.advance(HOUR_MS); // the wait that was under way
    const calls = store.calls.length;
    clock.advance(75_000);
    await vi.waitFor(() => expect(store.calls.length).toBeGreaterThan(calls));
  });

  it("stop() writes what waits, and leaves no timer", async () => {
    const { clock, store, keeper, hold } = start();
    await keeper.load();
    hold("last");
    await keeper.stop(1_000);
    expect([...store.rows.keys()]).toEqual(["last a"]);
    expect(clock.waiting).toBe(0);
  });

  it("stop() does not wait for ever for a store that hangs, and reports what it leaves", async () => {
    const { clock, store, keeper, hold, reports } = start();
    await keeper.load();
    store.gate = new Promise(() => undefined);
    for (let n = 0; n < 300; n++) hold(`n${n}`);
    const stopped = keeper.stop(1_000);
    await vi.waitFor(() => expect(keeper.waiting).toBe(44)); // the others are on their way
    clock.advance(1_000);
    await stopped;
    expect(reports.at(-1)).toEqual({ unwritten: 44 });
  });

  it("stop() writes nothing where nothing was loaded: it might take the place of what is there", async () => {
    const { store, keeper, hold, reports } = start();
    store.up = false;
    await keeper.load();
    hold("provisional");
    store.up = true;
    await keeper.stop(1_000);
    expect(store.rows.size).toBe(0);
    expect(reports).toEqual([{ unwritten: 1 }]);
  });

  it("stop() tries once where the store is down", async () => {
    const { clock, store, keeper, hold, reports } = start();
    await keeper.load();
    store.up = false;
    hold("lost");
    await keeper.stop(1_000);
    expect(reports.at(-1)).toEqual({ unwritten: 1 });
    expect(clock.waiting).toBe(0);
  });
});
