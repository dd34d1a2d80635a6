import type { AccountingRecord, AcctSessionFacts, OctetCounter } from "./accounting-record.ts";
import { acctSessionKey } from "./acct-session-key.ts";
import {
  type AcctSession,
  type CloseCause,
  type Contribution,
  FINAL_CAUSES,
  type RecordEffect,
} from "./acct-session.ts";
import { eventTime } from "./event-time.ts";
import { beganAtMs } from "./generation.ts";
import { type Amounts, NO_AMOUNTS, type Periods } from "./periods.ts";

const GIGAWORD = 2 ** 32;
/** After so many different User-Names an acct session keeps the last: no NAS can make its usage grow without bound. */
const USERNAMES_MAX = 8;

export interface Reduction {
  readonly effect: Exclude<RecordEffect, "nas">;
  /** The acct session afterwards; for "duplicate" and "ignored" the very object that was passed in. */
  readonly acctSession: AcctSession;
  /** What it adds to usage, period by period. */
  readonly contributions: readonly Contribution[];
}

/** What a reduction adds to the total of its user. */
export function addedTotal({ contributions }: Reduction): Amounts {
  const total = contributions.find(({ periodKey }) => periodKey === "total");
  if (total === undefined) return NO_AMOUNTS;
  return { uploadOctets: total.uploadOctets, downloadOctets: total.downloadOctets, seconds: total.seconds };
}

/** The first record of an acct session: whatever kind it is, the Start may be lost, or late. */
export function create(record: AccountingRecord, generation: number, periods: Periods): Reduction {
  const { atMs } = eventTime(record);
  const startedAtMs = beganAtMs(record);
  const blank: AcctSession = {
    key: acctSessionKey(record.nasKey, record.acctSessionId, generation),
    nasKey: record.nasKey,
    acctSessionId: record.acctSessionId,
    generation,
    username: undefined,
    open: true,
    closeCause: undefined,
    closedAtMs: undefined,
    terminateCause: undefined,
    startedAtMs,
    countedAtMs: startedAtMs,
    heardAtMs: record.arrivedAtMs,
    staleAfterMs: record.staleAfterMs,
    sessionSeconds: undefined,
    uploadOctets: 0,
    downloadOctets: 0,
    gigawordsSeen: false,
    startSeen: false,
    usernames: 0,
    facts: {},
  };
  const acctSession = {
    ...advanced(blank, record, atMs, false),
    ...(record.kind === "stop" ? ended(record, atMs) : {}),
  };
  const effect = generation > 0 ? "new-generation" : record.kind === "stop" ? "closed" : "created";
  return { effect, acctSession, contributions: contributed(blank, acctSession, record, periods) };
}

/** A further record of an acct session. Everything only grows, so a record may come twice, late or out of order and counts once. */
export function update(present: AcctSession, record: AccountingRecord, periods: Periods): Reduction {
  const { atMs } = eventTime(record);
  const late = isLate(present, record, atMs);
  const next = advanced(present, record, atMs, late);
  const contributions = contributed(present, next, record, periods);
  const final = present.closeCause !== undefined && FINAL_CAUSES.has(present.closeCause);
  if (record.kind === "stop" && !final) {
    return { effect: "closed", acctSession: { ...next, ...ended(record, atMs) }, contributions };
  }
  const isNew = !late && isNewer(present, record, atMs);
  const isAlive = isNew && !final && !isBeforeClose(present, atMs);
  if (!present.open && (isAlive || (record.reopens === true && !late))) {
    const whileOpen = { open: true, closeCause: undefined, closedAtMs: undefined, terminateCause: undefined };
    return { effect: "reopened", acctSession: { ...next, ...whileOpen }, contributions };
  }
  if (isNew || tellsMore(present, next)) return { effect: "updated", acctSession: next, contributions };
  return { effect: late ? "ignored" : "duplicate", acctSession: present, contributions: [] };
}

/** The acct session as it is once it is closed. */
export function closed(present: AcctSession, atMs: number, cause: CloseCause): AcctSession {
  return { ...present, open: false, closeCause: cause, closedAtMs: atMs };
}

/** Whether Accounting-On or -Off at `atMs` ends an acct session: not one that began after the reboot and was faster than it. */
export function endsWithNas(present: AcctSession, record: AccountingRecord, atMs: number): boolean {
  if (!present.open || present.nasKey !== record.nasKey) return false;
  return record.kind === "off" ? present.startedAtMs <= atMs : present.startedAtMs < atMs;
}

/** Whether an acct session has been silent for too long. While no hub ran, nobody could hear it. */
export function isStale(present: AcctSession, nowMs: number, hubStartedAtMs: number): boolean {
  return present.open && Math.max(present.heardAtMs, hubStartedAtMs) + present.staleAfterMs <= nowMs;
}

function ended(record: AccountingRecord, atMs: number): Partial<AcctSession> {
  return { open: false, closeCause: "stop", closedAtMs: atMs, terminateCause: record.terminateCause };
}

/** Overtaken by a record that tells of a later moment. */
function isLate(present: AcctSession, record: AccountingRecord, atMs: number): boolean {
  if (record.kind === "start") return present.sessionSeconds !== undefined && present.sessionSeconds > 0;
  if (record.sessionSeconds !== undefined && present.sessionSeconds !== undefined) {
    return record.sessionSeconds < present.sessionSeconds;
  }
  return atMs < present.countedAtMs;
}

/** Tells of a later moment than is known. A copy of a record does not, even with another Acct-Delay-Time (UL-22). */
function isNewer(present: AcctSession, record: AccountingRecord, atMs: number): boolean {
  if (record.kind === "start" && present.startSeen) return false;
  const { sessionSeconds } = record;
  if (sessionSeconds !== undefined && sessionSeconds > (present.sessionSeconds ?? 0)) return true;
  return atMs > present.countedAtMs && (eventTime(record).exact || !sessionSeconds);
}

