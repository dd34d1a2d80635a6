interface Waiting {
  readonly begin: () => void;
}

/** Asynchronous work, so much at once and so much waiting. "soon" goes before "later", and never waits behind more than what runs. */
export class WorkQueue {
  readonly #soon: Waiting[] = [];
  readonly #later: Waiting[] = [];
  #atOnce: number;
  #waitingMax: number;
  #running = 0;
  #refused = 0;

  constructor(atOnce: number, waitingMax: number) {
    this.#atOnce = atOnce;
    this.#waitingMax = waitingMax;
  }

  get running(): number {
    return this.#running;
  }

  get waiting(): number {
    return this.#soon.length + this.#later.length;
  }

  /** Work refused because too much waited, since the start. */
  get refused(): number {
    return this.#refused;
  }

  apply(atOnce: number, waitingMax: number): void {
    this.#atOnce = atOnce;
    this.#waitingMax = waitingMax;
    this.#next();
  }

  /** @returns undefined when too much of that kind waits already */
  add<Result>(work: () => Promise<Result>, when: "soon" | "later"): Promise<Result> | undefined {
    const queue = when === "soon" ? this.#soon : this.#later;
    if (queue.length >= this.#waitingMax) {
      this.#refused += 1;
      return undefined;
    }
    const { promise, resolve, reject } = Promise.withResolvers<Result>();
    const end = (): void => {
      this.#running -= 1;
      this.#next();
    };
    queue.push({ begin: () => void work().then(resolve, reject).finally(end) });
    this.#next();
    return promise;
  }

  #next(): void {
    while (this.#running < this.#atOnce) {
      const waiting = this.#soon.shift() ?? this.#later.shift();
      if (waiting === undefined) return;
      this.#running += 1;
      waiting.begin();
    }
  }
}
