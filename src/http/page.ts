import { refusal } from "./problem.ts";

const PAGE_SIZE_DEFAULT = 100;
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
  const keyed: { key: string; item: T }[] = [];
  for (const item of items) {
    const key = keyOf(item);
    if (after === undefined || key > after) keyed.push({ key, item });
  }
  keyed.sort((left, right) => (left.key < right.key ? -1 : 1));
  const size = limit ?? PAGE_SIZE_DEFAULT;
  const last = keyed.length > size ? keyed[size - 1] : undefined;
  return {
    items: keyed.slice(0, size).map(({ item }) => item),
    next: last === undefined ? null : Buffer.from(last.key).toString("base64url"),
  };
}

function decodeCursor(cursor: string): string {
  const octets = Buffer.from(cursor, "base64url");
  if (octets.length > 0 && octets.toString("base64url") === cursor) return octets.toString();
  throw refusal("bad-input", "cursor: not one that this API gave", {
    errors: [{ field: "cursor", detail: "not one that this API gave" }],
  });
}
