import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { histories } from "../../support/accounting-history.ts";
import { ReducedSessions } from "../../support/reduced-sessions.ts";

describe("accounting is exact (invariant 7)", () => {
  it("UL-12 UL-22 any history gives each user what the events say, in all and over the days", () => {
    fc.assert(
      fc.property(histories, fc.array(fc.nat({ max: 30 }), { maxLength: 3 }), ({ records, expected }, closings) => {
        const reduced = new ReducedSessions({ timeZone: "Asia/Kolkata", specs: [{ kind: "day" }] });
        for (const [index, record] of records.entries()) {
          if (closings.includes(index)) closeAll(reduced, record.arrivedAtMs);
          reduced.apply(record);
        }
        for (const [username, usage] of expected) {
          expect(reduced.usage(username)).toEqual(usage);
          expect(daysOf(reduced, username)).toEqual(usage);
        }
      }),
      { numRuns: 1_000 },
    );
  });
});

/** As the hub does with acct sessions that it has not heard of for long. */
function closeAll(reduced: ReducedSessions, atMs: number): void {
  for (const { open, key } of reduced.all) if (open) reduced.close(key, atMs, "stale");
}

function daysOf(reduced: ReducedSessions, username: string): number[] {
  const days = ["day/2026-11-22", "day/2026-11-23"].map((key) => reduced.usage(username, key));
  return [0, 1, 2].map((part) => days.reduce((sum, day) => sum + (day[part] as number), 0));
}
