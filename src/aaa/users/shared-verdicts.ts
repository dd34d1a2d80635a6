import { LRUCache } from "lru-cache";
import type { Clock } from "../../clock.ts";
import type { PasswordVerdict } from "./types.ts";

/** "late": it did not come in time for who asked. */
export type AwaitedVerdict = PasswordVerdict | "late";

/** Verdicts that came when nobody waited any more; of one more, the oldest goes. Some 150 octets each. */
const UNHEARD_MAX = 10_000;
/** A router has repeated its request by then, or given up. */
const UNHEARD_MS = 30_000;

interface UnderWay {
  readonly verdict: Promise<PasswordVerdict>;
  waiting: number;
}

/** One verdict for all who ask the same question at a time, and for who asks it again after the verdict came too late: a router
 *  that repeats a login, or a user who tries again, never has it computed a second time.
 *
 *  As many questions are under way as the queue of the hashes takes; who asks one that is under way waits with a timer and nothing
 *  else. */
export class SharedVerdicts {
  readonly #clock: Pick<Clock, "now" | "after">;
  readonly #underWay = new Map<string, UnderWay>();
  readonly #unheard = new LRUCache<string, { readonly verdict: PasswordVerdict; readonly atMs: number }>({
    max: UNHEARD_MAX,
  });
  #late = 0;

  constructor(clock: Pick<Clock, "now" | "after">) {
    this.#clock = clock;
  }

  /** Askers that were sent away before their verdict, since the start. */
  get late(): number {
    return this.#late;
  }

  /** @param question says nothing of a password to who has no key
   *  @param until Clock.now() after which it is "late" @param begin starts the work; it never rejects */
  async ask(question: string, until: number, begin: () => Promise<PasswordVerdict>): Promise<AwaitedVerdict> {
    const unheard = this.#unheard.get(question);
    if (unheard !== undefined) {
      this.#unheard.delete(question);
      if (this.#clock.now() - unheard.atMs < UNHEARD_MS) return unheard.verdict;
    }
    let underWay = this.#underWay.get(question);
    if (underWay === undefined) {
      underWay = { verdict: begin(), waiting: 0 };
      this.#underWay.set(question, underWay);
      const own = underWay;
      void own.verdict.then((verdict) => {
        this.#underWay.delete(question);
        // "busy" is no verdict: the next one who asks begins anew.
        if (own.waiting === 0 && verdict !== "busy") this.#unheard.set(question, { verdict, atMs: this.#clock.now() });
      });
    }
    return this.#within(underWay, until);
  }

  #within(underWay: UnderWay, until: number): Promise<AwaitedVerdict> {
    return new Promise((resolve) => {
      underWay.waiting += 1;
      const cancel = this.#clock.after(Math.max(0, until - this.#clock.now()), () => {
        underWay.waiting -= 1;
        this.#late += 1;
        resolve("late");
      });
      void underWay.verdict.then((verdict) => {
        cancel();
        resolve(verdict);
      });
    });
  }
}
