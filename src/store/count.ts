import type { AccountingRecord } from "./accounting-record.ts";
import type { AcctSession } from "./acct-session.ts";
import { placeOf } from "./generation.ts";
import type { Periods } from "./periods.ts";
import { create, type Reduction, update } from "./reduce.ts";

/** What one record does to the acct session that it belongs to. */
export interface Counted extends Reduction {
  /** The acct session before; undefined if it is new. For effects "duplicate" and "ignored" the very same as `acctSession`:
   *  nothing is to be written. */
  readonly before: AcctSession | undefined;
}

/** Counts one record of kind "start", "interim" or "stop": the one way in which a store changes an acct session. It asks for the
 *  stored acct sessions of that NAS and Acct-Session-Id, one `yield` each, by generation or for the latest, and is told them by
 *  next(). The store writes `acctSession` and `contributions` in one atomic write, and only if `before` is still what is stored.
 *  @returns undefined for a record of a generation long gone */
export function* count(
  record: AccountingRecord,
  periods: Periods,
): Generator<number | "latest", Counted | undefined, AcctSession | undefined> {
  const latest = yield "latest";
  if (latest === undefined) return { before: undefined, ...create(record, 0, periods) };
  const place = yield* placeOf(latest, record);
  if (place === undefined) return undefined;
  if (place === "new") return { before: undefined, ...create(record, latest.generation + 1, periods) };
  return { before: place, ...update(place, record, periods) };
}
