/** Which outstanding request a reply belongs to. RADIUS uses the 8-bit Identifier; RADIUS/1.1 will use a 32-bit Token. */
export interface Correlation<T> {
  /** How many requests can be outstanding. */
  readonly capacity: number;
  readonly size: number;
  /** A number for the request, or undefined when all are in use. */
  allocate(entry: T): number | undefined;
  /** The number that allocate() never gives out, for the watchdog (WD-01); undefined while it is in use. */
  allocateReserved(entry: T): number | undefined;
  match(number: number): T | undefined;
  release(number: number): void;
  /** What is outstanding now. */
  entries(): readonly T[];
}

/** 0 is kept for Status-Server (RFC 6613 Section 2.6.5), or a full link could not even be probed. */
const RESERVED = 0;
const FIRST = 1;
const CAPACITY = 255;

/** Identifiers 1..255 of one direction of one link (CON-13, CON-14).
 *  (1) An Identifier is not reused before release(). (2) The least recently used goes first (RFC 5080 Section 2.2.2), so that a
 *  late reply meets a fresh request as seldom as possible. */
export class IdentifierSpace<T> implements Correlation<T> {
  readonly capacity = CAPACITY;
  // By number, and no Map: each time a Map is rebuilt, which deleting makes it be, the old table goes on holding the requests of
  // then until the next major collection, and so would hold nearly all of them.
  #used: (T | undefined)[] | undefined;
  // A ring of free Identifiers, made when the first request goes out: most links never carry one.
  #ring: Uint8Array | undefined;
  #head = 0;
  #free = CAPACITY;
  #inUse = 0;

  get size(): number {
    return this.#inUse;
  }

  allocate(entry: T): number | undefined {
    if (this.#free === 0) return undefined;
    this.#ring ??= Uint8Array.from({ length: CAPACITY }, (_, index) => FIRST + index);
    const identifier = this.#ring[this.#head] as number;
    this.#head = (this.#head + 1) % CAPACITY;
    this.#free -= 1;
    this.#take(identifier, entry);
    return identifier;
  }

  allocateReserved(entry: T): number | undefined {
    if (this.match(RESERVED) !== undefined) return undefined;
    this.#take(RESERVED, entry);
    return RESERVED;
  }

  match(identifier: number): T | undefined {
    return this.#used?.[identifier];
  }

  release(identifier: number): void {
    if (this.#used?.[identifier] === undefined) return;
    this.#used[identifier] = undefined;
    this.#inUse -= 1;
    if (identifier === RESERVED || this.#ring === undefined) return;
    this.#ring[(this.#head + this.#free) % CAPACITY] = identifier;
    this.#free += 1;
  }

  entries(): T[] {
    return this.#used?.filter((entry) => entry !== undefined) ?? [];
  }

  #take(identifier: number, entry: T): void {
    this.#used ??= Array.from({ length: RESERVED + 1 + CAPACITY }, () => undefined);
    this.#used[identifier] = entry;
    this.#inUse += 1;
  }
}
