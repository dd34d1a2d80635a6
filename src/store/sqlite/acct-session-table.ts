import type { AccountingRecord } from "../accounting-record.ts";
import { acctSessionKey, splitAcctSessionKey } from "../acct-session-key.ts";
import type { AcctSession, CloseCause } from "../acct-session.ts";
import { count } from "../count.ts";
import { eventTime } from "../event-time.ts";
import { NO_AMOUNTS, type Periods } from "../periods.ts";
import { addedTotal, closed, isStale } from "../reduce.ts";
import {
  type AcctSessionQuery,
  CLOSED_KEYS_MAX,
  type Page,
  type PageRequest,
  type RecordDetail,
  type RecordResult,
} from "../types.ts";
import { acctSessionQuery } from "./acct-session-query.ts";
import { acctSessionOf, counterValues, identityValues, stateValues } from "./acct-session-row.ts";
import type { Database, Row } from "./database.ts";
import { type Packed, unpackRecords } from "./packed-records.ts";
import { type PackedResults, packResults } from "./packed-results.ts";
import type { RecentSessions, Stored } from "./recent-sessions.ts";
import type { UsageTable } from "./usage-table.ts";

const COUNTERS = `started_at_ms = ?, counted_at_ms = ?, heard_at_ms = ?, stale_after_ms = ?, session_seconds = ?,
  upload_octets = ?, download_octets = ?, gigawords_seen = ?, start_seen = ?`;
const IDENTITY = `username = ?, usernames = ?, calling_station = ?, framed_ip = ?, nas_identifier = ?, facts = ?`;
const STATE = `open = ?, close_cause = ?, closed_at_ms = ?, terminate_cause = ?`;
const INSERT = `INSERT INTO acct_session (base, generation, nas_key, acct_session_id,
  open, close_cause, closed_at_ms, terminate_cause, check_at_ms,
  username, usernames, calling_station, framed_ip, nas_identifier, facts,
  started_at_ms, counted_at_ms, heard_at_ms, stale_after_ms, session_seconds,
  upload_octets, download_octets, gigawords_seen, start_seen)
  VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) RETURNING session_row`;
const CLOSE_NAS = `UPDATE acct_session SET open = 0, close_cause = ?, closed_at_ms = ?
  WHERE nas_key = ? AND open = 1 AND started_at_ms`;
const KEY = "RETURNING nas_key, acct_session_id, generation";

/** AcctSessionStore on one connection; every method runs inside a transaction of its caller. */
export class AcctSessionTable {
  readonly #database: Database;
  readonly #usage: UsageTable;
  readonly #recent: RecentSessions;
  #periods: Periods;

  constructor(database: Database, usage: UsageTable, recent: RecentSessions, periods: Periods) {
    this.#database = database;
    this.#usage = usage;
    this.#recent = recent;
    this.#periods = periods;
  }

  usePeriods(periods: Periods): void {
    this.#periods = periods;
  }

  /** As AcctSessionStore.record(), packed for the way between the threads. */
  record(packed: Packed, detail: RecordDetail): PackedResults {
    const results = unpackRecords(packed).map((record) =>
      record.kind === "on" || record.kind === "off" ? this.#closeWithNas(record) : this.#count(record),
    );
    return packResults(results, detail);
  }

  find(query: AcctSessionQuery, page: PageRequest): Page<AcctSession> {
    const { sql, values } = acctSessionQuery(query, page);
    const rows = this.#database.rows(sql, ...values);
    const more = rows.length > page.limit;
    if (more) rows.pop();
    return { items: rows.map(acctSessionOf), next: more ? String(rows.at(-1)?.["session_row"]) : undefined };
  }

  one(key: string): AcctSession | undefined {
    return this.#byKey(key)?.acctSession;
  }

  close(key: string, atMs: number, cause: CloseCause): AcctSession | undefined {
    const stored = this.#byKey(key);
    return stored?.acctSession.open ? this.#close(stored, atMs, cause) : undefined;
  }

  closeNas(nasKey: string, atMs: number, cause: CloseCause, limit: number): AcctSession[] {
    const sql = "SELECT * FROM acct_session WHERE nas_key = ? AND open = 1 AND heard_at_ms < ? LIMIT ?";
    return this.#database.rows(sql, nasKey, atMs, limit).map((row) => this.#close(storedOf(row), atMs, cause));
  }

