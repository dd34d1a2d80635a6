/** How questions to an outside system ended. */
export const BACK_END_RESULTS = [
  "answered", // any status but 5xx
  "server-error", // 5xx
  "unreadable", // an answer that makes no sense
  "unreachable", // no connection, or none that TLS trusts
  "timeout",
  "reset", // the connection broke
  "too-big", // more than may be read
  "breaker-open", // not asked
  "queue-full", // not asked
  "gone", // whoever asked went away
] as const;
export type BackEndResult = (typeof BACK_END_RESULTS)[number];

/** What an instance of a module shows of the system that it asks. Counts are since it was made. */
export interface BackEndFigures {
  /** Name of the instance. */
  readonly instance: string;
  readonly results: Readonly<Record<BackEndResult, number>>;
  readonly retries: number;
  /** Of all that were answered, from the first octet to the last. */
  readonly answeredSeconds: number;
  readonly running: number;
  readonly waiting: number;
  readonly remembered: number;
  /** Answers that were not asked for because they were remembered. */
  readonly fromMemory: number;
  /** Answers from before that stood in for a system that was down. */
  readonly lastKnown: number;
  readonly breaker: "closed" | "open" | "half-open";
}

/** The outside systems that modules ask, for the metrics. */
export class BackEnds {
  readonly #shown = new Set<BackEndFigures>();

  /** @returns what ends it */
  show(figures: BackEndFigures): () => void {
    this.#shown.add(figures);
    return () => void this.#shown.delete(figures);
  }

  /** The newest of each instance: while a reload lets packets end on the old one, there are two. */
  figures(): readonly BackEndFigures[] {
    return [...new Map([...this.#shown].map((each) => [each.instance, each])).values()];
  }
}
