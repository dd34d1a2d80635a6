import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { type PeriodSpec, Periods } from "../../../src/store/periods.ts";

const HOUR_MS = 3_600_000;
const DAY: PeriodSpec = { kind: "day" };
const MONTH: PeriodSpec = { kind: "month", startDay: 1 };

function period(timeZone: string, spec: PeriodSpec, at: string): string {
  const { key, startMs, endMs } = new Periods({ timeZone, specs: [] }).periodAt(spec, Date.parse(at));
  return `${key} ${(endMs - startMs) / HOUR_MS}h from ${new Date(startMs).toISOString()}`;
}

describe("Periods.periodAt()", () => {
  it.each<[string, PeriodSpec, string, string]>([
    ["UTC", DAY, "2026-11-22T23:59:59.999Z", "day/2026-11-22 24h from 2026-11-22T00:00:00.000Z"],
    ["UTC", DAY, "2026-11-23T00:00:00Z", "day/2026-11-23 24h from 2026-11-23T00:00:00.000Z"],
    ["Asia/Kolkata", DAY, "2026-11-22T18:30:00Z", "day/2026-11-23 24h from 2026-11-22T18:30:00.000Z"],
    ["America/Los_Angeles", DAY, "2026-11-22T07:59:59Z", "day/2026-11-21 24h from 2026-11-21T08:00:00.000Z"],
    ["Pacific/Kiritimati", DAY, "2026-11-22T10:00:00Z", "day/2026-11-23 24h from 2026-11-22T10:00:00.000Z"],
    ["Etc/GMT+12", DAY, "2026-11-22T11:59:00Z", "day/2026-11-21 24h from 2026-11-21T12:00:00.000Z"],
    // Daylight saving: days of 23 and 25 hours; in Beirut clocks go forward at midnight, so the day begins at one.
    ["Europe/Berlin", DAY, "2026-03-29T12:00:00Z", "day/2026-03-29 23h from 2026-03-28T23:00:00.000Z"],
    ["Europe/Berlin", DAY, "2026-10-25T12:00:00Z", "day/2026-10-25 25h from 2026-10-24T22:00:00.000Z"],
    ["Asia/Beirut", DAY, "2026-03-29T12:00:00Z", "day/2026-03-29 23h from 2026-03-28T22:00:00.000Z"],
    ["Europe/Berlin", MONTH, "2026-10-31T22:59:59Z", "month/2026-10-01 745h from 2026-09-30T22:00:00.000Z"],
    ["UTC", MONTH, "2028-02-29T12:00:00Z", "month/2028-02-01 696h from 2028-02-01T00:00:00.000Z"],
    [
      "UTC",
      { kind: "month", startDay: 15 },
      "2026-11-14T23:00:00Z",
      "month/2026-10-15 744h from 2026-10-15T00:00:00.000Z",
    ],
    [
      "UTC",
      { kind: "month", startDay: 15 },
      "2026-11-15T00:00:00Z",
      "month/2026-11-15 720h from 2026-11-15T00:00:00.000Z",
    ],
    [
      "UTC",
      { kind: "month", startDay: 28 },
      "2027-01-02T00:00:00Z",
      "month/2026-12-28 744h from 2026-12-28T00:00:00.000Z",
    ],
    [
      "UTC",
      { kind: "week", startDay: 1 },
      "2026-11-22T12:00:00Z",
      "week/2026-11-16 168h from 2026-11-16T00:00:00.000Z",
    ],
    [
      "UTC",
      { kind: "week", startDay: 7 },
      "2026-11-22T12:00:00Z",
      "week/2026-11-22 168h from 2026-11-22T00:00:00.000Z",
    ],
    [
      "UTC",
      { kind: "week", startDay: 6 },
      "2026-11-20T12:00:00Z",
      "week/2026-11-14 168h from 2026-11-14T00:00:00.000Z",
    ],
    [
      "Europe/Berlin",
      { kind: "week", startDay: 1 },
      "2026-03-29T12:00:00Z",
      "week/2026-03-23 167h from 2026-03-22T23:00:00.000Z",
    ],
    [
      "Asia/Kolkata",
      { kind: "rolling", hours: 5 },
      "2026-11-22T12:59:59Z",
      "hour/498708 1h from 2026-11-22T12:00:00.000Z",
    ],
  ])("%s %j at %s is %s", (timeZone, spec, at, text) => {
    expect(period(timeZone, spec, at)).toBe(text);
  });

  it("of the total is everything", () => {
    expect(new Periods({ timeZone: "UTC", specs: [] }).periodAt({ kind: "total" }, 0)).toEqual({
      key: "total",
      startMs: -Infinity,
      endMs: Infinity,
    });
  });

  it("leaves no gap and no overlap, whatever was asked before", () => {
    const zone = fc.constantFrom(
      "UTC",
      "Europe/Berlin",
      "America/St_Johns",
      "Asia/Beirut",
      "Pacific/Apia",
      "Australia/Lord_Howe",
    );
    const spec = fc.oneof(
      fc.constant(DAY),
      fc.record({ kind: fc.constant("week" as const), startDay: fc.integer({ min: 1, max: 7 }) }),
      fc.record({ kind: fc.constant("month" as const), startDay: fc.integer({ min: 1, max: 28 }) }),
    );
    const at = fc.integer({ min: Date.UTC(2012, 0), max: Date.UTC(2040, 0) });
    fc.assert(
      fc.property(zone, spec, at, (timeZone, one, atMs) => {
        const periods = new Periods({ timeZone, specs: [one] });
        const here = periods.periodAt(one, atMs);
        expect(here.startMs).toBeLessThanOrEqual(atMs);
        expect(here.endMs).toBeGreaterThan(atMs);
        expect(periods.periodAt(one, here.endMs)).toMatchObject({ startMs: here.endMs });
        expect(periods.periodAt(one, here.startMs - 1)).toMatchObject({ endMs: here.startMs });
        expect(periods.periodAt(one, here.endMs).key > here.key).toBe(true);
      }),
      { numRuns: 200 },
    );
  });

  it("a time zone that nobody knows is a RangeError", () => {
    expect(() => new Periods({ timeZone: "Mars/Olympus", specs: [] })).toThrow(RangeError);
  });
});

