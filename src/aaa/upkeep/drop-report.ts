import type { Clock } from "../../clock.ts";
import type { EventFeed, WorkDropped } from "../../events.ts";

const REPORT_MS = 60_000;

/** Counts work that was given up and tells of it at most once a minute: what drops work is short of everything. */
export class DropReport {
  readonly #clock: Clock;
  readonly #events: EventFeed;
  readonly #work: WorkDropped["work"];
  #total = 0;
  #untold = 0;
  #toldAt = -Infinity;

  constructor(deps: { readonly clock: Clock; readonly events: EventFeed }, work: WorkDropped["work"]) {
    this.#clock = deps.clock;
    this.#events = deps.events;
    this.#work = work;
  }

  /** For the metric. */
  get total(): number {
    return this.#total;
  }

  count(why: string, count = 1): void {
    this.#total += count;
    this.#untold += count;
    const now = this.#clock.now();
    if (now - this.#toldAt < REPORT_MS) return;
    this.#toldAt = now;
    const told = this.#untold;
    this.#untold = 0;
    this.#events.emit({ type: "work.dropped", atMs: this.#clock.wallMs(), work: this.#work, why, count: told });
  }
}
