import type { Random } from "../clock.ts";

/** RADIUS/TLS draft (radiusdtls-bis), "Connecting": never under half a second; the cap is our choice. */
const BACK_OFF_FLOOR_MS = 500;
export const BACK_OFF_CAP_MS = 60_000;

/** Delays before each attempt to connect again (WD-07): doubling, with the upper half of each step random, so that a
 *  thousand routers that lost the hub at once do not come back at once. */
export class BackOff {
  readonly #random: Random;
  readonly #floorMs: number;
  readonly #capMs: number;
  #failures = 0;

  constructor(random: Random, options: { readonly floorMs?: number; readonly capMs?: number } = {}) {
    this.#random = random;
    this.#floorMs = Math.max(BACK_OFF_FLOOR_MS, options.floorMs ?? BACK_OFF_FLOOR_MS);
    this.#capMs = Math.max(this.#floorMs, options.capMs ?? BACK_OFF_CAP_MS);
  }

  /** Counts a failure. @returns milliseconds to wait, floor <= delay <= cap */
  next(): number {
    const stepMs = Math.min(this.#capMs, this.#floorMs * 2 ** (this.#failures + 1));
    // Beyond 2^30 the cap has long been reached, and the power must not overflow.
    this.#failures = Math.min(this.#failures + 1, 30);
    return Math.max(this.#floorMs, stepMs * (0.5 + this.#random.fraction() / 2));
  }

  /** The hub has sent a valid packet: only that makes a connection a success (WD-07). */
  reset(): void {
    this.#failures = 0;
  }
}
