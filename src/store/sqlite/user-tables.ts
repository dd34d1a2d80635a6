import type { Page, PageRequest } from "../types.ts";
import type { Plan, User, UserFilter } from "../user-types.ts";
import { optional } from "./acct-session-row.ts";
import type { Database, Row } from "./database.ts";
import { pageOf } from "../page-of.ts";

/** UserStore on one connection. */
export class UserTable {
  readonly #database: Database;

  constructor(database: Database) {
    this.#database = database;
  }

  one(username: string): User | undefined {
    const row = this.#database.row("SELECT * FROM user WHERE username = ?", username);
    return row === undefined ? undefined : userOf(row);
  }

  put({ username, plan, disabled, changedAtMs, revision, ...facts }: User): void {
    const sql = `INSERT OR REPLACE INTO user (username, plan, disabled, changed_at_ms, revision, facts)
      VALUES (?, ?, ?, ?, ?, ?)`;
    this.#database.run(sql, username, plan, disabled, changedAtMs, revision, JSON.stringify(facts));
  }

  putAll(users: readonly User[]): void {
    for (const user of users) this.put(user);
  }

  replace(user: User, revision: string | undefined): boolean {
    if (this.one(user.username)?.revision !== revision) return false;
    this.put(user);
    return true;
  }

  remove(username: string, revision?: string): boolean {
    const sql = "DELETE FROM user WHERE username = ? AND revision = ifnull(?, revision)";
    return this.#database.run(sql, username, revision) > 0;
  }

  list(page: PageRequest, { plan }: UserFilter = {}): Page<User> {
    const after = page.after ?? "";
    const order = "username > ? ORDER BY username LIMIT ?";
    const rows =
      plan === undefined
        ? this.#database.rows(`SELECT * FROM user WHERE ${order}`, after, page.limit + 1)
        : this.#database.rows(`SELECT * FROM user WHERE plan = ? AND ${order}`, plan, after, page.limit + 1);
    return pageOf(rows.map(userOf), page.limit, (user) => user.username);
  }
}

/** PlanStore on one connection. */
export class PlanTable {
  readonly #database: Database;

  constructor(database: Database) {
    this.#database = database;
  }

  one(name: string): Plan | undefined {
    const row = this.#database.row("SELECT * FROM plan WHERE name = ?", name);
    return row === undefined ? undefined : planOf(row);
  }

  put({ name, quotaRules, changedAtMs, revision, ...facts }: Plan): void {
    const sql = `INSERT OR REPLACE INTO plan (name, quota_rules, changed_at_ms, revision, facts) VALUES (?, ?, ?, ?, ?)`;
    this.#database.run(sql, name, JSON.stringify(quotaRules), changedAtMs, revision, JSON.stringify(facts));
  }

  replace(plan: Plan, revision: string | undefined): boolean {
    if (this.one(plan.name)?.revision !== revision) return false;
    this.put(plan);
    return true;
  }

  remove(name: string, revision?: string): boolean {
    const sql = "DELETE FROM plan WHERE name = ? AND revision = ifnull(?, revision)";
    return this.#database.run(sql, name, revision) > 0;
  }

  list(page: PageRequest): Page<Plan> {
    const sql = "SELECT * FROM plan WHERE name > ? ORDER BY name LIMIT ?";
    const rows = this.#database.rows(sql, page.after ?? "", page.limit + 1);
    return pageOf(rows.map(planOf), page.limit, (plan) => plan.name);
  }
}

type UserRow = Omit<User, "username" | "plan" | "disabled" | "changedAtMs" | "revision">;
type PlanRow = Omit<Plan, "name" | "quotaRules" | "changedAtMs" | "revision">;

/** JSON leaves out what is undefined. */
function userOf(row: Row): User {
  const facts = JSON.parse(row["facts"] as string) as Partial<UserRow>;
  return {
    username: row["username"] as string,
    password: facts.password,
    validFromMs: facts.validFromMs,
    validUntilMs: facts.validUntilMs,
    disabled: row["disabled"] === 1,
    plan: optional<string>(row["plan"]),
    overrides: facts.overrides ?? {},
    note: facts.note,
    changedAtMs: row["changed_at_ms"] as number,
    revision: row["revision"] as string,
  };
}

function planOf(row: Row): Plan {
  const facts = JSON.parse(row["facts"] as string) as Partial<PlanRow>;
  return {
    name: row["name"] as string,
    values: facts.values ?? {},
    quotaRules: JSON.parse(row["quota_rules"] as string) as string[],
    note: facts.note,
    changedAtMs: row["changed_at_ms"] as number,
    revision: row["revision"] as string,
  };
}
