import type { ApiRecord, ApiRecordKind } from "../api-record-types.ts";
import { pageOf } from "../page-of.ts";
import type { Page, PageRequest } from "../types.ts";
import type { Database, Row } from "./database.ts";

/** ApiRecordStore on one connection. */
export class ApiRecordTable {
  readonly #database: Database;

  constructor(database: Database) {
    this.#database = database;
  }

  put(records: readonly ApiRecord[]): void {
    const sql = "INSERT OR REPLACE INTO api_record VALUES (?, ?, ?, ?, ?)";
    for (const { kind, key, atMs, expiresAtMs, value } of records) {
      this.#database.run(sql, kind, key, atMs, expiresAtMs, value);
    }
  }

  one(kind: ApiRecordKind, key: string): ApiRecord | undefined {
    const row = this.#database.row("SELECT * FROM api_record WHERE kind = ? AND record_key = ?", kind, key);
    return row === undefined ? undefined : recordOf(row);
  }

  take(kind: ApiRecordKind, key: string): ApiRecord | undefined {
    const record = this.one(kind, key);
    if (record !== undefined) {
      this.#database.run("DELETE FROM api_record WHERE kind = ? AND record_key = ?", kind, key);
    }
    return record;
  }

  list(kind: ApiRecordKind, page: PageRequest): Page<ApiRecord> {
    const after = page.after === undefined ? undefined : markOf(page.after);
    const condition = after === undefined ? "" : "AND (at_ms, record_key) < (?, ?)";
    const rows = this.#database.rows(
      `SELECT * FROM api_record WHERE kind = ? ${condition} ORDER BY at_ms DESC, record_key DESC LIMIT ?`,
      kind,
      ...(after ?? []),
      page.limit + 1,
    );
    return pageOf(rows.map(recordOf), page.limit, ({ atMs, key }) => `${atMs}/${key}`);
  }

  prune(nowMs: number, limit: number): number {
    const old = "SELECT kind, record_key FROM api_record WHERE expires_at_ms < ? LIMIT ?";
    return this.#database.run(`DELETE FROM api_record WHERE (kind, record_key) IN (${old})`, nowMs, limit);
  }
}

function markOf(after: string): [atMs: number, key: string] {
  const slash = after.indexOf("/");
  return [Number(after.slice(0, slash)) || 0, after.slice(slash + 1)];
}

function recordOf(row: Row): ApiRecord {
  return {
    kind: row["kind"] as ApiRecordKind,
    key: row["record_key"] as string,
    atMs: row["at_ms"] as number,
    expiresAtMs: row["expires_at_ms"] as number,
    value: row["value"] as string,
  };
}
