import { type Clock, withinGrace } from "../clock.ts";
import type { KeptBinding } from "../registry/types.ts";
import type { BindingRemoval, BindingStore } from "./binding-types.ts";
import { PAGE_ITEMS_MAX } from "./types.ts";

/** The bindings in memory, which count. */
export interface LiveBindings {
  keptBinding(nasIdentifier: string, peerKey: string): KeptBinding | undefined;
  presentBindings(): Iterator<readonly [nasIdentifier: string, peerKey: string]>;
  /** @returns how many of them are bound now */
  restoreBindings(kept: readonly KeptBinding[]): number;
}

export interface BindingKeeperDeps {
  readonly clock: Clock;
  readonly bindings: LiveBindings;
  readonly store: BindingStore;
  /** Told once what was loaded, and each time that something goes unwritten. */
  readonly report: (what: KeeperReport) => void;
}

export type KeeperReport = { readonly loaded: number; readonly restored: number } | { readonly unwritten: number };

interface Change {
  readonly nasIdentifier: string;
  readonly peerKey: string;
  readonly lapsed: boolean;
}

/** Changes that wait for the store. Of one more nothing is noted; all bindings with a link are written anew then, and one that was
 *  removed meanwhile comes back with the next start, until it lapses. */
const WAITING_MAX = 100_000;
/** Of one call to the store. */
const BATCH_MAX = 256;
const RETRY_MS = { first: 1_000, greatest: 60_000 };
/** How far the kept time of a peer's last link may lag: an eighth of the lapse, within these bounds. */
const REFRESH_MS = { least: 60_000, greatest: 3_600_000 };

/** Keeps bindings where they outlive the process, behind the back of the links: nobody waits for it but start() and stop().
 *
 *  new --load()--> loaded --stop()--> stopped; a load that the store refuses is tried again until it succeeds.
 *  (1) The registry counts, the store follows: what is written is what the registry says when it is written.
 *  (2) Nothing is written before all is loaded, so that a binding of now never takes the place of one of before unseen.
 *  (3) Of a peer that has a link the time is written anew every `refreshMs`: a crash shortens the lapse by no more than that.
 *  (4) A lapse removes only what no other hub on the store has seen since. */
export class BindingKeeper {
  readonly #deps: BindingKeeperDeps;
  #lapseMs: number;
  /** By name and peer; the latest change of each, since the state is read when it is written. */
  readonly #waiting = new Map<string, Change>();
  #unnoted = 0;
  #refresh: Iterator<readonly [string, string]> | undefined;
  #loaded = false;
  #stopped = false;
  #failures = 0;
  #working: Promise<void> | undefined;
  #cancelRetry: (() => void) | undefined;
  #cancelRefresh: (() => void) | undefined;

  constructor(deps: BindingKeeperDeps, lapseMs: number) {
    this.#deps = deps;
    this.#lapseMs = lapseMs;
  }

  /** Changes that wait for the store. */
  get waiting(): number {
    return this.#waiting.size;
  }

  get loaded(): boolean {
    return this.#loaded;
  }

  /** Resolves when the bindings of earlier are loaded, or when the first attempt has failed: then it goes on by itself. */
  async load(): Promise<void> {
    this.#work();
    await this.#working;
  }

  /** Notes that a binding is new, changed or gone. */
  changed(nasIdentifier: string, peerKey: string, change: "changed" | "lapsed"): void {
    const key = `${nasIdentifier}\u0000${peerKey}`;
    if (this.#waiting.size >= WAITING_MAX && !this.#waiting.has(key)) {
      this.#unnoted += 1;
      return;
    }
    this.#waiting.set(key, { nasIdentifier, peerKey, lapsed: change === "lapsed" });
    this.#work();
  }

