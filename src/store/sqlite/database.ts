import { closeSync, existsSync, openSync, statSync } from "node:fs";
import { dirname } from "node:path";
import { DatabaseSync, type StatementSync } from "node:sqlite";
import { makeFolder } from "../folder.ts";
import { storeError } from "../store-error.ts";
import { MIGRATIONS } from "./schema.ts";

export interface DatabaseOptions {
  /** A path, or ":memory:". Missing folders are made. */
  readonly file: string;
  /** "full": a commit survives loss of power. "normal": loss of power may undo the latest commits, a crash of the hub does not. */
  readonly synchronous: "full" | "normal";
  /** How long to wait for another process that holds the file. */
  readonly busyTimeoutMs: number;
  /** The page check at opening reads the whole file; a larger one than this is opened without it. */
  readonly checkBytesMax: number;
}

export type Row = Record<string, SqlValue>;
export type SqlValue = string | number | null;
type Value = SqlValue | undefined | boolean;

/** "RHub": tells a store of ours from any other SQLite file. */
const APPLICATION_ID = 0x52487562;
const PRAGMAS = `
  PRAGMA foreign_keys = ON;
  PRAGMA cache_size = -65536;
  PRAGMA journal_size_limit = 67108864;
  PRAGMA temp_store = MEMORY;
`;

/** One connection with its prepared statements. Synchronous: it belongs into a worker thread. */
export class Database {
  readonly #connection: DatabaseSync;
  readonly #statements = new Map<string, StatementSync>();

  private constructor(connection: DatabaseSync) {
    this.#connection = connection;
  }

  /** Opens the file, makes or migrates the schema, and proves that it can be written.
   *  @throws {HubError} ERR_STORE "corrupt"; SQLite's own error otherwise: sqliteFault() names it */
  static open(options: DatabaseOptions, nowMs: number): Database {
    const known = options.file === ":memory:" ? 0 : prepareFile(options.file);
    const connection = new DatabaseSync(options.file, { timeout: options.busyTimeoutMs });
    const database = new Database(connection);
    try {
      database.#checkOwner(); // before anything is written to it
      // Before the first table is there, or it has no effect.
      if (known === 0) connection.exec("PRAGMA auto_vacuum = INCREMENTAL");
      connection.exec(`PRAGMA journal_mode = WAL; PRAGMA synchronous = ${options.synchronous}; ${PRAGMAS}`);
      if (known > 0 && known <= options.checkBytesMax) database.#check();
      database.#migrate(nowMs);
    } catch (error) {
      connection.close();
      throw error;
    }
    return database;
  }

  get isOpen(): boolean {
    return this.#connection.isOpen;
  }

  get inTransaction(): boolean {
    return this.#connection.isTransaction;
  }

  /** @returns rows changed */
  run(sql: string, ...values: Value[]): number {
    return Number(this.#statement(sql).run(...bindable(values)).changes);
  }

  row(sql: string, ...values: Value[]): Row | undefined {
    return this.#statement(sql).get(...bindable(values)) as Row | undefined;
  }

  rows(sql: string, ...values: Value[]): Row[] {
    return this.#statement(sql).all(...bindable(values)) as Row[];
  }

  exec(sql: string): void {
    this.#connection.exec(sql);
  }

  close(): void {
    this.#statements.clear();
    this.#connection.close();
  }

  #statement(sql: string): StatementSync {
    let statement = this.#statements.get(sql);
    if (statement === undefined) {
      statement = this.#connection.prepare(sql);
      this.#statements.set(sql, statement);
    }
    return statement;
  }

  #checkOwner(): void {
    const owner = this.row("PRAGMA application_id")?.["application_id"];
    if (owner === APPLICATION_ID) return;
    if (owner !== 0 || this.row("SELECT 1 FROM sqlite_schema") !== undefined) {
      throw storeError("corrupt", "the file belongs to another program");
    }
  }

  #check(): void {
    const verdict = this.row("PRAGMA quick_check(1)")?.["quick_check"];
    if (verdict !== "ok") throw storeError("corrupt", `the file is damaged: ${verdict}`);
  }

  #migrate(nowMs: number): void {
    this.exec("BEGIN IMMEDIATE");
    try {
      this.exec(`
        PRAGMA application_id = ${APPLICATION_ID};
        CREATE TABLE IF NOT EXISTS migration (version INTEGER PRIMARY KEY, applied_at_ms INTEGER NOT NULL) STRICT;
        CREATE TABLE IF NOT EXISTS opened (at_ms INTEGER NOT NULL) STRICT;
      `);
      const version = Number(this.row("SELECT coalesce(max(version), 0) AS version FROM migration")?.["version"]);
      if (version > MIGRATIONS.length) {
        throw storeError("corrupt", `the file has version ${version}, this program knows ${MIGRATIONS.length}`);
      }
      for (const [index, migration] of MIGRATIONS.entries()) {
        if (index < version) continue;
        this.exec(migration);
        this.run("INSERT INTO migration VALUES (?, ?)", index + 1, nowMs);
      }
      // A disk that is full or read-only shows here and not at the first record.
      this.run("DELETE FROM opened");
      this.run("INSERT INTO opened VALUES (?)", nowMs);
      this.exec("COMMIT");
    } catch (error) {
      if (this.inTransaction) this.exec("ROLLBACK");
      throw error;
    }
  }
}

/** Makes the file readable for nobody else: it names users. @returns how large it is */
function prepareFile(file: string): number {
  makeFolder(dirname(file));
  if (!existsSync(file)) closeSync(openSync(file, "a", 0o600));
  return statSync(file).size;
}

/** Changes the array in place: it is the caller's rest parameter, and this runs for every statement. */
function bindable(values: Value[]): SqlValue[] {
  for (let index = 0; index < values.length; index += 1) {
    const value = values[index];
    if (value === undefined) values[index] = null;
    else if (typeof value === "boolean") values[index] = Number(value);
  }
  return values as SqlValue[];
}
