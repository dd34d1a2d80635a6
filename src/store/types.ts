import type { ApiRecordStore } from "./api-record-types.ts";
import type { AuditStore } from "./audit-types.ts";
import type { AccountingRecord } from "./accounting-record.ts";
import type { AcctSession, CloseCause, RecordEffect } from "./acct-session.ts";
import type { BindingStore } from "./binding-types.ts";
import type { Outbox } from "./outbox-types.ts";
import type { Amounts, PeriodRules } from "./periods.ts";
import type { QuotaStore } from "./quota-types.ts";
import type { PlanStore, UserChangeStore, UserStore } from "./user-types.ts";

/** Everything that outlives the process, behind one interface a concern. Values are plain data (structured-clone friendly),
 *  copied on the way in and out. Each call is atomic on its own and durable when it resolves; while the store is down every
 *  call rejects with ERR_STORE, whose `details.reason` is a StoreFault, and nothing of it has been or will be stored,
 *  except for "unknown".
 *
 *  new --start()--> down <--> up --stop()--> stopped   (it recovers by itself; no way back from stopped) */
export interface Store {
  readonly kind: "sqlite" | "mongodb";
  readonly acctSessions: AcctSessionStore;
  readonly usage: UsageStore;
  readonly quota: QuotaStore;
  readonly users: UserStore;
  readonly plans: PlanStore;
  readonly userChanges: UserChangeStore;
  readonly audit: AuditStore;
  readonly outbox: Outbox;
  readonly bindings: BindingStore;
  readonly apiRecords: ApiRecordStore;
  /** What usage is counted in, for every call after this one; DEFAULT_PERIOD_RULES before the first. */
  usePeriods(rules: PeriodRules): void;
  /** Begins to open it and returns at once: a hub starts while its store is down. */
  start(): void;
  /** Ends what was accepted, refuses what comes, closes. Idempotent. */
  stop(): Promise<void>;
  readonly health: StoreHealth;
  /** Resolves once it is up; rejects with ERR_STORE when it has stopped, or after `timeoutMs`. */
  ready(timeoutMs: number): Promise<void>;
}

export interface StoreHealth {
  readonly state: "down" | "up" | "stopped";
  /** Wall clock of the latest change of `state`. */
  readonly sinceMs: number;
  /** Why it is down, for people; undefined while it is up. */
  readonly detail: string | undefined;
  /** Calls that wait for the store. */
  readonly queued: number;
}

/** Told of each change of StoreHealth.state; must not throw. */
export type HealthObserver = (health: StoreHealth) => void;

/** `details.reason` of ERR_STORE. */
export const STORE_FAULTS = [
  "down", // not open (yet, or again)
  "stopped",
  "queue-full", // too many calls wait: the store is too slow for what comes
  "busy", // somebody else holds it for too long
  "full", // no space left
  "read-only",
  "corrupt", // the file is damaged or no store of this program's version
  "unknown", // failed while it was being stored: the caller cannot know whether it was
] as const;
export type StoreFault = (typeof STORE_FAULTS)[number];

/** A part of an answer that may be long. */
export interface Page<Item> {
  readonly items: readonly Item[];
  /** What to pass as `after` for the next part; undefined after the last. */
  readonly next: string | undefined;
}

export interface PageRequest {
  /** 1..PAGE_ITEMS_MAX. @throws RangeError outside */
  readonly limit: number;
  /** `next` of the page before. */
  readonly after?: string | undefined;
}

export const PAGE_ITEMS_MAX = 1_000;

/** Records of one record() call. */
export const BATCH_RECORDS_MAX = 1_024;

