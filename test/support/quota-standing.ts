import type { QuotaActionOptions, QuotaCounts } from "../../src/aaa/quota/options.ts";
import type { Standing } from "../../src/aaa/quota/rules.ts";

/** How a user of 1,000 octets in all stands with a rule whose one threshold, at 100 %, does this. */
export const standing = (percent: number, action: QuotaActionOptions, counts: QuotaCounts = "both"): Standing => ({
  rule: {
    name: "monthly",
    match: {},
    counts,
    period: { kind: "total" },
    amount: 1_000,
    thresholds: [{ percent: 100, notify: false, action }],
  },
  used: percent * 10,
  amount: 1_000,
  percent,
  periodKey: "total",
  periodEndsAtMs: 0,
});
