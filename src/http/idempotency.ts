import { LRUCache } from "lru-cache";
import type { Clock } from "../clock.ts";
import { refusal } from "./problem.ts";

/** An answer as it can be given again. */
export interface Answer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
  /** Whether a NAS may have seen the request: only then would doing it again be wrong. */
  readonly final: boolean;
}

export interface KeyedRequest {
  /** Caller and key: the keys of two callers never meet. */
  readonly key: string;
  /** Digest of all that the caller asked for. */
  readonly fingerprint: string;
}

interface Kept {
  readonly fingerprint: string;
  readonly answer: Answer;
}

interface Running {
  readonly fingerprint: string;
  readonly answer: Promise<Answer>;
}

/** Our choice: longer than any sensible retry, short enough to forget. */
const KEPT_MS = 600_000;
const KEPT_MAX = 10_000;

/** Idempotency-Key: the same request again gets the answer of the first one, also while that one still runs.
 *  An answer that is not final (busy, no-route, a refusal) is forgotten, so that trying again does try again.
 *  At 10,000 answers the least recently used is forgotten; those that run are as many as connections at the most. */
export class IdempotentAnswers {
  readonly #kept: LRUCache<string, Kept>;
  readonly #running = new Map<string, Running>();

  constructor(clock: Clock) {
    // lru-cache takes an entry from time 0 for one that never ends.
    const perf = { now: () => clock.now() + 1 };
    this.#kept = new LRUCache({ max: KEPT_MAX, ttl: KEPT_MS, ttlResolution: 0, perf });
  }

  /** @throws {HubError} ERR_INPUT: idempotency-conflict when the key stands for another request */
  async answer(
    { key, fingerprint }: KeyedRequest,
    run: () => Promise<Answer>,
  ): Promise<Answer & { replayed: boolean }> {
    const earlier = this.#running.get(key) ?? this.#kept.get(key);
    if (earlier !== undefined) {
      if (earlier.fingerprint !== fingerprint) {
        throw refusal("idempotency-conflict", "this Idempotency-Key came with another request before");
      }
      return { ...(await earlier.answer), replayed: true };
    }
    const answer = run();
    this.#running.set(key, { fingerprint, answer });
    try {
      const settled = await answer;
      if (settled.final) this.#kept.set(key, { fingerprint, answer: settled });
      return { ...settled, replayed: false };
    } finally {
      this.#running.delete(key);
    }
  }
}
