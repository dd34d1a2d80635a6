import type { Clock } from "../../../clock.ts";

export interface BreakerOptions {
  /** So many failed within the window, and at least that share of all: it opens. 0: it never does. */
  readonly failures: number;
  readonly ratio: number;
  readonly windowMs: number;
  /** How long nothing is asked then. */
  readonly openMs: number;
  /** Questions that are let through to see whether it is well again; one that fails opens it anew. */
  readonly probes: number;
}

export type BreakerState = "closed" | "open" | "half-open";

/** A question that was let through. */
export interface Ticket {
  readonly turn: number;
}

/** The window moves on by a tenth of its length. */
const SLOTS = 10;

/** Spares a back end that fails, and those who wait for it.
 *
 *  closed --end("failed") beyond the threshold--> open --openMs--> half-open --end("ok") of every probe--> closed
 *  half-open --end("failed")--> open. What was asked before a change of state says nothing about the state after it. */
export class Breaker {
  readonly #clock: Clock;
  readonly #options: BreakerOptions;
  readonly #changed: (state: BreakerState) => void;
  #state: BreakerState = "closed";
  #turn = 0;
  #openedAt = 0;
  #slots: { at: number; ok: number; failed: number }[] = [];
  #probing = 0;
  #passed = 0;

  constructor(clock: Clock, options: BreakerOptions, changed: (state: BreakerState) => void = () => undefined) {
    this.#clock = clock;
    this.#options = options;
    this.#changed = changed;
  }

  get state(): BreakerState {
    if (this.#state === "open" && this.#clock.now() - this.#openedAt >= this.#options.openMs) this.#become("half-open");
    return this.#state;
  }

  /** Whether to ask would be refused now. */
  get refuses(): boolean {
    const { state } = this;
    return state === "open" || (state === "half-open" && this.#probing >= this.#probesLeft);
  }

  /** @returns undefined when nothing may be asked now; else what end() takes, once */
  admit(): Ticket | undefined {
    if (this.refuses) return undefined;
    if (this.#state === "half-open") this.#probing += 1;
    return { turn: this.#turn };
  }

  /** How a question ended. "unknown": whoever asked went away. */
  end({ turn }: Ticket, how: "ok" | "failed" | "unknown"): void {
    if (turn !== this.#turn) return;
    if (this.#state === "half-open") return this.#probed(how);
    if (how === "unknown") return;
    const slot = this.#slot();
    if (how === "ok") slot.ok += 1;
    else slot.failed += 1;
    if (how === "failed" && this.#isBad()) this.#become("open");
  }

  get #probesLeft(): number {
    return this.#options.probes - this.#passed;
  }

  #probed(how: "ok" | "failed" | "unknown"): void {
    this.#probing -= 1;
    if (how === "failed") return this.#become("open");
    if (how === "ok") this.#passed += 1;
    if (this.#probesLeft === 0) this.#become("closed");
  }

  #slot(): { ok: number; failed: number } {
    const at = Math.floor((this.#clock.now() * SLOTS) / this.#options.windowMs);
    const last = this.#slots.at(-1);
    if (last?.at === at) return last;
    const fresh = { at, ok: 0, failed: 0 };
    this.#slots = [...this.#slots.filter((each) => each.at > at - SLOTS), fresh];
    return fresh;
  }

  #isBad(): boolean {
    const { failures, ratio } = this.#options;
    if (failures === 0) return false;
    let ok = 0;
    let failed = 0;
    for (const slot of this.#slots) {
      ok += slot.ok;
      failed += slot.failed;
    }
    return failed >= failures && failed >= ratio * (ok + failed);
  }

  #become(state: BreakerState): void {
    this.#state = state;
    this.#turn += 1;
    this.#slots = [];
    this.#probing = 0;
    this.#passed = 0;
    if (state === "open") this.#openedAt = this.#clock.now();
    this.#changed(state);
  }
}