/** The session index and its counters. */
export interface AcctSessionStore {
  /** Applies records in order, all or none: the rules of reduce.ts, and for "on" and "off" closes the acct sessions of that
   *  NAS which began before it. What a record adds to usage and the mark that it was counted become durable in one atomic
   *  write, so that a record may come again at any time. Results are in the order of the batch.
   *  @param batch at most BATCH_RECORDS_MAX
   *  @param detail "full" if not given
   *  @throws {HubError} ERR_STORE: no record may be acknowledged */
  record(batch: readonly AccountingRecord[], detail?: RecordDetail): Promise<RecordResult[]>;
  /** Acct sessions that match every given field, in an order that never changes, so that paging skips and repeats none. */
  find(query: AcctSessionQuery, page: PageRequest): Promise<Page<AcctSession>>;
  /** One acct session by key. */
  one(key: string): Promise<AcctSession | undefined>;
  /** Closes one that is open. @returns it as it is now; undefined if it was not open */
  close(key: string, atMs: number, cause: CloseCause): Promise<AcctSession | undefined>;
  /** Closes the open ones of a NAS that were heard of last before `atMs`, at most `limit`. @returns them as they are now */
  closeNas(nasKey: string, atMs: number, cause: CloseCause, limit: number): Promise<AcctSession[]>;
  /** Closes, with cause "stale", open ones that were silent for their staleAfterMs before `nowMs`, at most `limit`. Silence
   *  before `hubStartedAtMs` does not count: nobody listened. @returns them as they are now */
  closeStale(nowMs: number, hubStartedAtMs: number, limit: number): Promise<AcctSession[]>;
  /** Forgets acct sessions closed before `closedBeforeMs`, at most `limit`. What they used stays in usage().
   *  @returns how many; 0 when there is no more to do */
  prune(closedBeforeMs: number, limit: number): Promise<number>;
  /** Acct sessions that are open. */
  countOpen(): Promise<number>;
}

/** Whether the results name the acct sessions. "brief": nobody will look at them, and a store may leave them out. */
export type RecordDetail = "full" | "brief";

export interface RecordResult {
  readonly effect: RecordEffect;
  /** The acct session afterwards; undefined for effect "nas", and for one "ignored" because it is of a generation long gone.
   *  With "brief" it may be undefined always. */
  readonly acctSession: AcctSession | undefined;
  /** What the record added to the total of its user; all zero when it added nothing. */
  readonly added: UsageTotal;
  /** Keys of the acct sessions that "on" or "off" closed, at most CLOSED_KEYS_MAX of them. */
  readonly closedKeys: readonly string[];
}

/** All are closed; only so many are named. */
export const CLOSED_KEYS_MAX = 10_000;

/** Fields that are given must all match; values are compared as they are, octet by octet, and never read as an expression. */
export interface AcctSessionQuery {
  readonly username?: string | undefined;
  readonly acctSessionId?: string | undefined;
  /** Acct-Multi-Session-Id. */
  readonly multiSessionId?: string | undefined;
  /** Any notation; compared by callingStationKey(). */
  readonly callingStationId?: string | undefined;
  /** Any notation of an address. An IPv6 address is also found by the prefixes it lies in. */
  readonly framedIp?: string | undefined;
  /** prefixText() of framed-addresses.ts. */
  readonly framedIpv6Prefix?: string | undefined;
  readonly delegatedIpv6Prefix?: string | undefined;
  readonly nasKey?: string | undefined;
  readonly nasIdentifier?: string | undefined;
  /** Canonical. It narrows what other fields find and has no index: alone it looks at everything. */
  readonly nasAddress?: string | undefined;
  readonly open?: boolean | undefined;
  /** Inclusive. */
  readonly startedFromMs?: number | undefined;
  /** Exclusive. */
  readonly startedBeforeMs?: number | undefined;
}

/** What users have used: sums over all their acct sessions, on every NAS and node, exact (invariant 7). */
export interface UsageStore {
  /** One total a question, over its period keys; in the order of the questions. All zero for a user never heard of. */
  totals(questions: readonly UsageQuestion[]): Promise<UsageTotal[]>;
  /** Every period of a user that is still kept, in the order of the keys; at most PAGE_ITEMS_MAX. */
  periods(username: string): Promise<readonly PeriodUsage[]>;
  /** Forgets usage of periods that are no longer kept at `nowMs` (Periods.isKept()), at most `limit`. @returns how many */
  prune(nowMs: number, limit: number): Promise<number>;
}

export interface UsageQuestion {
  readonly username: string;
  /** Keys of Periods: one, or the hours of a rolling period. */
  readonly periodKeys: readonly string[];
}

export type UsageTotal = Amounts;

export interface PeriodUsage extends UsageTotal {
  readonly periodKey: string;
}
