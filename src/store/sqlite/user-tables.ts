import type { Page, PageRequest } from "../types.ts";
import type { Plan, User } from "../user-types.ts";
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

  put({ username, plan, disabled, changedAtMs }: User): void {
    this.#database.run("INSERT OR REPLACE INTO user VALUES (?, ?, ?, ?)", username, plan, disabled, changedAtMs);
  }

  remove(username: string): boolean {
    return this.#database.run("DELETE FROM user WHERE username = ?", username) > 0;
  }

  list(page: PageRequest): Page<User> {
    const sql = "SELECT * FROM user WHERE username > ? ORDER BY username LIMIT ?";
    const rows = this.#database.rows(sql, page.after ?? "", page.limit + 1);
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

  put({ name, quotaRules, changedAtMs }: Plan): void {
    this.#database.run("INSERT OR REPLACE INTO plan VALUES (?, ?, ?)", name, JSON.stringify(quotaRules), changedAtMs);
  }

  remove(name: string): boolean {
    return this.#database.run("DELETE FROM plan WHERE name = ?", name) > 0;
  }

  list(page: PageRequest): Page<Plan> {
    const sql = "SELECT * FROM plan WHERE name > ? ORDER BY name LIMIT ?";
    const rows = this.#database.rows(sql, page.after ?? "", page.limit + 1);
    return pageOf(rows.map(planOf), page.limit, (plan) => plan.name);
  }
}

function userOf(row: Row): User {
  return {
    username: row["username"] as string,
    plan: optional<string>(row["plan"]),
    disabled: row["disabled"] === 1,
    changedAtMs: row["changed_at_ms"] as number,
  };
}

function planOf(row: Row): Plan {
  return {
    name: row["name"] as string,
    quotaRules: JSON.parse(row["quota_rules"] as string) as string[],
    changedAtMs: row["changed_at_ms"] as number,
  };
}
