import { BACK_END_RESULTS, type BackEndFigures, type BackEndResult } from "../../pipeline/back-ends.ts";

/** What is read of the parts at a scrape. */
export interface RestLoad {
  readonly running: number;
  readonly waiting: number;
  readonly breaker: BackEndFigures["breaker"];
  readonly remembered: number;
}

/** Counts of one instance. */
export class RestFigures implements BackEndFigures {
  readonly instance: string;
  readonly results: Record<BackEndResult, number>;
  retries = 0;
  answeredSeconds = 0;
  fromMemory = 0;
  lastKnown = 0;
  #load: () => RestLoad = () => ({ running: 0, waiting: 0, breaker: "closed", remembered: 0 });

  constructor(instance: string) {
    this.instance = instance;
    this.results = Object.fromEntries(BACK_END_RESULTS.map((each) => [each, 0])) as Record<BackEndResult, number>;
  }

  /** Where the rest of it comes from. */
  read(load: () => RestLoad): void {
    this.#load = load;
  }

  count(result: BackEndResult, tookMs = 0): void {
    this.results[result] += 1;
    this.answeredSeconds += tookMs / 1_000;
  }

  get running(): number {
    return this.#load().running;
  }

  get waiting(): number {
    return this.#load().waiting;
  }

  get breaker(): BackEndFigures["breaker"] {
    return this.#load().breaker;
  }

  get remembered(): number {
    return this.#load().remembered;
  }
}
