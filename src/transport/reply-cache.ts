import type { Clock } from "../clock.ts";
import type { Packet } from "../radius/packet.ts";
import type { Timer, TimingWheel } from "./timing-wheel.ts";

export interface ReplyCacheDeps {
  readonly clock: Clock;
  readonly wheel: TimingWheel;
}

export interface ReplyCacheOptions {
  /** How long a response is kept. RFC 5080 Section 2.2.2: 5..30 s; RFC 5176 Section 6.3: the Event-Timestamp window (DP-06). */
  readonly keepMs: number;
  /** Requests that are known at once. At the bound the one that was answered longest ago is forgotten. */
  readonly entriesMax: number;
}

type Words = readonly [number, number, number, number];

/** A request that was taken. */
export interface Known<Work> {
  readonly key: number;
  readonly code: number;
  /** The Authenticator as four words: kept by the thousand, and cheaper than a Buffer to make and to compare. */
  readonly authenticator: Words;
  /** What is done for it; undefined once it is answered. */
  work: Work | undefined;
  /** Set with the answer. */
  response: Buffer | undefined;
  expiresAt: number;
  older: Known<Work> | undefined;
  newer: Known<Work> | undefined;
}

/** Requests and what was answered, by a number for their source and Identifier (CON-12, UL-06, DP-06).
 *
 *  new --begin()--> in progress --answer()--> answered --keepMs, or the bound--> forgotten;   in progress --forget()--> forgotten
 *  (1) The same key with another Authenticator is a new request, never a duplicate: it takes the place of the old one
 *      (UL-08, ST-13; RFC 5080 Section 2.2.2).
 *  (2) A request in progress is never pushed out by the bound.
 *  (3) What is due is forgotten although nobody asks: a link that has gone quiet holds no responses. */
export class ReplyCache<Work> {
  readonly #clock: Clock;
  readonly #wheel: TimingWheel;
  #options: ReplyCacheOptions;
  #known: Map<number, Known<Work>> | undefined;
  // Answered ones in the order of their answers, as a list: a Map used as a queue skips what it has deleted one by one.
  #oldest: Known<Work> | undefined;
  #newest: Known<Work> | undefined;
  #pushedOut = 0;
  /** Runs when the oldest is due, or was when it was set. */
  #due: Timer | undefined;

  constructor({ clock, wheel }: ReplyCacheDeps, options: ReplyCacheOptions) {
    this.#clock = clock;
    this.#wheel = wheel;
    this.#options = options;
  }

  get size(): number {
    return this.#known?.size ?? 0;
  }

  /** Responses that were forgotten before their time because of the bound. */
  get pushedOut(): number {
    return this.#pushedOut;
  }

  /** What came under the key last, be it the same request or not, and be it due or not. */
  find(key: number): Known<Work> | undefined {
    return this.#known?.get(key);
  }

  /** Whether its time is over, so that the same octets again are a new request. */
  isDue({ response, expiresAt }: Known<Work>): boolean {
    return response !== undefined && expiresAt <= this.#clock.now();
  }

  /** Takes a request. @returns undefined when as many are in progress as the bound allows */
  begin(key: number, { code, authenticator }: Packet, work: Work): Known<Work> | undefined {
    this.#known ??= new Map();
    const replaced = this.#known.get(key);
    if (replaced !== undefined) {
      this.#unlink(replaced); // its place in the Map is taken over: deleting costs, and makes old tables that hold what is over
    } else if (this.#known.size >= this.#options.entriesMax) {
      if (this.#oldest === undefined) return undefined;
      this.#remove(this.#oldest);
      this.#pushedOut += 1;
    }
    const known: Known<Work> = {
      key,
      code,
      authenticator: wordsOf(authenticator),
      work,
      response: undefined,
      expiresAt: 0,
      older: undefined,
      newer: undefined,
    };
    this.#known.set(key, known);
    return known;
  }

  /** Whether a request has its place still, or another one came under its key, or everything was forgotten. */
  holds(known: Known<Work>): boolean {
    return this.#known?.get(known.key) === known;
  }

  answer(known: Known<Work>, response: Buffer): void {
    known.work = undefined;
    known.response = response;
    known.expiresAt = this.#clock.now() + this.#options.keepMs;
    known.older = this.#newest;
    if (this.#newest === undefined) this.#oldest = known;
    else this.#newest.newer = known;
    this.#newest = known;
    this.#watch();
  }

  /** The request got no answer: the same octets again are a new try. */
  forget(known: Known<Work>): void {
    if (this.holds(known)) this.#remove(known);
  }

  /** Responses that are kept already keep their time. */
  apply(options: ReplyCacheOptions): void {
    this.#options = options;
  }

  /** Forgets everything. @returns what was in progress */
  clear(): Work[] {
    const works: Work[] = [];
    for (const { work } of this.#known?.values() ?? []) if (work !== undefined) works.push(work);
    this.#known = undefined;
    this.#oldest = undefined;
    this.#newest = undefined;
    this.#due?.cancel();
    this.#due = undefined;
    return works;
  }

  #watch(): void {
    if (this.#due !== undefined || this.#oldest === undefined) return;
    this.#due = this.#wheel.schedule(this.#oldest.expiresAt, () => {
      this.#due = undefined;
      this.#sweep();
      this.#watch();
    });
  }

  #sweep(): void {
    const now = this.#clock.now();
    while (this.#oldest !== undefined && this.#oldest.expiresAt <= now) this.#remove(this.#oldest);
  }

  #remove(known: Known<Work>): void {
    this.#known?.delete(known.key);
    this.#unlink(known);
  }

  /** Out of the order of answers, if it is there. */
  #unlink(known: Known<Work>): void {
    if (known.response === undefined) return;
    if (known.older === undefined) this.#oldest = known.newer;
    else known.older.newer = known.newer;
    if (known.newer === undefined) this.#newest = known.older;
    else known.newer.older = known.older;
    known.older = undefined;
    known.newer = undefined;
  }
}

/** Whether a packet under the key of a known request is that request again (RFC 5080 Section 2.2.2). */
export function isSameRequest(known: Known<unknown>, { code, authenticator }: Packet): boolean {
  const [a, b, c, d] = known.authenticator;
  const octets = authenticator;
  const same = octets.readInt32LE(0) === a && octets.readInt32LE(4) === b;
  return known.code === code && same && octets.readInt32LE(8) === c && octets.readInt32LE(12) === d;
}

function wordsOf(octets: Buffer): Words {
  return [octets.readInt32LE(0), octets.readInt32LE(4), octets.readInt32LE(8), octets.readInt32LE(12)];
}
