import type { Contribution } from "../acct-session.ts";
import type { Periods } from "../periods.ts";
import { PAGE_ITEMS_MAX, type PeriodUsage, type UsageQuestion, type UsageTotal } from "../types.ts";
import type { Database, Row, SqlValue } from "./database.ts";
import { RecentTotals } from "./recent-totals.ts";

// total() and not sum(): what two lying routers report together may pass 2^53, and must not make the question fail.
const TOTALS = "total(upload_octets) AS upload, total(download_octets) AS download, total(seconds) AS seconds";
const COLUMNS = "(?, ?, ?, ?, ?, ?)";
const ON_CONFLICT = `ON CONFLICT DO UPDATE SET
  upload_octets = min(upload_octets + excluded.upload_octets, ${Number.MAX_SAFE_INTEGER}),
  download_octets = min(download_octets + excluded.download_octets, ${Number.MAX_SAFE_INTEGER}),
  seconds = min(seconds + excluded.seconds, ${Number.MAX_SAFE_INTEGER})`;
/** Rows of one statement: the periods of a record, which are few, in one go. */
const ROWS_MAX = 8;
const ADD = Array.from({ length: ROWS_MAX + 1 }, (_, rows) => {
  return `INSERT INTO usage VALUES ${Array(rows).fill(COLUMNS).join(", ")} ${ON_CONFLICT}`;
});
/** Stands for all acct sessions that have been forgotten. */
const FOLDED_ROW = 0;

/** UsageStore on one connection: what each acct session added to each period of its user. */
export class UsageTable {
  readonly #database: Database;
  readonly #recent = new RecentTotals();
  #periods: Periods;

  constructor(database: Database, periods: Periods) {
    this.#database = database;
    this.#periods = periods;
  }

  usePeriods(periods: Periods): void {
    this.#periods = periods;
  }

  add(sessionRow: number, amounts: readonly Contribution[]): void {
    this.#write(sessionRow, amounts);
    this.#recent.added(amounts);
  }

  /** What was remembered may not be so any more. */
  forget(): void {
    this.#recent.forget();
  }

  #write(sessionRow: number, amounts: readonly Contribution[]): void {
    for (let first = 0; first < amounts.length; first += ROWS_MAX) {
      const values: SqlValue[] = [];
      const end = Math.min(first + ROWS_MAX, amounts.length);
      for (let index = first; index < end; index += 1) {
        const { username, periodKey, uploadOctets, downloadOctets, seconds } = amounts[index] as Contribution;
        values.push(username, periodKey, sessionRow, uploadOctets, downloadOctets, seconds);
      }
      this.#database.run(ADD[end - first] as string, ...values);
    }
  }

  /** Keeps what an acct session added to "total" when it is forgotten. Its other periods expire by themselves. */
  fold(username: string, sessionRow: number): void {
    const sql = "DELETE FROM usage WHERE username = ? AND period_key = 'total' AND session_row = ? RETURNING *";
    const row = this.#database.row(sql, username, sessionRow);
    if (row === undefined) return;
    const uploadOctets = row["upload_octets"] as number;
    const downloadOctets = row["download_octets"] as number;
    const seconds = row["seconds"] as number;
    this.#recent.forget();
    this.#write(FOLDED_ROW, [{ username, periodKey: "total", uploadOctets, downloadOctets, seconds }]);
  }

  totals(questions: readonly UsageQuestion[]): UsageTotal[] {
    return questions.map(({ username, periodKeys }) => {
      const [periodKey, ...more] = periodKeys;
      return periodKey === undefined || more.length > 0
        ? this.#sum(username, periodKeys)
        : this.#total(username, periodKey);
    });
  }

  #total(username: string, periodKey: string): UsageTotal {
    const known = this.#recent.of(username, periodKey);
    if (known !== undefined) return known;
    const total = this.#sum(username, [periodKey]);
    this.#recent.keep(username, periodKey, total);
    return total;
  }

  #sum(username: string, periodKeys: readonly string[]): UsageTotal {
    const sql = `SELECT ${TOTALS} FROM usage WHERE username = ? AND period_key IN (SELECT value FROM json_each(?))`;
    return totalOf(this.#database.row(sql, username, JSON.stringify(periodKeys)) as Row);
  }

  periods(username: string): PeriodUsage[] {
    const sql = `SELECT period_key, ${TOTALS} FROM usage WHERE username = ? GROUP BY period_key LIMIT ?`;
    const rows = this.#database.rows(sql, username, PAGE_ITEMS_MAX);
    return rows.map((row) => ({ periodKey: row["period_key"] as string, ...totalOf(row) }));
  }

  prune(nowMs: number, limit: number): number {
    let pruned = 0;
    for (const [from, to] of this.#gaps(nowMs)) {
      const sql = `SELECT username, period_key, session_row FROM usage INDEXED BY usage_period
        WHERE period_key >= ? AND period_key < ? LIMIT ?`;
      for (const row of this.#database.rows(sql, from, to, limit - pruned)) {
        const keys = [row["username"], row["period_key"], row["session_row"]];
        this.#database.run("DELETE FROM usage WHERE username = ? AND period_key = ? AND session_row = ?", ...keys);
        pruned += 1;
      }
    }
    if (pruned > 0) this.#recent.forget();
    return pruned;
  }

  /** Ranges of period keys that are not kept: keys sort by kind, then by time. */
  #gaps(nowMs: number): [from: string, to: string][] {
    const oldest = new Map(this.#periods.oldestKept(nowMs).map((key) => [key.slice(0, key.indexOf("/")), key]));
    const kinds = ["day", "hour", "month", "week"];
    return kinds.map((kind) => [`${kind}/`, oldest.get(kind) ?? `${kind}0`]); // "0" follows "/"
  }
}

function totalOf(row: Row): UsageTotal {
  return {
    uploadOctets: row["upload"] as number,
    downloadOctets: row["download"] as number,
    seconds: row["seconds"] as number,
  };
}
