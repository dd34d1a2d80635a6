import type { LiveRecord } from "./live-record.ts";

/** Links by one kind of key. Most keys have one link, so a set is made only for the second.
 *  (1) add, remove and sizeOf cost the same whatever the number of links. (2) A key without links is forgotten (IDX-06). */
export class LinkIndex {
  readonly #byKey = new Map<string, LiveRecord | Set<LiveRecord>>();

  get size(): number {
    return this.#byKey.size;
  }

  add(key: string, record: LiveRecord): void {
    const present = this.#byKey.get(key);
    if (present === undefined) this.#byKey.set(key, record);
    else if (present instanceof Set) present.add(record);
    else if (present !== record) this.#byKey.set(key, new Set([present, record]));
  }

  remove(key: string, record: LiveRecord): void {
    const present = this.#byKey.get(key);
    if (present instanceof Set) {
      present.delete(record);
      if (present.size === 0) this.#byKey.delete(key);
    } else if (present === record) {
      this.#byKey.delete(key);
    }
  }

  sizeOf(key: string): number {
    const present = this.#byKey.get(key);
    if (present === undefined) return 0;
    return present instanceof Set ? present.size : 1;
  }

  /** Links of a key in the order they were added, in an array of the caller's own. */
  find(key: string): LiveRecord[] {
    const present = this.#byKey.get(key);
    if (present === undefined) return [];
    return present instanceof Set ? [...present] : [present];
  }
}
