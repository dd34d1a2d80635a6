import type { AccountingRecord } from "./accounting-record.ts";
import { type AcctSession, FINAL_CAUSES } from "./acct-session.ts";
import { eventTime } from "./event-time.ts";

/** Acct-Session-Time may go back by so much without being a new acct session: a NAS that sets its clock. */
const SESSION_TIME_TOLERANCE_SECONDS = 10;
/** Times come in whole seconds, two of them make up "when it began". */
const SLACK_MS = 3_000;
/** Within this time a Start without Event-Timestamp may be the one that was overtaken by the first records of its acct session. */
const LATE_START_MS = 5 * 60_000;
/** When the NAS says it began may differ by so much between records of one acct session: a clock that drifts. */
const DRIFT_MS = 60_000;
/** A record is looked for in so many earlier generations; beyond, it is too old to matter. */
const EARLIER_GENERATIONS_MAX = 4;

/** Whether a record begins a new acct session under an Acct-Session-Id that `latest` had: the NAS rebooted and counts anew.
 *  Three things tell: an Accounting-On or -Off before it began; an Acct-Session-Time that went back, of an acct session that
 *  began after the last record; anything that began after the Stop. */
export function beginsAnew(latest: AcctSession, record: AccountingRecord): boolean {
  const { exact } = eventTime(record);
  const seconds = sessionSeconds(record);
  const rebooted = latest.closeCause === "nas-on" || latest.closeCause === "nas-off";
  if (rebooted && beganAtMs(record) >= (latest.closedAtMs as number) - SLACK_MS) return true;
  if (seconds === undefined || !beganAfterLast(latest, record)) return false;
  const final = latest.closeCause !== undefined && FINAL_CAUSES.has(latest.closeCause);
  if (record.kind === "start") {
    if (!latest.startSeen && !exact && record.arrivedAtMs - latest.heardAtMs < LATE_START_MS) return false;
    if (final && exact && latest.startSeen && beganAtMs(record) > latest.countedAtMs) return true;
  }
  const step = seconds - (latest.sessionSeconds ?? (latest.countedAtMs - latest.startedAtMs) / 1_000);
  return step < -SESSION_TIME_TOLERANCE_SECONDS || (final && step > SESSION_TIME_TOLERANCE_SECONDS);
}

/** Which generation a record belongs to: asks for earlier ones, one `yield` each, while the record began before the one at hand.
 *  A store runs it with generationOf(..).next(acctSession | undefined). @returns undefined for a record older than all that are looked at */
export function* generationOf(
  latest: AcctSession,
  record: AccountingRecord,
): Generator<number, AcctSession | undefined, AcctSession | undefined> {
  let current = latest;
  for (let steps = 0; beganBefore(record, current); steps += 1) {
    if (current.generation === 0) return current;
    if (steps === EARLIER_GENERATIONS_MAX) return undefined;
    const earlier = yield current.generation - 1;
    // Forgotten, or over by then: the first record of the generation at hand was late itself.
    if (earlier === undefined || beganAtMs(record) > earlier.countedAtMs - SLACK_MS) return current;
    current = earlier;
  }
  return current;
}

/** When the acct session of a record began as far as the record tells. */
export function beganAtMs(record: AccountingRecord): number {
  return eventTime(record).atMs - (sessionSeconds(record) ?? 0) * 1_000;
}

function beganBefore(record: AccountingRecord, acctSession: AcctSession): boolean {
  return beganAtMs(record) < acctSession.startedAtMs - SLACK_MS;
}

/** Whether a record tells of an acct session that began after the last record of this one. A NAS whose clock fell back with the
 *  reboot says it began earlier: then the arrivals decide, unless what it says is when this acct session began. */
function beganAfterLast(latest: AcctSession, record: AccountingRecord): boolean {
  const began = beganAtMs(record);
  if (began > latest.countedAtMs - SLACK_MS) return true;
  if (!eventTime(record).exact || Math.abs(began - latest.startedAtMs) <= DRIFT_MS) return false;
  return record.arrivedAtMs - (sessionSeconds(record) ?? 0) * 1_000 > latest.heardAtMs;
}

function sessionSeconds(record: AccountingRecord): number | undefined {
  return record.sessionSeconds ?? (record.kind === "start" ? 0 : undefined);
}
