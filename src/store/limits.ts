import { BATCH_RECORDS_MAX, PAGE_ITEMS_MAX, type PageRequest } from "./types.ts";
import { USER_BATCH_MAX } from "./user-types.ts";

/** @throws RangeError for a limit that is not 1..PAGE_ITEMS_MAX */
export function assertPage({ limit }: PageRequest): void {
  if (!Number.isInteger(limit) || limit < 1 || limit > PAGE_ITEMS_MAX) {
    throw new RangeError(`a page has 1 to ${PAGE_ITEMS_MAX} items, not ${limit}`);
  }
}

/** @throws RangeError for more than BATCH_RECORDS_MAX records */
export function assertBatch(batch: readonly unknown[]): void {
  if (batch.length > BATCH_RECORDS_MAX) {
    throw new RangeError(`a batch has at most ${BATCH_RECORDS_MAX} records, not ${batch.length}`);
  }
}

/** @throws RangeError for a list of more than USER_BATCH_MAX */
export function assertUserBatch(batch: unknown): void {
  if (Array.isArray(batch) && batch.length > USER_BATCH_MAX) {
    throw new RangeError(`a batch has at most ${USER_BATCH_MAX} users or changes, not ${batch.length}`);
  }
}

/** Keeps what callers wrote from being read as an expression, whichever store it goes to: a query holds plain values alone.
 *  @throws TypeError for anything else */
export function assertQuery(query: object): void {
  for (const [name, value] of Object.entries(query)) {
    if (value !== undefined && !["string", "number", "boolean"].includes(typeof value)) {
      throw new TypeError(`${name} of a query must be a plain value`);
    }
  }
}
