import type { Clock } from "../clock.ts";
import { undisturbed } from "./undisturbed.ts";

/** Handle of one scheduled action. */
export interface Timer {
  cancel(): void;
}

/** The actions of one slot, in the order in which they were scheduled. A list of our own, because a Set that is added to and
 *  deleted from makes garbage that outlives minor collections, and what it held with it. */
class Slot {
  first: Entry | undefined;
  #last: Entry | undefined;

  add(entry: Entry): void {
    entry.slot = this;
    entry.before = this.#last;
    if (this.#last === undefined) this.first = entry;
    else this.#last.after = entry;
    this.#last = entry;
  }

  remove(entry: Entry): void {
    if (entry.before === undefined) this.first = entry.after;
    else entry.before.after = entry.after;
    if (entry.after === undefined) this.#last = entry.before;
    else entry.after.before = entry.before;
    entry.slot = undefined;
    entry.before = undefined;
    entry.after = undefined;
  }

  clear(): void {
    for (let entry = this.first; entry !== undefined; entry = this.first) this.remove(entry);
  }
}

class Entry implements Timer {
  readonly tick: number;
  readonly action: () => void;
  readonly #removed: () => void;
  /** Undefined once it has run or was cancelled. */
  slot: Slot | undefined;
  before: Entry | undefined;
  after: Entry | undefined;

  constructor(tick: number, action: () => void, removed: () => void) {
    this.tick = tick;
    this.action = action;
    this.#removed = removed;
  }

  cancel(): void {
    if (this.slot === undefined) return;
    this.slot.remove(this);
    this.#removed();
  }
}

const SLOTS = 1024;

/** One timer for every deadline of the hub: scheduling and cancelling are O(1) and cost no timer of the event loop.
 *
 *  (1) An action runs at most once, at or up to one tick after its time, never before it.
 *  (2) While nothing is scheduled no timer runs; a distant action wakes the process once a round of the wheel, not each tick.
 *  (3) An action that throws stops no other: the error reaches the process as an uncaught one after the tick. */
export class TimingWheel {
  readonly #clock: Clock;
  readonly #tickMs: number;
  readonly #slots: readonly Slot[] = Array.from({ length: SLOTS }, () => new Slot());
  readonly #removed = (): void => {
    this.#size -= 1;
  };
  #size = 0;
  /** The last tick whose actions have run. */
  #tick: number;
  /** The tick that the timer waits for. */
  #armedTick = Number.POSITIVE_INFINITY;
  #disarm: (() => void) | undefined;

  constructor(clock: Clock, options: { readonly tickMs?: number } = {}) {
    this.#clock = clock;
    this.#tickMs = options.tickMs ?? 20;
    this.#tick = this.#currentTick();
  }

  /** Actions that are waiting. */
  get size(): number {
    return this.#size;
  }

  /** Runs `action` once Clock.now() has reached `atMs`. */
  schedule(atMs: number, action: () => void): Timer {
    if (this.#size === 0) this.#tick = this.#currentTick();
    const tick = Math.max(Math.ceil(atMs / this.#tickMs), this.#tick + 1);
    const entry = new Entry(tick, action, this.#removed);
    this.#slot(tick).add(entry);
    this.#size += 1;
    this.#arm(Math.min(tick, this.#tick + SLOTS));
    return entry;
  }

  /** Forgets every action. */
  stop(): void {
    for (const slot of this.#slots) slot.clear();
    this.#size = 0;
    this.#disarm?.();
    this.#disarm = undefined;
    this.#armedTick = Number.POSITIVE_INFINITY;
  }

  #slot(tick: number): Slot {
    return this.#slots[tick % SLOTS] as Slot;
  }

  #currentTick(): number {
    return Math.floor(this.#clock.now() / this.#tickMs);
  }

  #arm(tick: number): void {
    if (tick >= this.#armedTick) return;
    this.#disarm?.();
    this.#armedTick = tick;
    this.#disarm = this.#clock.after(Math.max(0, tick * this.#tickMs - this.#clock.now()), this.#turn);
  }

  /** Waits for the next slot that holds anything, be it for a later round. */
  #armNext(): void {
    if (this.#size === 0) return;
    for (let tick = this.#tick + 1; tick < this.#armedTick; tick += 1) {
      if (this.#slot(tick).first !== undefined) return this.#arm(tick);
    }
  }

  readonly #turn = (): void => {
    this.#disarm = undefined;
    this.#armedTick = Number.POSITIVE_INFINITY;
    const now = this.#currentTick();
    // After a long pause of the process each slot is visited once: it holds every later round as well.
    const from = Math.max(this.#tick + 1, now - SLOTS + 1);
    this.#tick = now;
    const due: Entry[] = [];
    for (let tick = from; tick <= now; tick += 1) {
      for (let entry = this.#slot(tick).first; entry !== undefined; entry = entry.after) {
        if (entry.tick <= now) due.push(entry);
      }
    }
    if (due.length > 1) due.sort((a, b) => a.tick - b.tick);
    try {
      for (const entry of due) this.#run(entry);
    } finally {
      this.#armNext();
    }
  };

  #run(entry: Entry): void {
    if (entry.slot === undefined) return; // cancelled by an action of this turn
    entry.cancel();
    undisturbed(entry.action);
  }
}
