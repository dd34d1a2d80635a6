import { storeError } from "../store-error.ts";
import type { StoreFault } from "../types.ts";
import type { Database } from "./database.ts";
import { sqliteFault } from "./sqlite-fault.ts";
import type { Tables } from "./tables.ts";
import { type Call, METHODS, type Result } from "./thread-messages.ts";

/** After one of these the connection is not to be trusted: it is closed, and opened anew later. */
const FATAL: ReadonlySet<StoreFault> = new Set(["down", "full", "read-only", "corrupt", "unknown"]);
/** Pages given back to the file system after a prune: some 1 MiB, so that nobody waits long. */
const VACUUM_PAGES = 256;

/** Runs calls in order in one transaction: one commit, one fsync for all. A call that fails undoes itself and not the others.
 *  @throws {HubError} ERR_STORE when the group as a whole failed. Nothing of it is stored, unless the reason is "unknown" */
export function commitGroup(database: Database, tables: Tables, calls: readonly Call[]): Result[] {
  const kinds = new Set(calls.map(kindOf));
  // A transaction that begins as a reader cannot always become a writer.
  const begin = kinds.has("write") || kinds.has("prune") ? "BEGIN IMMEDIATE" : "BEGIN";
  let committing = false;
  try {
    const results = runTogether(database, tables, calls, begin) ?? runEachApart(database, tables, calls, begin);
    committing = true;
    database.run("COMMIT");
    if (kinds.has("prune")) database.exec(`PRAGMA incremental_vacuum(${VACUUM_PAGES})`);
    return results;
  } catch (error) {
    if (database.inTransaction) database.exec("ROLLBACK");
    tables.undone();
    const fault = sqliteFault(error) ?? "unknown";
    // Before the commit nothing can have been stored, whatever went wrong.
    throw storeError(fault === "unknown" && !committing ? "down" : fault, messageOf(error), error);
  }
}

/** Whether the connection has to go after such a fault. */
export function isFatal(fault: StoreFault): boolean {
  return FATAL.has(fault);
}

export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

/** Begins, and runs calls without savepoints: one copies each page that changes behind it, and mistakes are rare.
 *  @returns undefined when one of them made a mistake: all are undone */
function runTogether(database: Database, tables: Tables, calls: readonly Call[], begin: string): Result[] | undefined {
  database.run(begin);
  tables.begun();
  try {
    return calls.map((call) => run(tables, call));
  } catch (error) {
    if (sqliteFault(error) !== undefined || !database.inTransaction) throw error;
    database.exec("ROLLBACK");
    tables.undone();
    return undefined;
  }
}

function runEachApart(database: Database, tables: Tables, calls: readonly Call[], begin: string): Result[] {
  database.run(begin);
  tables.begun();
  return calls.map((call) => runApart(database, tables, call));
}

/** A mistake in one call undoes that call; a fault of the database ends the group. */
function runApart(database: Database, tables: Tables, call: Call): Result {
  database.run("SAVEPOINT call");
  try {
    const result = run(tables, call);
    database.run("RELEASE call");
    return result;
  } catch (error) {
    if (sqliteFault(error) !== undefined || !database.inTransaction) throw error;
    database.exec("ROLLBACK TO call; RELEASE call");
    tables.undone();
    return { mistake: messageOf(error) };
  }
}

function run(tables: Tables, { concern, method, values }: Call): Result {
  const methods = tables[concern] as unknown as Record<string, (...values: readonly unknown[]) => unknown>;
  return { value: methods[method]?.(...values) };
}

function kindOf({ concern, method }: Call): string {
  return (METHODS[concern] as Readonly<Record<string, string>>)[method] as string;
}
