import type { QuotaCounts } from "./options.ts";
import type { Standing } from "./rules.ts";

/** Seconds until a rule that counts time disconnects the user; undefined when none does. */
export function secondsLeft(standings: readonly Standing[]): number | undefined {
  return left(standings, "time");
}

/** Octets of both directions together until a rule that counts them disconnects the user; undefined when none does. */
export function octetsLeft(standings: readonly Standing[]): number | undefined {
  return left(standings, "both");
}

function left(standings: readonly Standing[], counts: QuotaCounts): number | undefined {
  let least: number | undefined;
  for (const { rule, used, amount } of standings) {
    if (rule.counts !== counts || amount === undefined) continue;
    for (const { percent, action } of rule.thresholds) {
      if (action?.kind !== "disconnect") continue;
      const rest = Math.max(0, Math.floor((amount * percent) / 100 - used));
      least = least === undefined ? rest : Math.min(least, rest);
    }
  }
  return least;
}
