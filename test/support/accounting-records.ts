import type { AccountingRecord } from "../../src/store/accounting-record.ts";

/** 2026-11-22 12:00:00 UTC, a Sunday. */
export const NOON_MS = Date.UTC(2026, 10, 22, 12);

/** Makes records of one acct session that began at `startedAtMs`, as a NAS with a right clock sends them. */
export class RecordMaker {
  readonly nasKey: string;
  readonly acctSessionId: string;
  readonly username: string | undefined;
  readonly startedAtMs: number;

  constructor(
    options: {
      readonly nasKey?: string;
      readonly acctSessionId?: string;
      readonly username?: string | undefined;
      readonly startedAtMs?: number;
    } = {},
  ) {
    this.nasKey = options.nasKey ?? "nas-1";
    this.acctSessionId = options.acctSessionId ?? "0001";
    this.username = "username" in options ? options.username : "alice";
    this.startedAtMs = options.startedAtMs ?? NOON_MS;
  }

  start(change: Partial<AccountingRecord> = {}): AccountingRecord {
    return this.#record("start", 0, { sessionSeconds: undefined, ...change });
  }

  /** @param seconds Acct-Session-Time, and when it is sent
   *  @param upload octets so far; as many down again */
  interim(seconds: number, upload: number, change: Partial<AccountingRecord> = {}): AccountingRecord {
    return this.#record("interim", seconds, { ...counters(upload), ...change });
  }

  stop(seconds: number, upload: number, change: Partial<AccountingRecord> = {}): AccountingRecord {
    return this.#record("stop", seconds, { ...counters(upload), terminateCause: 1, ...change });
  }

  #record(kind: AccountingRecord["kind"], seconds: number, change: Partial<AccountingRecord>): AccountingRecord {
    const atMs = this.startedAtMs + seconds * 1_000;
    return {
      kind,
      nasKey: this.nasKey,
      acctSessionId: this.acctSessionId,
      arrivedAtMs: atMs,
      eventAtMs: atMs,
      sessionSeconds: seconds,
      username: this.username,
      staleAfterMs: 900_000,
      facts: {},
      ...change,
    };
  }
}

/** Accounting-On or -Off. */
export function nasRecord(kind: "on" | "off", nasKey: string, atMs: number): AccountingRecord {
  return { kind, nasKey, acctSessionId: "", arrivedAtMs: atMs, eventAtMs: atMs, staleAfterMs: 0, facts: {} };
}

function counters(upload: number): Partial<AccountingRecord> {
  return { input: { octets: upload }, output: { octets: upload } };
}
