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

/** Which acct session with the Acct-Session-Id of a record it belongs to: the one that began when the record says; else a new
 *  one, if beginsAnew(); else the latest that began before. Asks for earlier generations, one `yield` each.
 *  @returns undefined for a record older than all that are looked at */
export function* placeOf(
  latest: AcctSession,
  record: AccountingRecord,
): Generator<number, AcctSession | "new" | undefined, AcctSession | undefined> {
  const began = beganAtMs(record);
  if (fits(began, latest)) return latest;
  const earlier: AcctSession[] = [];
  while (earlier.length < EARLIER_GENERATIONS_MAX && earlier.length < latest.generation) {
    const one = yield latest.generation - 1 - earlier.length;
    if (one === undefined) break;
    if (fits(began, one)) return one;
    earlier.push(one);
  }
  if (beginsAnew(latest, record)) return "new";
  let current = latest;
  for (const one of earlier) {
    // It began after the earlier one was over: the first record of the generation at hand was late itself.
    if (began > current.startedAtMs || began > one.countedAtMs - SLACK_MS) return current;
    current = one;
  }
  return began < current.startedAtMs && earlier.length === EARLIER_GENERATIONS_MAX ? undefined : current;
}

/** When the acct session of a record began as far as the record tells. */
export function beganAtMs(record: AccountingRecord): number {
  return eventTime(record).atMs - (sessionSeconds(record) ?? 0) * 1_000;
}

/** Whether a record begins a new acct session under an Acct-Session-Id that `latest` had: the NAS rebooted and counts anew.
 *  Four things tell: an Accounting-On or -Off before it began; and, if it began after the last record, an Acct-Session-Time that
 *  went back, a Stop before it, a second Start. */
function beginsAnew(latest: AcctSession, record: AccountingRecord): boolean {
  const { exact } = eventTime(record);
  const seconds = sessionSeconds(record);
  const rebooted = latest.closeCause === "nas-on" || latest.closeCause === "nas-off";
  if (rebooted && beganAtMs(record) >= (latest.closedAtMs as number) - SLACK_MS) return true;
  if (seconds === undefined || !beganAfterLast(latest, record)) return false;
  const final = latest.closeCause !== undefined && FINAL_CAUSES.has(latest.closeCause);
  if (record.kind === "start") {
    if (!latest.startSeen && !exact && record.arrivedAtMs - latest.heardAtMs < LATE_START_MS) return false;
    // An acct session has one Start, and a copy of it has its time, or nearly where a NAS stamps it anew.
    const earliest = final ? latest.countedAtMs : latest.startedAtMs + DRIFT_MS;
    if ((exact || !final) && latest.startSeen && beganAtMs(record) > earliest) return true;
  }
  const step = seconds - (latest.sessionSeconds ?? (latest.countedAtMs - latest.startedAtMs) / 1_000);
  return step < -SESSION_TIME_TOLERANCE_SECONDS || (final && step > SESSION_TIME_TOLERANCE_SECONDS);
}

/** Whether what a record says of its beginning is when an acct session began. */
function fits(began: number, acctSession: AcctSession): boolean {
  return Math.abs(began - acctSession.startedAtMs) <= SLACK_MS;
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
