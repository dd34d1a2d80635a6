import { type AuditEntry, type AuditQuery, BLANK_AUDIT_ENTRY } from "../audit-types.ts";
import type { Page, PageRequest } from "../types.ts";
import type { Database, SqlValue } from "./database.ts";
import { pageOf } from "../page-of.ts";

/** AuditStore on one connection. */
export class AuditTable {
  readonly #database: Database;

  constructor(database: Database) {
    this.#database = database;
  }

  append(entries: readonly AuditEntry[]): void {
    for (const entry of entries) {
      const { exchangeId, atMs, username, nas, outcome } = entry;
      const sql = "INSERT OR REPLACE INTO audit VALUES (?, ?, ?, ?, ?, ?)";
      this.#database.run(sql, exchangeId, atMs, username, nas, outcome, JSON.stringify(entry));
    }
  }

  find(query: AuditQuery, page: PageRequest): Page<AuditEntry> {
    const conditions: string[] = [];
    const values: SqlValue[] = [];
    const where = (condition: string, ...given: readonly (SqlValue | undefined)[]): void => {
      if (given.includes(undefined)) return;
      conditions.push(condition);
      values.push(...(given as SqlValue[]));
    };
    where("exchange_id = ?", query.exchangeId);
    where("username = ?", query.username);
    where("nas = ?", query.nas);
    where("outcome = ?", query.outcome);
    where("at_ms >= ?", query.fromMs);
    where("at_ms < ?", query.beforeMs);
    where("(at_ms, exchange_id) < (?, ?)", ...markValues(page.after));
    const condition = conditions.length === 0 ? "" : `WHERE ${conditions.join(" AND ")}`;
    const sql = `SELECT entry FROM audit ${condition} ORDER BY at_ms DESC, exchange_id DESC LIMIT ?`;
    const rows = this.#database.rows(sql, ...values, page.limit + 1);
    const entries = rows.map((row) => entryOf(row["entry"] as string));
    return pageOf(entries, page.limit, (entry) => `${entry.atMs}/${entry.exchangeId}`);
  }

  prune(beforeMs: number, limit: number): number {
    const old = "SELECT exchange_id FROM audit WHERE at_ms < ? LIMIT ?";
    return this.#database.run(`DELETE FROM audit WHERE exchange_id IN (${old})`, beforeMs, limit);
  }
}

function markValues(after: string | undefined): (SqlValue | undefined)[] {
  if (after === undefined) return [undefined];
  const slash = after.indexOf("/");
  return [Number(after.slice(0, slash)) || 0, after.slice(slash + 1)];
}

/** JSON leaves out what is undefined; a stored entry has every field. */
function entryOf(json: string): AuditEntry {
  return { ...BLANK_AUDIT_ENTRY, ...(JSON.parse(json) as AuditEntry) };
}
