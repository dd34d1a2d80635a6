import type { AccountingRecord } from "./accounting-record.ts";

/** An Event-Timestamp further ahead of the arrival than this is a wrong clock. */
const AHEAD_MS_MAX = 5 * 60_000;
/** One further behind is a wrong clock too: no NAS keeps a record for longer. Also the most that Acct-Delay-Time can say. */
const BEHIND_MS_MAX = 24 * 3_600_000;

export interface EventTime {
  readonly atMs: number;
  /** Given by the NAS, so the same in each copy of the record; else made from the arrival. */
  readonly exact: boolean;
}

/** When the event happened: Event-Timestamp as given, never less Acct-Delay-Time (UL-20); without one the arrival less
 *  Acct-Delay-Time (RFC 2866 Section 5.2); with one beyond belief the arrival. */
export function eventTime(record: AccountingRecord): EventTime {
  const { arrivedAtMs, eventAtMs } = record;
  if (eventAtMs === undefined) {
    const delayMs = Math.min((record.delaySeconds ?? 0) * 1_000, BEHIND_MS_MAX);
    return { atMs: arrivedAtMs - delayMs, exact: false };
  }
  const believed = eventAtMs <= arrivedAtMs + AHEAD_MS_MAX && eventAtMs >= arrivedAtMs - BEHIND_MS_MAX;
  return believed ? { atMs: eventAtMs, exact: true } : { atMs: arrivedAtMs, exact: false };
}