describe("Periods.keysAt()", () => {
  const periods = new Periods({ timeZone: "UTC", specs: [] });
  const at = Date.parse("2026-11-22T12:30:00Z");

  it("is the period, or the hours of a rolling period, latest first", () => {
    expect(periods.keysAt(DAY, at)).toEqual(["day/2026-11-22"]);
    expect(periods.keysAt({ kind: "total" }, at)).toEqual(["total"]);
    expect(periods.keysAt({ kind: "rolling", hours: 3 }, at)).toEqual(["hour/498708", "hour/498707", "hour/498706"]);
  });
});

describe("Periods.share()", () => {
  const noon = Date.parse("2026-11-22T12:00:00Z");
  const amounts = { uploadOctets: 1_000, downloadOctets: 7, seconds: 60 };

  function parts(specs: readonly PeriodSpec[], fromMs: number, toMs: number): Record<string, number> {
    const shares = new Periods({ timeZone: "UTC", specs }).share(amounts, fromMs, toMs);
    return Object.fromEntries(shares.map(({ periodKey, uploadOctets }) => [periodKey, uploadOctets]));
  }

  it.each<[string, number, number, Record<string, number>]>([
    ["a moment", noon, noon, { "day/2026-11-22": 1_000 }],
    ["what lies within one period", noon - 1_000, noon, { "day/2026-11-22": 1_000 }],
    ["what ends on a boundary: the period before", noon - 1_000, noon + 12 * HOUR_MS, { "day/2026-11-22": 1_000 }],
    ["a moment on a boundary: the period after", noon + 12 * HOUR_MS, noon + 12 * HOUR_MS, { "day/2026-11-23": 1_000 }],
    [
      "what begins on a boundary: the period after",
      noon + 12 * HOUR_MS,
      noon + 13 * HOUR_MS,
      { "day/2026-11-23": 1_000 },
    ],
    [
      "a third before midnight",
      noon + 11 * HOUR_MS,
      noon + 14 * HOUR_MS,
      { "day/2026-11-22": 333, "day/2026-11-23": 667 },
    ],
    [
      "three days",
      noon - 24 * HOUR_MS,
      noon + 24 * HOUR_MS,
      { "day/2026-11-21": 250, "day/2026-11-22": 500, "day/2026-11-23": 250 },
    ],
  ])("gives %s", (_, fromMs, toMs, days) => {
    expect(parts([DAY], fromMs, toMs)).toEqual({ total: 1_000, ...days });
  });

  it("is empty for nothing", () => {
    const nothing = { uploadOctets: 0, downloadOctets: 0, seconds: 0 };
    expect(new Periods({ timeZone: "UTC", specs: [DAY] }).share(nothing, 0, noon)).toEqual([]);
  });

  it("reaches back only as far as periods are kept", () => {
    const specs: readonly PeriodSpec[] = [DAY, { kind: "rolling", hours: 2 }, { kind: "rolling", hours: 4 }];
    const much = { ...amounts, uploadOctets: 1_000_000 };
    const shared = new Periods({ timeZone: "UTC", specs }).share(much, noon - 400 * 24 * HOUR_MS, noon);
    const shares = Object.fromEntries(shared.map(({ periodKey, uploadOctets }) => [periodKey, uploadOctets]));
    expect(Object.keys(shares).filter((key) => key.startsWith("day/"))).toHaveLength(32);
    expect(Object.keys(shares).filter((key) => key.startsWith("hour/"))).toHaveLength(5);
    expect(shares["total"]).toBe(1_000_000);
  });

  it("neither makes nor loses an octet", () => {
    const amount = fc.nat({ max: Number.MAX_SAFE_INTEGER });
    const moment = fc.integer({ min: noon - 20 * 24 * HOUR_MS, max: noon });
    const all = fc.record({ uploadOctets: amount, downloadOctets: amount, seconds: amount });
    fc.assert(
      fc.property(all, moment, moment, (used, one, other) => {
        const specs: readonly PeriodSpec[] = [
          DAY,
          MONTH,
          { kind: "week", startDay: 3 },
          { kind: "rolling", hours: 500 },
        ];
        const shares = new Periods({ timeZone: "Europe/Berlin", specs }).share(
          used,
          Math.min(one, other),
          Math.max(one, other),
        );
        for (const kind of ["total", "day", "month", "week", "hour"]) {
          const same = shares.filter(({ periodKey }) => periodKey.split("/")[0] === kind);
          for (const name of ["uploadOctets", "downloadOctets", "seconds"] as const) {
            expect(same.reduce((sum, share) => sum + BigInt(share[name]), 0n)).toBe(BigInt(used[name]));
            expect(same.every((share) => share[name] >= 0)).toBe(true);
          }
        }
      }),
      { numRuns: 200 },
    );
  });
});

describe("Periods.isKept()", () => {
  const specs: readonly PeriodSpec[] = [DAY, { kind: "rolling", hours: 2 }];
  const periods = new Periods({ timeZone: "UTC", specs });
  const now = Date.parse("2026-11-22T12:30:00Z");

  it.each([
    ["total", true],
    ["day/2026-11-22", true],
    ["day/2026-10-22", true],
    ["day/2026-10-21", false],
    ["hour/498708", true],
    ["hour/498706", true],
    ["hour/498705", false],
    ["month/2026-11-01", false], // no rule counts it
  ])("%s: %s", (key, kept) => {
    expect(periods.isKept(key, now)).toBe(kept);
  });
});
