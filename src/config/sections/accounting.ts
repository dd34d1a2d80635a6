import type { z } from "zod";
import type { UpkeepOptions } from "../../aaa/upkeep/options.ts";
import { section } from "../section.ts";
import { count, duration, flag } from "../values.ts";

const KEPT = { min: "1h", max: "3650d" };

const retention = section({
  interval: duration("Between two runs that forget what is old.", { min: "1m", max: "24h" }).prefault("10m"),
  sessions: duration(
    "How long closed acct sessions are kept; their usage stays as long as a quota needs it.",
    KEPT,
  ).prefault("90d"),
  audit: duration("How long ended exchanges are kept.", KEPT).prefault("90d"),
  deadLetters: duration("How long webhooks that could not be delivered are kept.", KEPT).prefault("30d"),
}).meta({ description: "What is forgotten, and when." });

export const accountingSection = section({
  enabled: flag("Whether Accounting-Requests are stored and answered; false opens no store.").default(true),
  interval: duration("How often routers send Interim-Updates.", { min: "10s", max: "24h" }).prefault("10m"),
  missed: count("Intervals without a record after which an acct session is closed as stale.", 2, 1_000).default(3),
  nasGone: duration("How long a router may have no link before its acct sessions are closed.", {
    min: "1m",
    max: "3650d",
  }).prefault("30m"),
  sweep: duration("Between two looks for what is stale.", { min: "1s", max: "1h" }).prefault("30s"),
  retention: retention.prefault({}),
});

export interface AccountingConfig {
  readonly enabled: boolean;
  readonly staleAfterMs: number;
  readonly upkeep: UpkeepOptions;
}

export function accountingConfig(values: z.output<typeof accountingSection>): AccountingConfig {
  const { interval, sessions, audit, deadLetters } = values.retention;
  return {
    enabled: values.enabled,
    staleAfterMs: values.interval * values.missed,
    upkeep: {
      sweepMs: values.sweep,
      nasGoneMs: values.nasGone,
      retention: { intervalMs: interval, acctSessionsMs: sessions, auditMs: audit, deadLettersMs: deadLetters },
    },
  };
}
