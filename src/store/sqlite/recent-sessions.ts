import { LRUCache } from "lru-cache";
import type { AcctSession } from "../acct-session.ts";
import type { Database } from "./database.ts";

export interface Stored {
  readonly sessionRow: number;
  readonly acctSession: AcctSession;
}

/** Some 16 MiB. Beyond, the acct session that was longest untouched is read from the file again. */
const RECENT_MAX = 16_384;

/** The latest generation of acct sessions that records touched of late, as stored: an Interim then need not read what the last one
 *  wrote. It may only answer inside a transaction that began with refresh(), and forgets all when something was undone. */
export class RecentSessions {
  readonly #database: Database;
  readonly #byBase = new LRUCache<string, Stored>({ max: RECENT_MAX });
  #version: unknown;

  constructor(database: Database) {
    this.#database = database;
  }

  /** Forgets all if another connection has written to the file since. @returns whether it has */
  refresh(): boolean {
    const version = this.#database.row("PRAGMA data_version")?.["data_version"];
    const isOther = version !== this.#version;
    if (isOther) this.#byBase.clear();
    this.#version = version;
    return isOther;
  }

  forget(): void {
    this.#byBase.clear();
  }

  /** @param base key of generation 0 */
  latest(base: string): Stored | undefined {
    return this.#byBase.get(base);
  }

  keep(base: string, stored: Stored): void {
    this.#byBase.set(base, stored);
  }

  /** A row was written: what was known of it is as it is now. */
  changed(base: string, stored: Stored): void {
    if (this.#byBase.peek(base)?.sessionRow === stored.sessionRow) this.#byBase.set(base, stored);
  }
}
