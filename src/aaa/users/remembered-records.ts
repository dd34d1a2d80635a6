import { LRUCache } from "lru-cache";
import type { Clock } from "../../clock.ts";
import { HubError } from "../../errors.ts";

interface Deps<Item> {
  readonly clock: Pick<Clock, "now">;
  readonly read: (key: string) => Promise<Item | undefined>;
}

interface Bounds {
  readonly max: number;
  readonly absentMax: number;
  readonly memoryMs: number;
}

interface Remembered<Item> {
  readonly item: Item;
  readonly readAt: number;
}

/** Records of the store by key, believed for a while; that there is none is remembered too. One look at the store serves all who
 *  ask for a key meanwhile. */
export class RememberedRecords<Item extends object> {
  readonly #deps: Deps<Item>;
  readonly #present: LRUCache<string, Remembered<Item>>;
  readonly #absent: LRUCache<string, number>;
  readonly #reading = new Map<string, Promise<Item | undefined>>();
  #memoryMs: number;

  constructor(deps: Deps<Item>, { max, absentMax, memoryMs }: Bounds) {
    this.#deps = deps;
    this.#present = new LRUCache({ max });
    this.#absent = new LRUCache({ max: absentMax });
    this.#memoryMs = memoryMs;
  }

  get size(): number {
    return this.#present.size;
  }

  apply(memoryMs: number): void {
    this.#memoryMs = memoryMs;
  }

  /** Without the store; undefined when it has to be asked, or there is none. */
  remembered(key: string): Item | undefined {
    const known = this.#present.get(key);
    return known !== undefined && this.#isYoung(known.readAt) ? known.item : undefined;
  }

  /** @throws {HubError} ERR_STORE when it is not remembered at all */
  async find(key: string): Promise<Item | undefined> {
    const found = this.remembered(key);
    if (found !== undefined) return found;
    const absentAt = this.#absent.get(key);
    if (absentAt !== undefined && this.#isYoung(absentAt)) return undefined;
    let reading = this.#reading.get(key);
    if (reading === undefined) {
      reading = this.#read(key);
      this.#reading.set(key, reading);
      const own = reading;
      const end = () => void (this.#reading.get(key) === own && this.#reading.delete(key));
      void reading.then(end, end);
    }
    return reading;
  }

  /** It has changed: what is remembered is wrong, and so may be what is being read. */
  forget(key: string): void {
    this.#present.delete(key);
    this.#absent.delete(key);
    this.#reading.delete(key);
  }

  async #read(key: string): Promise<Item | undefined> {
    const readAt = this.#deps.clock.now();
    // Runs up to its first await before find() has noted it.
    await Promise.resolve();
    const own = this.#reading.get(key);
    try {
      const item = await this.#deps.read(key);
      if (this.#reading.get(key) !== own) return item; // forgotten meanwhile
      if (item === undefined) {
        this.#present.delete(key);
        this.#absent.set(key, readAt);
      } else {
        this.#absent.delete(key);
        this.#present.set(key, { item, readAt });
      }
      return item;
    } catch (error) {
      const old = this.#present.get(key);
      if (old === undefined || !(error instanceof HubError) || error.code !== "ERR_STORE") throw error;
      return old.item;
    }
  }

  #isYoung(readAt: number): boolean {
    return this.#deps.clock.now() - readAt < this.#memoryMs;
  }
}
