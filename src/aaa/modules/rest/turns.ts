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

  /** "now" and "later" have a turn, which ends with done(). "full": too many wait. "gone": the signal fired first. */
  async take(signal: AbortSignal): Promise<"now" | "later" | "full" | "gone"> {
    if (this.#running < this.#atOnce) {
      this.#running += 1;
      return "now";
    }
    if (signal.aborted) return "gone";
    if (this.#waiting.length >= this.#waitingMax) return "full";
    return new Promise((resolve) => {
      const begin = (): void => {
        signal.removeEventListener("abort", leave);
        resolve("later");
      };
      const leave = (): void => {
        this.#waiting.splice(this.#waiting.indexOf(begin), 1);
        resolve("gone");
      };
      signal.addEventListener("abort", leave, { once: true });
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
