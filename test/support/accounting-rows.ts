import { expect, it } from "vitest";
import type { AccountingRecord } from "../../src/store/accounting-record.ts";
import type { AcctSession, CloseCause } from "../../src/store/acct-session.ts";
import { ReducedSessions } from "./reduced-sessions.ts";

interface Close {
  readonly close: CloseCause;
  readonly atMs: number;
}

/** Records of one NAS and what must come of them. */
export interface Row {
  readonly name: string;
  readonly records: readonly (AccountingRecord | Close)[];
  /** Effect of each record, in order; a close has none. */
  readonly effects: readonly string[];
  /** Upload, download and seconds of alice in all. */
  readonly usage: readonly [number, number, number];
  /** What the acct sessions are in the end. */
  readonly sessions: readonly Partial<AcctSession>[];
}

export const HOUR = 3_600;
export const MINUTE_MS = 60_000;
export const DAY_MS = 86_400_000;
export const G = 2 ** 32;
export const stopped = { open: false, closeCause: "stop" } as const;

/** A record as a NAS without a clock sends it: only the arrival tells when it was. */
export function timeless(record: AccountingRecord, lateMs = 0, delaySeconds?: number): AccountingRecord {
  return { ...record, eventAtMs: undefined, arrivedAtMs: record.arrivedAtMs + lateMs, delaySeconds };
}

function isVague({ kind, eventAtMs, sessionSeconds }: AccountingRecord): boolean {
  return eventAtMs === undefined || (kind === "interim" && sessionSeconds === undefined);
}

/** A record that arrives late, its Event-Timestamp unchanged. */
export function late(record: AccountingRecord, lateMs: number): AccountingRecord {
  return { ...record, arrivedAtMs: record.arrivedAtMs + lateMs };
}

/** Only upload, with Gigawords. */
export function wide(octets: number, gigawords: number): Partial<AccountingRecord> {
  return { input: { octets, gigawords }, output: undefined };
}

/** Tests each row, and that all of its records again count nothing twice. */
export function theseHold(rows: readonly Row[]): void {
  it.each(rows)("$name", ({ records, effects, usage, sessions }) => {
    const reduced = new ReducedSessions();
    const seen: string[] = [];
    for (const step of records) {
      if ("close" in step) reduced.close("nas-1/0001", step.atMs, step.close);
      else seen.push(reduced.apply(step));
    }
    expect(seen).toEqual(effects);
    expect(reduced.usage("alice")).toEqual(usage);
    expect(reduced.all).toMatchObject(sessions);
    expect(reduced.all).toHaveLength(sessions.length);
  });

  it.each(rows.filter(({ records }) => records.every((record) => !("close" in record))))(
    "all over again counts nothing twice: $name",
    ({ records, usage, sessions }) => {
      const reduced = new ReducedSessions();
      for (const record of [...records, ...records]) reduced.apply(record as AccountingRecord);
      // Where a NAS tells neither the time nor Acct-Session-Time, nothing tells records of before a reboot from new ones.
      if (records.some((record) => "kind" in record && isVague(record))) return;
      expect(reduced.usage("alice")).toEqual(usage);
      expect(reduced.all).toHaveLength(sessions.length);
    },
  );
}
