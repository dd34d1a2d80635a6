interface Waiting {
  readonly begin: () => void;
}

/** Places for "later", however few those of "soon" are: an import adds so many at a time. */
const LATER_MIN = 256;

/** Asynchronous work, so much at once and so much waiting. "soon" goes before "later", and never waits behind more than what runs.
 *  What waits "soon" waits by source, one of each after the other, and one source gets half of the places at the most: who has much
 *  to do holds nobody else up. */
export class WorkQueue {
  /** By source, in the order of their turns; never an empty one. */
  readonly #soon = new Map<string, Waiting[]>();
  readonly #later: Waiting[] = [];
  #atOnce: number;
  #waitingMax: number;
  #running = 0;
  #soonWaiting = 0;
  #refused = 0;

  constructor(atOnce: number, waitingMax: number) {
    this.#atOnce = atOnce;
    this.#waitingMax = waitingMax;
  }

  get running(): number {
    return this.#running;
  }

  get waiting(): number {
    return this.#soonWaiting + this.#later.length;
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

  /** Work that somebody waits for. @returns undefined when too much waits already, of that source or of all */
  soon<Result>(source: string, work: () => Promise<Result>): Promise<Result> | undefined {
    const own = this.#soon.get(source) ?? [];
    if (this.#soonWaiting >= this.#waitingMax || own.length >= Math.ceil(this.#waitingMax / 2)) return this.#refuse();
    if (own.length === 0) this.#soon.set(source, own);
    this.#soonWaiting += 1;
    return this.#queued(own, work);
  }

  /** Work that can wait. @returns undefined when too much of it waits already */
  later<Result>(work: () => Promise<Result>): Promise<Result> | undefined {
    if (this.#later.length >= Math.max(LATER_MIN, this.#waitingMax)) return this.#refuse();
    return this.#queued(this.#later, work);
  }

  #refuse(): undefined {
    this.#refused += 1;
  }

  #queued<Result>(queue: Waiting[], work: () => Promise<Result>): Promise<Result> {
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
      const waiting = this.#nextSoon() ?? this.#later.shift();
      if (waiting === undefined) return;
      this.#running += 1;
      waiting.begin();
    }
  }

  #nextSoon(): Waiting | undefined {
    const [first] = this.#soon;
    if (first === undefined) return undefined;
    const [source, own] = first;
    const waiting = own.shift();
    this.#soonWaiting -= 1;
    // Its next turn comes after those of the others.
    this.#soon.delete(source);
    if (own.length > 0) this.#soon.set(source, own);
    return waiting;
  }
}
