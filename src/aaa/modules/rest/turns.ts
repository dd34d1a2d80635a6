import type { Patience } from "./patience.ts";

/** "now" and "later" have a turn, which ends with done(). "full": too many wait. "gone": whoever waited does so no longer. */
export type Turn = "now" | "later" | "full" | "gone";

/** So much at once, and so much waiting in order. */
export class Turns {
  readonly #atOnce: number;
  readonly #waitingMax: number;
  /** In the order in which they came. */
  readonly #waiting: (() => void)[] = [];
  #running = 0;

  constructor(atOnce: number, waitingMax: number) {
    this.#atOnce = atOnce;
    this.#waitingMax = waitingMax;
  }

  get running(): number {
    return this.#running;
  }

  get waiting(): number {
    return this.#waiting.length;
  }

  /** At once where nothing is to be waited for. */
  take(patience: Patience): Turn | Promise<Turn> {
    if (patience.over !== undefined) return "gone";
    if (this.#running < this.#atOnce) {
      this.#running += 1;
      return "now";
    }
    if (this.#waiting.length >= this.#waitingMax) return "full";
    return new Promise((resolve) => {
      const begin = (): void => {
        patience.whenOver(undefined);
        resolve("later");
      };
      patience.whenOver(() => {
        this.#waiting.splice(this.#waiting.indexOf(begin), 1);
        resolve("gone");
      });
      this.#waiting.push(begin);
    });
  }

  /** A turn is over: the next one begins. */
  done(): void {
    const next = this.#waiting.shift();
    if (next === undefined) this.#running -= 1;
    else next();
  }
}
