import { type MessagePort, parentPort, receiveMessageOnPort, workerData } from "node:worker_threads";
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
  const serveOne = (request: Request): void => {
    switch (request.type) {
      case "calls": {
        // What has come meanwhile goes along: one commit for all that waits.
        const calls = [...request.calls];
        const next = moreCalls(calls);
        answer(database, tables, calls);
        return next === undefined || !database.isOpen ? undefined : serveOne(next);
      }
      case "periods":
        return tables.usePeriods(request.rules);
      case "stop":
        database.exec("PRAGMA optimize");
        close(database);
        return port.close();
    }
  };
  port.on("message", serveOne);
  report({ type: "up" });
}

/** Takes the calls that wait on the port, up to the first request of another kind. @returns that request */
function moreCalls(calls: Call[]): Request | undefined {
  for (;;) {
    const request = (receiveMessageOnPort(port) as { readonly message: Request } | undefined)?.message;
    if (request?.type !== "calls") return request;
    calls.push(...request.calls);
  }
}

try {
  serve(Database.open(options.database, options.nowMs));
} catch (error) {
  fail(error);
}
