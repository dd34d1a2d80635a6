import { type MessagePort, parentPort, workerData } from "node:worker_threads";
import { storeFault } from "../store-error.ts";
import { commitGroup, isFatal, messageOf } from "./commit-group.ts";
import { Database } from "./database.ts";
import { sqliteFault } from "./sqlite-fault.ts";
import { openTables, type Tables } from "./tables.ts";
import type { Call, Report, Request, ThreadOptions } from "./thread-messages.ts";

// The thread that owns the connection: SQLite is synchronous, and a commit waits for the disk.
const port = parentPort as MessagePort;
const options = workerData as ThreadOptions;

function report(message: Report): void {
  port.postMessage(message);
}

function fail(error: unknown): void {
  report({ type: "failed", reason: sqliteFault(error) ?? "unknown", message: messageOf(error) });
  port.close();
}

function answer(database: Database, tables: Tables, calls: readonly Call[]): void {
  try {
    report({ type: "results", results: commitGroup(database, tables, calls) });
  } catch (error) {
    const reason = storeFault(error) ?? "unknown";
    report({ type: "results", results: calls.map(() => ({ reason, message: messageOf(error) })) });
    if (!isFatal(reason)) return;
    fail(error);
    close(database);
  }
}

function close(database: Database): void {
  try {
    database.close();
  } catch {
    // It failed before; what matters has been reported.
  }
}

function serve(database: Database): void {
  const tables = openTables(database, options.periods, options.outboxMax);
  port.on("message", (request: Request) => {
    switch (request.type) {
      case "calls":
        return answer(database, tables, request.calls);
      case "periods":
        return tables.usePeriods(request.rules);
      case "stop":
        database.exec("PRAGMA optimize");
        close(database);
        return port.close();
    }
  });
  report({ type: "up" });
}

try {
  serve(Database.open(options.database, options.nowMs));
} catch (error) {
  fail(error);
}
