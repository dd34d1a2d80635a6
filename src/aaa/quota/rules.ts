import type { QuotaAction, QuotaOverride } from "../../store/quota-types.ts";
import type { UsageTotal } from "../../store/types.ts";
import { fitsRealm, realmOfName } from "../upstream/routes.ts";
import type { QuotaCounts, QuotaRule, QuotaThreshold } from "./options.ts";

/** What a rule is matched by. */
export interface Subject {
  readonly username: string;
  readonly plan: string | undefined;
  /** Plan.quotaRules of that plan. */
  readonly planRules: readonly string[];
  /** Of the router that an acct session is on. */
  readonly nasIdentifier: string | undefined;
}

/** Where a user stands with one rule in its current period. */
export interface Standing {
  readonly rule: QuotaRule;
  /** Octets, or seconds. */
  readonly used: number;
  /** Undefined: no limit, or the operator's endpoint decided. */
  readonly amount: number | undefined;
  /** Of the amount; 0 without a limit. */
  readonly percent: number;
  /** In the keys of marks and actions: Period.key, but "rolling/24" for a rolling period, which has no beginning. */
  readonly periodKey: string;
  /** When it can look different although nobody uses anything. NEVER_MS for "total". */
  readonly periodEndsAtMs: number;
}

export interface Reached {
  readonly standing: Standing;
  readonly threshold: QuotaThreshold;
}

/** The rules that hold for an acct session: all that fit it, and where none does, the defaults. */
export function rulesFor(rules: readonly QuotaRule[], subject: Subject): readonly QuotaRule[] {
  const fitting = rules.filter((rule) => !isDefault(rule) && fits(rule, subject));
  return fitting.length > 0 ? fitting : rules.filter(isDefault);
}

/** The amount of a rule for a user; an override goes before hub.yaml, also one that lifts the limit. */
export function amountFor(rule: QuotaRule, override: QuotaOverride | undefined): number | undefined {
  const limit = override?.limits.find((each) => each.rule === rule.name);
  return limit === undefined ? rule.amount : limit.amount;
}

export function countedBy(counts: QuotaCounts, total: UsageTotal): number {
  switch (counts) {
    case "upload":
      return total.uploadOctets;
    case "download":
      return total.downloadOctets;
    case "both":
      return total.uploadOctets + total.downloadOctets;
    case "time":
      return total.seconds;
  }
}

/** An amount of nothing is used up from the beginning. */
export function percentOf(used: number, amount: number | undefined): number {
  if (amount === undefined) return 0;
  return amount === 0 ? Infinity : (used / amount) * 100;
}

export function reachedOf(standings: readonly Standing[]): readonly Reached[] {
  return standings.flatMap((standing) =>
    standing.rule.thresholds
      .filter(({ percent }) => standing.percent >= percent)
      .map((threshold) => ({ standing, threshold })),
  );
}

/** What is to be done to an acct session: disconnect before throttle, then the highest percentage, then the first rule.
 *  @param reached in the order of the rules */
export function strongest(reached: readonly Reached[]): Reached | undefined {
  let best: Reached | undefined;
  for (const each of reached) {
    if (each.threshold.action === undefined) continue;
    if (best === undefined || isStronger(each.threshold, best.threshold)) best = each;
  }
  return best;
}

/** Once for each threshold and period of a user. */
export function markKeyOf(username: string, { standing, threshold }: Reached): string {
  return `${standing.rule.name} ${threshold.percent} ${standing.periodKey} ${username}`;
}

/** Once for each threshold, period and acct session. */
export function actionKeyOf(acctSessionKey: string, { standing, threshold }: Reached): string {
  return `${standing.rule.name} ${threshold.percent} ${standing.periodKey} ${acctSessionKey}`;
}

/** What was used beyond the threshold's share of the amount: at 100 %, beyond the amount. */
export function overshootOf({ used, amount }: Standing, percent: number): number {
  return amount === undefined ? 0 : Math.max(0, Math.floor(used - (amount * percent) / 100));
}

/** Whether it may have changed something at the NAS that still lasts. */
export function mayBeInForce({ action, state, attempts }: QuotaAction): boolean {
  return action === "throttle" && (state === "done" || state === "undo-due" || (state !== "undone" && attempts > 0));
}

function isStronger(left: QuotaThreshold, right: QuotaThreshold): boolean {
  if (left.action?.kind !== right.action?.kind) return left.action?.kind === "disconnect";
  return left.percent > right.percent;
}

function isDefault({ match }: QuotaRule): boolean {
  return Object.values(match).every((each) => each === undefined);
}

function fits({ name, match }: QuotaRule, subject: Subject): boolean {
  const { users, plans, nas, realms } = match;
  const { username, plan, nasIdentifier } = subject;
  if (users !== undefined && !users.includes(username)) return false;
  if (plans !== undefined && !subject.planRules.includes(name) && (plan === undefined || !plans.includes(plan))) {
    return false;
  }
  if (nas !== undefined && (nasIdentifier === undefined || !nas.includes(nasIdentifier))) return false;
  return realms === undefined || realms.some((realm) => fitsRealm(realm, realmOfName(username)));
}