/** A record that the NAS wrote before the hub closed the acct session for a reason other than silence tells nothing against it. */
function isBeforeClose(present: AcctSession, atMs: number): boolean {
  if (present.closeCause === "stale" || present.closeCause === "nas-gone") return false;
  return atMs <= (present.closedAtMs as number);
}

function advanced(present: AcctSession, record: AccountingRecord, atMs: number, late: boolean): AcctSession {
  const gigawordsSeen =
    present.gigawordsSeen || record.input?.gigawords !== undefined || record.output?.gigawords !== undefined;
  const { sessionSeconds } = record;
  const grew =
    sessionSeconds !== undefined && present.sessionSeconds !== undefined && sessionSeconds > present.sessionSeconds;
  const how = { gigawordsSeen, late, mayWrap: grew && !gigawordsSeen };
  const upload = record.swapped === true ? record.output : record.input;
  const download = record.swapped === true ? record.input : record.output;
  const began = beganAtMs(record);
  const startsEarlier = !eventTime(record).exact || (record.kind === "start" && !present.startSeen);
  const renamed = !late && isRenamed(present, record);
  // Each by its name: to spread an object with so many properties takes ten times as long, and this runs for each record.
  return {
    key: present.key,
    nasKey: present.nasKey,
    acctSessionId: present.acctSessionId,
    generation: present.generation,
    username: renamed ? record.username : present.username,
    open: present.open,
    closeCause: present.closeCause,
    closedAtMs: present.closedAtMs,
    terminateCause: present.terminateCause,
    startedAtMs: startsEarlier ? Math.min(present.startedAtMs, began) : present.startedAtMs,
    countedAtMs: Math.max(present.countedAtMs, atMs),
    heardAtMs: Math.max(present.heardAtMs, record.arrivedAtMs),
    staleAfterMs: record.staleAfterMs,
    sessionSeconds: greatest(present.sessionSeconds, sessionSeconds),
    uploadOctets: grown(present.uploadOctets, upload, how),
    downloadOctets: grown(present.downloadOctets, download, how),
    gigawordsSeen,
    startSeen: present.startSeen || record.kind === "start",
    usernames: renamed ? present.usernames + 1 : present.usernames,
    facts: late ? completed(present.facts, record.facts) : joined(present.facts, record.facts),
  };
}

/** The total of a counter after a record. It never falls: a lower value is a wrap at 2^32 only where the caller says it may be,
 *  and 0 is what a NAS writes that has lost the counter. */
function grown(
  total: number,
  counter: OctetCounter | undefined,
  how: { readonly gigawordsSeen: boolean; readonly late: boolean; readonly mayWrap: boolean },
): number {
  if (counter === undefined || (counter.octets === 0 && !counter.gigawords)) return total;
  // Without Gigawords the upper half of the total is the wraps counted so far, which a late record may lie before.
  const wraps = how.gigawordsSeen || how.late ? 0 : Math.floor(total / GIGAWORD);
  let value = (counter.gigawords ?? wraps) * GIGAWORD + counter.octets;
  if (value < total && how.mayWrap) value += GIGAWORD;
  return value > Number.MAX_SAFE_INTEGER ? total : Math.max(total, value);
}

function isRenamed({ username, usernames }: AcctSession, record: AccountingRecord): boolean {
  return !!record.username && record.username !== username && usernames < USERNAMES_MAX;
}

/** What becomes usage: what grew. It belongs to the User-Name of the record; until one is known, nothing is counted, and then all. */
function contributed(
  before: AcctSession,
  after: AcctSession,
  record: AccountingRecord,
  periods: Periods,
): readonly Contribution[] {
  const { username } = after;
  if (username === undefined) return [];
  const first = before.username === undefined;
  const grew = {
    uploadOctets: after.uploadOctets - (first ? 0 : before.uploadOctets),
    downloadOctets: after.downloadOctets - (first ? 0 : before.downloadOctets),
    seconds: (after.sessionSeconds ?? 0) - (first ? 0 : (before.sessionSeconds ?? 0)),
  };
  const toMs = eventTime(record).atMs;
  const fromMs = Math.min(first ? after.startedAtMs : before.countedAtMs, toMs);
  return periods.share(grew, fromMs, toMs).map((share) => ({ username, ...share }));
}

function greatest(left: number | undefined, right: number | undefined): number | undefined {
  if (left === undefined || right === undefined) return left ?? right;
  return Math.max(left, right);
}

/** Whether a record changed more than when the acct session was heard of. */
function tellsMore(before: AcctSession, after: AcctSession): boolean {
  return (
    after.uploadOctets > before.uploadOctets ||
    after.downloadOctets > before.downloadOctets ||
    after.sessionSeconds !== before.sessionSeconds ||
    after.username !== before.username ||
    after.startSeen !== before.startSeen ||
    after.startedAtMs < before.startedAtMs - 60_000 ||
    after.facts !== before.facts
  );
}

/** The very `older` where `newer` tells nothing else: a store then leaves its indexes alone. */
function joined(older: AcctSessionFacts, newer: AcctSessionFacts): AcctSessionFacts {
  let told: Record<string, string | number> | undefined;
  for (const name of Object.keys(newer) as (keyof AcctSessionFacts)[]) {
    const value = newer[name];
    if (value !== undefined && older[name] !== value) (told ??= {})[name] = value;
  }
  return told === undefined ? older : { ...older, ...told };
}

function completed(present: AcctSessionFacts, late: AcctSessionFacts): AcctSessionFacts {
  return joined(present, { ...late, ...present });
}
