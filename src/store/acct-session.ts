import type { AcctSessionFacts } from "./accounting-record.ts";

/** One acct session as stored: counters, the mark of what has been counted, and where it is. Times are wall clock milliseconds. */
export interface AcctSession {
  /** acctSessionKey(): the primary key in every store. */
  readonly key: string;
  readonly nasKey: string;
  readonly acctSessionId: string;
  /** How many acct sessions with the same NAS and Acct-Session-Id came before: a NAS that reboots may begin its numbers anew. */
  readonly generation: number;
  /** The latest User-Name; undefined before a record had one. */
  readonly username: string | undefined;
  readonly open: boolean;
  /** Set while it is closed. */
  readonly closeCause: CloseCause | undefined;
  readonly closedAtMs: number | undefined;
  /** Acct-Terminate-Cause of its Stop. */
  readonly terminateCause: number | undefined;
  /** When it began as far as is known: the time of a record less its Acct-Session-Time. */
  readonly startedAtMs: number;
  /** Time of the latest event (eventTime()): the mark up to which its usage has been counted. */
  readonly countedAtMs: number;
  /** When the hub heard of it last; its silence is measured from here. */
  readonly heardAtMs: number;
  readonly staleAfterMs: number;
  /** Greatest Acct-Session-Time; undefined before one came. */
  readonly sessionSeconds: number | undefined;
  /** 64-bit totals below 2^53; they never decrease. */
  readonly uploadOctets: number;
  readonly downloadOctets: number;
  /** A record had Gigawords: a lower counter is no wrap. */
  readonly gigawordsSeen: boolean;
  readonly startSeen: boolean;
  /** Different User-Names it has had, at most USERNAMES_MAX: then the name no longer changes. */
  readonly usernames: number;
  readonly facts: AcctSessionFacts;
}

/** Why an acct session is closed. */
export const CLOSE_CAUSES = [
  "stop", // its Stop came
  "nas-on", // Accounting-On
  "nas-off", // Accounting-Off
  "stale", // silent for too long
  "nas-gone", // no link of its NAS for too long
  "unknown-to-nas", // the NAS answered 503, Session-Context-Not-Found (RFC 5176 Section 3.5)
  "operator", // closed by hand
] as const;
export type CloseCause = (typeof CLOSE_CAUSES)[number];

/** Causes that the NAS itself gave. An acct session that the hub closed for another cause re-opens when it is heard of again. */
export const FINAL_CAUSES: ReadonlySet<CloseCause> = new Set(["stop", "nas-on", "nas-off"]);

/** Usage to add to one user in one period. All three are differences, never negative. */
export interface Contribution {
  readonly username: string;
  /** Periods.keysAt(). */
  readonly periodKey: string;
  readonly uploadOctets: number;
  readonly downloadOctets: number;
  readonly seconds: number;
}

/** What a record did.
 *
 *  created: the first of its acct session. updated: something grew or became known. duplicate: nothing new; not written.
 *  ignored: older than what is known, or beyond belief; not written. closed: it closed the acct session, also one never
 *  seen before. reopened: the hub had closed it, the NAS had not; or AccountingRecord.reopens. new-generation: created under an Acct-Session-Id seen
 *  before. nas: Accounting-On or -Off. */
export type RecordEffect =
  | "created"
  | "updated"
  | "duplicate"
  | "ignored"
  | "closed"
  | "reopened"
  | "new-generation"
  | "nas";