  closeStale(nowMs: number, hubStartedAtMs: number, limit: number): AcctSession[] {
    const sql = "SELECT * FROM acct_session WHERE open = 1 AND check_at_ms <= ? ORDER BY check_at_ms LIMIT ?";
    const ended: AcctSession[] = [];
    for (;;) {
      const rows = this.#database.rows(sql, nowMs, limit);
      for (const row of rows) {
        const stored = storedOf(row);
        const { heardAtMs, staleAfterMs } = stored.acctSession;
        if (isStale(stored.acctSession, nowMs, hubStartedAtMs)) ended.push(this.#close(stored, nowMs, "stale"));
        else this.#checkAt(stored.sessionRow, Math.max(heardAtMs, hubStartedAtMs) + staleAfterMs);
        if (ended.length === limit) return ended;
      }
      if (rows.length < limit) return ended;
    }
  }

  prune(closedBeforeMs: number, limit: number): number {
    const sql = "SELECT session_row, username FROM acct_session WHERE open = 0 AND closed_at_ms < ? LIMIT ?";
    const rows = this.#database.rows(sql, closedBeforeMs, limit);
    for (const { session_row: sessionRow, username } of rows as { session_row: number; username: string | null }[]) {
      if (username !== null) this.#usage.fold(username, sessionRow);
      this.#database.run("DELETE FROM acct_session WHERE session_row = ?", sessionRow);
    }
    if (rows.length > 0) this.#recent.forget();
    return rows.length;
  }

  countOpen(): number {
    return Number(this.#database.row("SELECT count(*) AS open FROM acct_session WHERE open = 1")?.["open"]);
  }

  #count(record: AccountingRecord): RecordResult {
    const base = acctSessionKey(record.nasKey, record.acctSessionId, 0);
    const rows = new Map<AcctSession, number>();
    const counting = count(record, this.#periods);
    let step = counting.next();
    while (!step.done) {
      const stored = step.value === "latest" ? this.#latest(base) : this.#one(base, step.value);
      if (stored !== undefined) rows.set(stored.acctSession, stored.sessionRow);
      step = counting.next(stored?.acctSession);
    }
    if (step.value === undefined)
      return { effect: "ignored", acctSession: undefined, added: NO_AMOUNTS, closedKeys: [] };
    const { effect, before, acctSession, contributions } = step.value;
    const sessionRow = before === undefined ? this.#insert(base, acctSession) : (rows.get(before) as number);
    if (before === undefined) this.#recent.keep(base, { sessionRow, acctSession });
    else if (acctSession !== before) this.#replace(base, { sessionRow, acctSession: before }, acctSession);
    this.#usage.add(sessionRow, contributions);
    return { effect, acctSession, added: addedTotal(step.value), closedKeys: [] };
  }

  #closeWithNas(record: AccountingRecord): RecordResult {
    const { atMs } = eventTime(record);
    const cause: CloseCause = record.kind === "on" ? "nas-on" : "nas-off";
    // endsWithNas() of reduce.ts, for all acct sessions of the NAS at once.
    const sql = `${CLOSE_NAS} ${record.kind === "off" ? "<=" : "<"} ? ${KEY}`;
    const rows = this.#database.rows(sql, cause, atMs, record.nasKey, atMs);
    if (rows.length > 0) this.#recent.forget();
    const keys = rows.slice(0, CLOSED_KEYS_MAX).map(keyOf);
    return { effect: "nas", acctSession: undefined, added: NO_AMOUNTS, closedKeys: keys };
  }

  #insert(base: string, acctSession: AcctSession): number {
    const { generation, nasKey, acctSessionId, heardAtMs, staleAfterMs } = acctSession;
    const named = [base, generation, nasKey, acctSessionId] as const;
    const row = this.#database.row(
      INSERT,
      ...named,
      ...stateValues(acctSession),
      heardAtMs + staleAfterMs,
      ...identityValues(acctSession),
      ...counterValues(acctSession),
    );
    return row?.["session_row"] as number;
  }

  /** Writes what changed; an interim that only counts touches no index. */
  #replace(base: string, { sessionRow, acctSession: before }: Stored, after: AcctSession): void {
    const run = (columns: string, values: readonly (string | number | boolean | undefined)[]): void => {
      this.#database.run(`UPDATE acct_session SET ${columns} WHERE session_row = ?`, ...values, sessionRow);
    };
    run(COUNTERS, counterValues(after));
    if (after.facts !== before.facts || after.username !== before.username) run(IDENTITY, identityValues(after));
    if (after.open !== before.open || after.closeCause !== before.closeCause) {
      run(STATE, stateValues(after)); // check_at_ms has passed if it was stale: the next look sets it
    }
    this.#recent.changed(base, { sessionRow, acctSession: after });
  }

  #close(stored: Stored, atMs: number, cause: CloseCause): AcctSession {
    const after = closed(stored.acctSession, atMs, cause);
    this.#replace(splitAcctSessionKey(after.key).base, stored, after);
    return after;
  }

  #checkAt(sessionRow: number, atMs: number): void {
    this.#database.run("UPDATE acct_session SET check_at_ms = ? WHERE session_row = ?", atMs, sessionRow);
  }

  #latest(base: string): Stored | undefined {
    const recent = this.#recent.latest(base);
    if (recent !== undefined) return recent;
    const sql = "SELECT * FROM acct_session WHERE base = ? ORDER BY generation DESC LIMIT 1";
    const row = this.#database.row(sql, base);
    if (row === undefined) return undefined;
    const stored = storedOf(row);
    this.#recent.keep(base, stored);
    return stored;
  }

  #one(base: string, generation: number): Stored | undefined {
    const row = this.#database.row("SELECT * FROM acct_session WHERE base = ? AND generation = ?", base, generation);
    return row === undefined ? undefined : storedOf(row);
  }

  #byKey(key: string): Stored | undefined {
    const { base, generation } = splitAcctSessionKey(key);
    return this.#one(base, generation);
  }
}

function storedOf(row: Row): Stored {
  return { sessionRow: row["session_row"] as number, acctSession: acctSessionOf(row) };
}

function keyOf(row: Row): string {
  return acctSessionKey(row["nas_key"] as string, row["acct_session_id"] as string, row["generation"] as number);
}