  /** The store is up: what waits for it need not wait longer. */
  storeIsUp(): void {
    if (this.#cancelRetry === undefined) return;
    this.#cancelRetry();
    this.#cancelRetry = undefined;
    this.#work();
  }

  apply(lapseMs: number): void {
    this.#lapseMs = lapseMs;
  }

  /** Writes what waits, for at most `graceMs`; what is left then is as old as the latest refresh. */
  async stop(graceMs: number): Promise<void> {
    this.#stopped = true;
    this.#refresh = undefined;
    this.#cancelRefresh?.();
    this.#cancelRetry?.();
    this.#cancelRetry = undefined;
    this.#work();
    if (this.#working !== undefined) await withinGrace(this.#working, graceMs, this.#deps.clock);
    if (this.#waiting.size > 0) this.#deps.report({ unwritten: this.#waiting.size });
    this.#waiting.clear();
  }

  #work(): void {
    if (this.#working !== undefined || this.#cancelRetry !== undefined) return;
    this.#working = this.#run().finally(() => {
      this.#working = undefined;
      if (this.#loaded && !this.#stopped && this.#waiting.size > 0) this.#work(); // it came in the last moment
    });
  }

  async #run(): Promise<void> {
    // What the same turn of the event loop brings goes along.
    await new Promise((resolve) => setImmediate(resolve));
    try {
      if (!this.#loaded && !this.#stopped) await this.#load();
      do {
        for (let batch = this.#batch(); batch.length > 0; batch = this.#batch()) await this.#write(batch);
      } while (this.#catchUp());
      this.#failures = 0;
    } catch {
      // ERR_STORE: the store says itself that it is down.
      this.#retryLater();
    }
  }

  async #load(): Promise<void> {
    const kept: KeptBinding[] = [];
    let after: string | undefined;
    do {
      const page = await this.#deps.store.list({ limit: PAGE_ITEMS_MAX, after });
      kept.push(...page.items);
      after = page.next;
    } while (after !== undefined);
    // A release of before the load counts, too.
    const wanted = kept.filter(({ nasIdentifier, peerKey }) => !this.#waiting.has(`${nasIdentifier}\u0000${peerKey}`));
    const restored = this.#deps.bindings.restoreBindings(wanted);
    this.#loaded = true;
    const lapsedAtMs = this.#deps.clock.wallMs() - this.#lapseMs;
    for (const { nasIdentifier, peerKey, seenAtMs } of kept) {
      if (seenAtMs <= lapsedAtMs) this.changed(nasIdentifier, peerKey, "lapsed");
    }
    this.#deps.report({ loaded: kept.length, restored });
    this.#refreshLater();
  }

  /** What to write next: changes first, then what the refresh has not come to. Without either, empty. */
  #batch(): Change[] {
    const batch: Change[] = [];
    if (!this.#loaded) return batch;
    for (const [key, change] of this.#waiting) {
      if (batch.length >= BATCH_MAX) return batch;
      this.#waiting.delete(key);
      batch.push(change);
    }
    while (this.#refresh !== undefined && batch.length < BATCH_MAX) {
      const { done, value } = this.#refresh.next();
      if (done === true) this.#refresh = undefined;
      else batch.push({ nasIdentifier: value[0], peerKey: value[1], lapsed: false });
    }
    return batch;
  }

  async #write(batch: readonly Change[]): Promise<void> {
    const puts: KeptBinding[] = [];
    const removals: BindingRemoval[] = [];
    const lapsedAtMs = this.#deps.clock.wallMs() - this.#lapseMs;
    for (const { nasIdentifier, peerKey, lapsed } of batch) {
      const kept = this.#deps.bindings.keptBinding(nasIdentifier, peerKey);
      if (kept !== undefined) puts.push(kept);
      else removals.push({ nasIdentifier, peerKey, seenUntilMs: lapsed ? lapsedAtMs : undefined });
    }
    try {
      if (puts.length > 0) await this.#deps.store.put(puts);
      if (removals.length > 0) await this.#deps.store.remove(removals);
    } catch (error) {
      for (const { nasIdentifier, peerKey, lapsed } of batch) {
        const key = `${nasIdentifier}\u0000${peerKey}`;
        if (!this.#waiting.has(key)) this.#waiting.set(key, { nasIdentifier, peerKey, lapsed });
      }
      throw error;
    }
  }

  #retryLater(): void {
    if (this.#stopped) return;
    const delayMs = Math.min(RETRY_MS.first * 2 ** this.#failures, RETRY_MS.greatest);
    this.#failures += 1;
    this.#cancelRetry = this.#deps.clock.after(delayMs, () => {
      this.#cancelRetry = undefined;
      this.#work();
    });
  }

  /** @returns whether there is more to write, because not all changes could be noted */
  #catchUp(): boolean {
    if (this.#unnoted === 0) return false;
    this.#deps.report({ unwritten: this.#unnoted });
    this.#unnoted = 0;
    this.#refresh = this.#deps.bindings.presentBindings();
    return true;
  }

  #refreshLater(): void {
    if (this.#stopped) return;
    const delayMs = Math.min(Math.max(this.#lapseMs / 8, REFRESH_MS.least), REFRESH_MS.greatest);
    this.#cancelRefresh = this.#deps.clock.after(delayMs, () => {
      this.#refresh = this.#deps.bindings.presentBindings();
      this.#work();
      this.#refreshLater();
    });
  }
}
