import { LRUCache } from "lru-cache";
import type { Clock } from "../clock.ts";

/** Our choice: one line a cause in this time; the next one says how many were left out. */
const QUIET_MS = 10_000;
/** At most so many causes are told apart; beyond it the oldest may be logged again early. */
const CAUSES_MAX = 1_000;

/** Lets the first of a cause through and counts the rest, so that whoever knocks all day does not fill the log. */
export class LogGate {
  readonly #clock: Clock;
  readonly #causes = new LRUCache<string, { openAt: number; suppressed: number }>({ max: CAUSES_MAX });

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** @returns how many were left out since the last line of that cause, or undefined when this one is to be left out too */
  pass(cause: string): number | undefined {
    const now = this.#clock.now();
    const state = this.#causes.get(cause);
    if (state !== undefined && now < state.openAt) {
      state.suppressed += 1;
      return undefined;
    }
    this.#causes.set(cause, { openAt: now + QUIET_MS, suppressed: 0 });
    return state?.suppressed ?? 0;
  }
}
