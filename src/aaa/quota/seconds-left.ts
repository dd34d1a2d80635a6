import type { Standing } from "./rules.ts";

/** Seconds until a rule that counts time disconnects the user; undefined when none does. */
export function secondsLeft(standings: readonly Standing[]): number | undefined {
  let least: number | undefined;
  for (const { rule, used, amount } of standings) {
    if (rule.counts !== "time" || amount === undefined) continue;
    for (const { percent, action } of rule.thresholds) {
      if (action?.kind !== "disconnect") continue;
      const left = Math.max(0, Math.floor((amount * percent) / 100 - used));
      least = least === undefined ? left : Math.min(least, left);
    }
  }
  return least;
}
