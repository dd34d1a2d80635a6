import { refusal } from "./problem.ts";

export const PAGE_SIZE_DEFAULT = 100;
export const PAGE_SIZE_MAX = 1_000;

export interface Page<T> {
  readonly items: readonly T[];
  /** What `cursor` continues with, null on the last page. */
  readonly next: string | null;
}

/** The items after the cursor, in the order of their keys. The cursor is the key of the last item seen and not a position: what
 *  comes and goes between two pages is neither shown twice nor hides its neighbour.
 *  @throws {HubError} ERR_INPUT: bad-input for a cursor this API never gave */
export function pageOf<T>(
  items: Iterable<T>,
  keyOf: (item: T) => string,
  { cursor, limit }: { readonly cursor: string | undefined; readonly limit: number | undefined },
): Page<T> {
  const after = cursor === undefined ? undefined : decodeCursor(cursor);
  const size = limit ?? PAGE_SIZE_DEFAULT;
  const first = new FirstOf<T>(size + 1);
  for (const item of items) {
    const key = keyOf(item);
    if (after === undefined || key > after) first.offer(key, item);
  }
  const keyed = first.inOrder();
  const last = keyed.length > size ? keyed[size - 1] : undefined;
  return {
    items: keyed.slice(0, size).map(({ item }) => item),
    next: last === undefined ? null : encodeCursor(last.key),
  };
}

/** The items with the `count` lowest keys. Sorting all of 200,000 bindings for each page would hold the hub up for half a second:
 *  only what may still be on the page is kept, and sorted when there is twice as much as that. */
class FirstOf<T> {
  readonly #count: number;
  readonly #kept: { readonly key: string; readonly item: T }[] = [];
  /** No key beyond this one is among the first any more. */
  #highest: string | undefined;

  constructor(count: number) {
    this.#count = count;
  }

  offer(key: string, item: T): void {
    if (this.#highest !== undefined && key > this.#highest) return;
    this.#kept.push({ key, item });
    if (this.#kept.length >= 2 * this.#count) this.#cut();
  }

  inOrder(): readonly { readonly key: string; readonly item: T }[] {
    this.#cut();
    return this.#kept;
  }

  #cut(): void {
    this.#kept.sort((left, right) => (left.key < right.key ? -1 : 1));
    this.#kept.length = Math.min(this.#kept.length, this.#count);
    this.#highest = this.#kept.at(-1)?.key;
  }
}

export function encodeCursor(key: string): string {
  return Buffer.from(key).toString("base64url");
}

/** @throws {HubError} ERR_INPUT: bad-input */
export function decodeCursor(cursor: string): string {
  const octets = Buffer.from(cursor, "base64url");
  if (octets.length > 0 && octets.toString("base64url") === cursor) return octets.toString();
  throw refusal("bad-input", "cursor: not one that this API gave", {
    errors: [{ field: "cursor", detail: "not one that this API gave" }],
  });
}
