import type { PeriodRules } from "../periods.ts";
import type { Store, StoreFault } from "../types.ts";
import type { DatabaseOptions } from "./database.ts";

/** What every concern offers, and whether it writes. */
export const METHODS = {
  acctSessions: {
    record: "write",
    find: "read",
    one: "read",
    close: "write",
    closeNas: "write",
    closeStale: "write",
    prune: "prune",
    countOpen: "read",
  },
  usage: { totals: "read", periods: "read", prune: "prune" },
  quota: {
    override: "read",
    putOverride: "write",
    removeOverride: "write",
    overrides: "read",
    claim: "write",
    unclaim: "write",
    marks: "read",
    addAction: "write",
    takeDueActions: "write",
    changeAction: "write",
    actions: "read",
    removeAction: "write",
    prune: "prune",
  },
  users: { one: "read", put: "write", putAll: "write", replace: "write", remove: "write", list: "read" },
  plans: { one: "read", put: "write", replace: "write", remove: "write", list: "read" },
  userChanges: { put: "write", take: "write", settle: "write", countDue: "read" },
  audit: { append: "write", find: "read", prune: "prune" },
  outbox: {
    put: "write",
    take: "write",
    delivered: "write",
    retry: "write",
    bury: "write",
    dead: "read",
    revive: "write",
    prune: "prune",
    counts: "read",
  },
  bindings: { put: "write", remove: "write", list: "read" },
  apiRecords: { put: "write", one: "read", take: "write", list: "read", prune: "prune" },
} as const satisfies { readonly [Name in Concern]: Record<keyof Store[Name], MethodKind> };

/** "prune" writes, and leaves pages that can go back to the file system. */
type MethodKind = "read" | "write" | "prune";

export type Concern =
  | "acctSessions"
  | "usage"
  | "quota"
  | "users"
  | "plans"
  | "userChanges"
  | "audit"
  | "outbox"
  | "bindings"
  | "apiRecords";

/** A concern as it is in the worker: the same methods, synchronous. */
export type Synchronous<Interface> = {
  readonly [Name in keyof Interface]: Interface[Name] extends (...values: infer Values) => Promise<infer Result>
    ? (...values: Values) => Result
    : never;
};

/** `workerData` of the worker. */
export interface ThreadOptions {
  readonly database: DatabaseOptions;
  readonly outboxMax: number;
  readonly periods: PeriodRules;
  /** Wall clock, for the log of migrations. */
  readonly nowMs: number;
}

export interface Call {
  readonly concern: Concern;
  readonly method: string;
  readonly values: readonly unknown[];
}

/** To the worker. The calls of one message share one transaction and one commit. */
export type Request =
  | { readonly type: "calls"; readonly calls: readonly Call[] }
  | { readonly type: "periods"; readonly rules: PeriodRules }
  | { readonly type: "stop" };

/** From the worker. After "failed" it ends: whoever wants to go on starts another. */
export type Report =
  | { readonly type: "up" }
  | { readonly type: "results"; readonly results: readonly Result[] }
  | { readonly type: "failed"; readonly reason: StoreFault; readonly message: string };

export type Result =
  | { readonly value: unknown }
  /** The values of the call make no sense. */
  | { readonly mistake: string }
  | { readonly reason: StoreFault; readonly message: string };
