import type { Page } from "./types.ts";

/** A page of a list that was asked for one item more than the page holds. */
export function pageOf<Item>(found: readonly Item[], limit: number, markOf: (last: Item) => string): Page<Item> {
  const items = found.slice(0, limit);
  const last = items.at(-1);
  return { items, next: found.length > limit && last !== undefined ? markOf(last) : undefined };
}
