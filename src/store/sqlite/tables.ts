import { Periods, type PeriodRules } from "../periods.ts";
import type { Store } from "../types.ts";
import { AcctSessionTable } from "./acct-session-table.ts";
import { AuditTable } from "./audit-table.ts";
import type { Database } from "./database.ts";
import { OutboxTable } from "./outbox-table.ts";
import { QuotaTables } from "./quota-tables.ts";
import type { Concern, Synchronous } from "./thread-messages.ts";
import { UsageTable } from "./usage-table.ts";
import { PlanTable, UserTable } from "./user-tables.ts";

export type Tables = { readonly [Name in Concern]: Synchronous<Store[Name]> } & {
  readonly usePeriods: (rules: PeriodRules) => void;
};

/** Every concern of a store on one connection. */
export function openTables(database: Database, rules: PeriodRules, outboxMax: number): Tables {
  const periods = new Periods(rules);
  const usage = new UsageTable(database, periods);
  const acctSessions = new AcctSessionTable(database, usage, periods);
  return {
    acctSessions,
    usage,
    quota: new QuotaTables(database),
    users: new UserTable(database),
    plans: new PlanTable(database),
    audit: new AuditTable(database),
    outbox: new OutboxTable(database, outboxMax),
    usePeriods: (changed) => {
      const next = new Periods(changed);
      usage.usePeriods(next);
      acctSessions.usePeriods(next);
    },
  };
}
