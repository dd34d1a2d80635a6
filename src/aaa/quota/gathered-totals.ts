import type { UsageQuestion, UsageStore, UsageTotal } from "../../store/types.ts";

interface Asked {
  readonly question: UsageQuestion;
  readonly resolve: (total: UsageTotal) => void;
  readonly reject: (error: unknown) => void;
}

/** Questions of one call: together with their period keys they stay a small message. */
const QUESTIONS_MAX = 256;

/** Asks the store for the usage of many users at once: what one turn of the event loop wants to know is one call. */
export class GatheredTotals {
  readonly #usage: Pick<UsageStore, "totals">;
  #asked: Asked[] = [];

  constructor(usage: Pick<UsageStore, "totals">) {
    this.#usage = usage;
  }

  /** @throws {HubError} ERR_STORE (as a rejection) */
  of(question: UsageQuestion): Promise<UsageTotal> {
    const { promise, resolve, reject } = Promise.withResolvers<UsageTotal>();
    this.#asked.push({ question, resolve, reject });
    if (this.#asked.length === 1) setImmediate(() => this.#ask());
    return promise;
  }

  #ask(): void {
    const asked = this.#asked;
    this.#asked = [];
    for (let first = 0; first < asked.length; first += QUESTIONS_MAX) {
      void this.#part(asked.slice(first, first + QUESTIONS_MAX));
    }
  }

  async #part(asked: readonly Asked[]): Promise<void> {
    try {
      const totals = await this.#usage.totals(asked.map(({ question }) => question));
      for (const [index, { resolve }] of asked.entries()) resolve(totals[index] as UsageTotal);
    } catch (error) {
      for (const { reject } of asked) reject(error);
    }
  }
}
