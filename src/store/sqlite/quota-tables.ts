import { PAGE_ITEMS_MAX, type Page, type PageRequest } from "../types.ts";
import type {
  QuotaAction,
  QuotaActionChange,
  QuotaActionState,
  QuotaLimit,
  QuotaMark,
  QuotaOverride,
} from "../quota-types.ts";
import { optional } from "./acct-session-row.ts";
import type { Database, Row, SqlValue } from "./database.ts";
import { pageOf } from "../page-of.ts";

/** QuotaStore on one connection. */
export class QuotaTables {
  readonly #database: Database;

  constructor(database: Database) {
    this.#database = database;
  }

  override(username: string): QuotaOverride | undefined {
    const row = this.#database.row("SELECT * FROM quota_override WHERE username = ?", username);
    return row === undefined ? undefined : overrideOf(row);
  }

  putOverride({ username, limits, note, setAtMs, setBy }: QuotaOverride): void {
    const sql = "INSERT OR REPLACE INTO quota_override VALUES (?, ?, ?, ?, ?)";
    this.#database.run(sql, username, JSON.stringify(limits), note, setAtMs, setBy);
  }

  removeOverride(username: string): boolean {
    return this.#database.run("DELETE FROM quota_override WHERE username = ?", username) > 0;
  }

  overrides(page: PageRequest): Page<QuotaOverride> {
    const sql = "SELECT * FROM quota_override WHERE username > ? ORDER BY username LIMIT ?";
    const rows = this.#database.rows(sql, page.after ?? "", page.limit + 1);
    return pageOf(rows.map(overrideOf), page.limit, (override) => override.username);
  }

  claim({ markKey, username, atMs, expiresAtMs }: QuotaMark, nowMs: number): boolean {
    const sql = `INSERT INTO quota_mark VALUES (?, ?, ?, ?) ON CONFLICT DO UPDATE SET
      username = excluded.username, at_ms = excluded.at_ms, expires_at_ms = excluded.expires_at_ms
      WHERE expires_at_ms < ?`;
    return this.#database.run(sql, markKey, username, atMs, expiresAtMs, nowMs) > 0;
  }

  unclaim(markKey: string): boolean {
    return this.#database.run("DELETE FROM quota_mark WHERE mark_key = ?", markKey) > 0;
  }

  marks(username: string): QuotaMark[] {
    const sql = "SELECT * FROM quota_mark WHERE username = ? ORDER BY mark_key LIMIT ?";
    return this.#database.rows(sql, username, PAGE_ITEMS_MAX).map((row) => ({
      markKey: row["mark_key"] as string,
      username,
      atMs: row["at_ms"] as number,
      expiresAtMs: row["expires_at_ms"] as number,
    }));
  }

  addAction(action: QuotaAction): boolean {
    const { actionKey, username, acctSessionKey, rule, threshold, periodKey } = action;
    const sql = "INSERT INTO quota_action VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING";
    const named = [actionKey, username, acctSessionKey, rule, threshold, periodKey, action.action] as const;
    const { state, attempts, dueAtMs, lastOutcome, lastAtMs, createdAtMs, expiresAtMs } = action;
    const progress = [state, attempts, dueAtMs, lastOutcome, lastAtMs, createdAtMs, expiresAtMs] as const;
    return this.#database.run(sql, ...named, ...progress) > 0;
  }

  takeDueActions(nowMs: number, leaseUntilMs: number, limit: number): QuotaAction[] {
    const due = "SELECT * FROM quota_action WHERE due_at_ms <= ? ORDER BY due_at_ms, action_key LIMIT ?";
    return this.#database.rows(due, nowMs, limit).map((row) => {
      const sql = "UPDATE quota_action SET due_at_ms = ? WHERE action_key = ?";
      this.#database.run(sql, leaseUntilMs, row["action_key"]);
      return { ...actionOf(row), dueAtMs: leaseUntilMs };
    });
  }

  changeAction(actionKey: string, change: QuotaActionChange): boolean {
    const columns: readonly (readonly [string, SqlValue | undefined])[] = [
      ["state", change.state],
      ["attempts", change.attempts],
      ["due_at_ms", change.dueAtMs],
      ["last_outcome", change.lastOutcome],
      ["last_at_ms", change.lastAtMs],
    ];
    const given = columns.filter(([, value]) => value !== undefined);
    const set = ["action_key = action_key", ...given.map(([column]) => `${column} = ?`)].join(", ");
    const values = given.map(([, value]) => value);
    return this.#database.run(`UPDATE quota_action SET ${set} WHERE action_key = ?`, ...values, actionKey) > 0;
  }

  actions(username: string): QuotaAction[] {
    const sql = "SELECT * FROM quota_action WHERE username = ? ORDER BY action_key LIMIT ?";
    return this.#database.rows(sql, username, PAGE_ITEMS_MAX).map(actionOf);
  }

  removeAction(actionKey: string): boolean {
    return this.#database.run("DELETE FROM quota_action WHERE action_key = ?", actionKey) > 0;
  }

  prune(nowMs: number, limit: number): number {
    let pruned = 0;
    for (const [table, key] of [
      ["quota_mark", "mark_key"],
      ["quota_action", "action_key"],
    ]) {
      const expired = `SELECT ${key} FROM ${table} WHERE expires_at_ms < ? LIMIT ?`;
      pruned += this.#database.run(`DELETE FROM ${table} WHERE ${key} IN (${expired})`, nowMs, limit);
    }
    return pruned;
  }
}

function overrideOf(row: Row): QuotaOverride {
  return {
    username: row["username"] as string,
    limits: (JSON.parse(row["limits"] as string) as Partial<QuotaLimit>[]).map(limitOf),
    note: optional<string>(row["note"]),
    setAtMs: row["set_at_ms"] as number,
    setBy: row["set_by"] as string,
  };
}

/** JSON leaves out an amount that is undefined. */
function limitOf(limit: Partial<QuotaLimit>): QuotaLimit {
  return { rule: limit.rule as string, amount: limit.amount };
}

function actionOf(row: Row): QuotaAction {
  return {
    actionKey: row["action_key"] as string,
    username: row["username"] as string,
    acctSessionKey: row["acct_session_key"] as string,
    rule: row["rule"] as string,
    threshold: row["threshold"] as number,
    periodKey: row["period_key"] as string,
    action: row["action"] as QuotaAction["action"],
    state: row["state"] as QuotaActionState,
    attempts: row["attempts"] as number,
    dueAtMs: row["due_at_ms"] as number,
    lastOutcome: optional<string>(row["last_outcome"]),
    lastAtMs: optional<number>(row["last_at_ms"]),
    createdAtMs: row["created_at_ms"] as number,
    expiresAtMs: row["expires_at_ms"] as number,
  };
}
