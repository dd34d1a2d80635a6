import { z } from "zod";
import { parseAmount } from "../../aaa/quota/amounts.ts";
import {
  type NamedAttribute,
  type QuotaOptions,
  type QuotaRule,
  ROLLING_HOURS_MAX,
  THRESHOLDS_MAX,
  type VerdictOptions,
} from "../../aaa/quota/options.ts";
import type { PeriodSpec } from "../../store/periods.ts";
import { itemsOf, reportDuplicates, section, valueAt, withRules } from "../section.ts";
import { choice, count, duration, flag, list, name, oneOrMany, refuse, text } from "../values.ts";
import { httpUrl } from "./webhooks.ts";

/** "50GB", "1TiB" in octets, "30h" in seconds: which of them fits what is counted is a rule of the section. */
const amount = text('Octets such as "50GB" or "1TiB"; for time "30h"; without it no limit but an override.')
  .transform((value, context) => {
    return parseAmount(value) ?? refuse(context, 'must be an amount such as "50GB" or "30h"');
  })
  .optional();

const attributes = (description: string) =>
  z
    .record(z.string(), z.union([z.string(), z.number(), z.boolean()]), "must be a map of attribute names and values")
    .meta({ description });

const threshold = section(
  {
    percent: count("Of the amount; may be beyond 100.", 1, 1_000),
    notify: flag("Whether a webhook (quota.reached) tells of it, once per period.").default(true),
    action: choice("What is done to each acct session of the user.", ["throttle", "disconnect"]).optional(),
    attributes: attributes("throttle: what the CoA-Request sets, such as Mikrotik-Rate-Limit.").optional(),
    undo: attributes("throttle: what takes it back when the quota is raised or a new period begins.").optional(),
  },
  (values, report) => {
    const throttles = valueAt(values, "action") === "throttle";
    if (throttles && valueAt(values, "attributes") === undefined)
      report(["attributes"], "is required with action: throttle");
    for (const key of ["attributes", "undo"]) {
      if (!throttles && valueAt(values, key) !== undefined) report([key], "has no meaning without action: throttle");
    }
  },
).meta({ description: "What happens at a share of the amount." });

const verdict = section({
  url: httpUrl("REST endpoint that is asked what has been used up."),
  authorization: text("Header Authorization, whole.").optional(),
  timeout: duration("How long its answer is awaited.", { min: "100ms", max: "30s" }).prefault("2s"),
  keep: duration("How long an answer holds for a user.", { min: "0s", max: "24h" }).prefault("30s"),
  whenDown: choice("While it does not answer: allow does nothing, act goes by the count of the hub.", [
    "allow",
    "last-known",
    "act",
  ]).default("last-known"),
}).meta({ description: "An endpoint of yours that knows better." });

const rule = section(
  {
    name: name("Name of the rule."),
    match: section({
      users: oneOrMany("User-Names.", text("A User-Name.")).optional(),
      plans: oneOrMany("Names of plans.", text("A plan.")).optional(),
      nas: oneOrMany("NAS-Identifiers: the rule holds for acct sessions there.", text("A NAS-Identifier.")).optional(),
      realms: oneOrMany('Realms of users; "*.example.org" is every one below.', text("A realm.")).optional(),
    })
      .prefault({})
      .meta({ description: "Whom it is about; empty is everybody for whom no other rule holds." }),
    counts: choice("What is counted.", ["upload", "download", "both", "time"]).default("both"),
    period: choice("When it begins anew.", ["total", "day", "week", "month", "rolling"]).default("month"),
    startDay: count("First day: of a week 1 (Monday) to 7, of a month 1 to 28.", 1, 28).default(1),
    hours: count("rolling: how many hours back.", 1, ROLLING_HOURS_MAX).default(24),
    amount,
    thresholds: list("What happens when.", threshold),
    verdict: verdict.optional(),
  },
  (values, report) => {
    const of = valueAt(values, "amount", "of");
    const time = valueAt(values, "counts") === "time";
    if (of !== undefined && (of === "time") !== time)
      report(["amount"], `must be ${time ? "a time" : "octets"}: see counts`);
    const percents = itemsOf(valueAt(values, "thresholds")).map((each) => valueAt(each, "percent"));
    if (percents.length === 0 || percents.length > THRESHOLDS_MAX) {
      report(["thresholds"], `must be 1 to ${THRESHOLDS_MAX} thresholds`);
    }
    for (const [index, percent] of percents.entries()) {
      if (percents.indexOf(percent) < index) report(["thresholds", index, "percent"], "stands there already");
    }
    if (valueAt(values, "period") === "week" && Number(valueAt(values, "startDay")) > 7) {
      report(["startDay"], "must be 1 (Monday) to 7 for a week");
    }
  },
).meta({ description: "How much of what in which time." });

export const quotaSection = section({
  rules: withRules(list("Quotas; all that fit a user hold at once.", rule), (rules, report) =>
    reportDuplicates(rules, "name", "rule name", report),
  ),
  timeZone: text("Where days, weeks and months begin, such as Europe/Berlin.")
    .refine(isTimeZone, "is not a time zone of the IANA list")
    .prefault("UTC"),
  repeat: section({
    floor: duration("Before an action is repeated that the NAS refused or did not answer.", {
      min: "1s",
      max: "1h",
    }).prefault("5s"),
    cap: duration("The longest time between two repetitions.", { min: "1s", max: "24h" }).prefault("5m"),
    times: count("Requests in all.", 1, 1_000).default(10),
  })
    .prefault({})
    .meta({ description: "Repetition of actions." }),
});

function isTimeZone(zone: string): boolean {
  try {
    return new Intl.DateTimeFormat("en", { timeZone: zone }).resolvedOptions().timeZone !== "";
  } catch {
    return false; // RangeError: no such zone
  }
}

const MEMORY_MS = 30_000;
const SWEEP_MS = 1_000;

export function quotaOptions({ rules, timeZone, repeat }: z.output<typeof quotaSection>): QuotaOptions {
  return {
    rules: rules.map(ruleOf),
    timeZone,
    repeat: { floorMs: repeat.floor, capMs: repeat.cap, attemptsMax: repeat.times },
    memoryMs: MEMORY_MS,
    sweepMs: SWEEP_MS,
  };
}

type RuleValues = z.output<typeof quotaSection>["rules"][number];

function ruleOf(values: RuleValues): QuotaRule {
  return {
    name: values.name,
    match: { ...values.match, realms: values.match.realms?.map((realm) => realm.toLowerCase()) },
    counts: values.counts,
    period: periodOf(values),
    amount: values.amount?.value,
    thresholds: values.thresholds.map(({ percent, notify, action, attributes: set = {}, undo = {} }) => ({
      percent,
      notify,
      action:
        action === "throttle"
          ? { kind: action, attributes: named(set), undo: named(undo) }
          : action && { kind: action },
    })),
    verdict: values.verdict && verdictOf(values.verdict),
  };
}

function verdictOf({
  url,
  authorization,
  timeout,
  keep,
  whenDown,
}: NonNullable<RuleValues["verdict"]>): VerdictOptions {
  return { url, authorization, timeoutMs: timeout, keepMs: keep, whenDown };
}

function periodOf({ period, startDay, hours }: RuleValues): PeriodSpec {
  if (period === "week" || period === "month") return { kind: period, startDay };
  return period === "rolling" ? { kind: period, hours } : { kind: period };
}

function named(attributesByName: Readonly<Record<string, string | number | boolean>>): NamedAttribute[] {
  return Object.entries(attributesByName).map(([attribute, value]) => ({ name: attribute, value }));
}
