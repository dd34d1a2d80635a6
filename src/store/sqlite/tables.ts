import { Periods, type PeriodRules } from "../periods.ts";
import type { Store } from "../types.ts";
import { AcctSessionTable } from "./acct-session-table.ts";
import { ApiRecordTable } from "./api-record-table.ts";
import { AuditTable } from "./audit-table.ts";
import { BindingTable } from "./binding-table.ts";
import type { Database } from "./database.ts";
import { OutboxTable } from "./outbox-table.ts";
import { QuotaTables } from "./quota-tables.ts";
import { RecentSessions } from "./recent-sessions.ts";
import type { Concern, Synchronous } from "./thread-messages.ts";
import { UsageTable } from "./usage-table.ts";
import { UserChangeTable } from "./user-change-table.ts";
import { PlanTable, UserTable } from "./user-tables.ts";

export type Tables = { readonly [Name in Exclude<Concern, "acctSessions">]: Synchronous<Store[Name]> } & {
  /** record() is packed. */
  readonly acctSessions: Omit<Synchronous<Store["acctSessions"]>, "record"> & Pick<AcctSessionTable, "record">;
  readonly usePeriods: (rules: PeriodRules) => void;
  /** To be called once a transaction has begun. */
  readonly begun: () => void;
  /** To be called when something was undone. */
  readonly undone: () => void;
};

/** Every concern of a store on one connection. */
export function openTables(database: Database, rules: PeriodRules, outboxMax: number): Tables {
  const periods = new Periods(rules);
  const usage = new UsageTable(database, periods);
  const recent = new RecentSessions(database);
  const acctSessions = new AcctSessionTable(database, usage, recent, periods);
  return {
    acctSessions,
    usage,
    quota: new QuotaTables(database),
    users: new UserTable(database),
    plans: new PlanTable(database),
    userChanges: new UserChangeTable(database),
    audit: new AuditTable(database),
    outbox: new OutboxTable(database, outboxMax),
    bindings: new BindingTable(database),
    apiRecords: new ApiRecordTable(database),
    usePeriods: (changed) => {
      const next = new Periods(changed);
      usage.usePeriods(next);
      acctSessions.usePeriods(next);
    },
    begun: () => {
      if (recent.refresh()) usage.forget();
    },
    undone: () => {
      recent.forget();
      usage.forget();
    },
  };
}
