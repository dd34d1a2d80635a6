/** Why an answer is waited for no longer: its time is over, or whoever asked has gone. */
export type Impatience = "timeout" | "gone";

/** How long an answer is waited for. An AbortSignal would do, at several times the price; there is one of these a question. */
export class Patience {
  #over: Impatience | undefined;
  #told: ((why: Impatience) => void) | undefined;

  /** Undefined while somebody waits. */
  get over(): Impatience | undefined {
    return this.#over;
  }

  /** Only the first end counts. */
  end(why: Impatience): void {
    if (this.#over !== undefined) return;
    this.#over = why;
    this.#told?.(why);
  }

  /** Whom to tell of the end, instead of whoever was named before. It must not be over. @param told undefined: nobody */
  whenOver(told: ((why: Impatience) => void) | undefined): void {
    this.#told = told;
  }
}
