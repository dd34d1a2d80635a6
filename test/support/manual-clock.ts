import type { Clock } from "../../src/clock.ts";

/** A clock that stands still until a test advances it. */
export class ManualClock implements Clock {
  #now = 0;
  #startedAtMs: number;
  #timers: { at: number; action: () => void }[] = [];

  constructor(startedAtMs = 1_700_000_000_000) {
    this.#startedAtMs = startedAtMs;
  }

  now(): number {
    return this.#now;
  }

  wallMs(): number {
    return this.#startedAtMs + this.#now;
  }

  after(delayMs: number, action: () => void): () => void {
    const timer = { at: this.#now + delayMs, action };
    this.#timers.push(timer);
    return () => {
      this.#timers = this.#timers.filter((each) => each !== timer);
    };
  }

  /** Timers that have not run. */
  get waiting(): number {
    return this.#timers.length;
  }

  /** Lets time pass in one go, as when the event loop stands still: timers that came due meanwhile run late. */
  stall(ms: number): void {
    this.#now += ms;
    this.advance(0);
  }

  /** Lets time pass; timers run in order, each at its own time. */
  advance(ms: number): void {
    const end = this.#now + ms;
    for (;;) {
      let next: { at: number; action: () => void } | undefined;
      for (const timer of this.#timers) if (timer.at <= end && (next === undefined || timer.at < next.at)) next = timer;
      if (next === undefined) break;
      const run = next;
      this.#timers = this.#timers.filter((each) => each !== run);
      this.#now = Math.max(this.#now, run.at);
      run.action();
    }
    this.#now = end;
  }
}
