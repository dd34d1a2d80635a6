import type { NewUserChange, UserChange, UserChangeNext } from "../user-types.ts";
import { optional } from "./acct-session-row.ts";
import type { Database, Row } from "./database.ts";

/** UserChangeStore on one connection. */
export class UserChangeTable {
  readonly #database: Database;

  constructor(database: Database) {
    this.#database = database;
  }

  put(changes: readonly NewUserChange[]): void {
    const sql = "INSERT OR REPLACE INTO user_change VALUES (?, ?, ?, 0, NULL)";
    for (const { kind, name, dueAtMs } of changes) this.#database.run(sql, kind, name, dueAtMs);
  }

  take(nowMs: number, leaseUntilMs: number, limit: number): UserChange[] {
    const due = "SELECT * FROM user_change WHERE due_at_ms <= ? ORDER BY due_at_ms, kind, name LIMIT ?";
    return this.#database.rows(due, nowMs, limit).map((row) => {
      const sql = "UPDATE user_change SET due_at_ms = ? WHERE kind = ? AND name = ?";
      this.#database.run(sql, leaseUntilMs, row["kind"], row["name"]);
      return { ...changeOf(row), dueAtMs: leaseUntilMs };
    });
  }

  settle({ kind, name, dueAtMs }: UserChange, next: UserChangeNext | undefined): boolean {
    const where = "WHERE kind = ? AND name = ? AND due_at_ms = ?";
    if (next === undefined) return this.#database.run(`DELETE FROM user_change ${where}`, kind, name, dueAtMs) > 0;
    const sql = `UPDATE user_change SET due_at_ms = ?, attempts = ?, after = ? ${where}`;
    return this.#database.run(sql, next.dueAtMs, next.attempts, next.after, kind, name, dueAtMs) > 0;
  }

  countDue(nowMs: number): number {
    const row = this.#database.row("SELECT count(*) AS due FROM user_change WHERE due_at_ms <= ?", nowMs);
    return row?.["due"] as number;
  }
}

function changeOf(row: Row): UserChange {
  return {
    kind: row["kind"] as UserChange["kind"],
    name: row["name"] as string,
    dueAtMs: row["due_at_ms"] as number,
    attempts: row["attempts"] as number,
    after: optional<string>(row["after"]),
  };
}
