import { LocalDays } from "./local-days.ts";

/** A span of time in which usage is summed. Weeks begin on `startDay` 1 (Monday) to 7, months on day 1 to 28, in the time zone of
 *  the rules. A rolling period is the sum of its last `hours` hours of UTC, the current one included. */
export type PeriodSpec =
  | { readonly kind: "total" }
  | { readonly kind: "day" }
  | { readonly kind: "week"; readonly startDay: number }
  | { readonly kind: "month"; readonly startDay: number }
  | { readonly kind: "rolling"; readonly hours: number };

export interface PeriodRules {
  /** IANA name, "Europe/Berlin". */
  readonly timeZone: string;
  /** What is counted; "total" always is. */
  readonly specs: readonly PeriodSpec[];
}

export const DEFAULT_PERIOD_RULES: PeriodRules = {
  timeZone: "UTC",
  specs: [{ kind: "day" }, { kind: "month", startDay: 1 }],
};

/** Half open: `startMs` belongs to it, `endMs` does not. */
export interface Period {
  /** "total", "day/2026-11-22", "week/2026-11-16", "month/2026-11-15" (the first day of each), "hour/493827" (since 1970). */
  readonly key: string;
  readonly startMs: number;
  readonly endMs: number;
}

export interface Amounts {
  readonly uploadOctets: number;
  readonly downloadOctets: number;
  readonly seconds: number;
}

/** How many periods of a kind are kept, the current one included. A rolling period keeps its hours and one. */
const KEPT = { day: 32, week: 6, month: 13 } as const;
const HOUR_MS = 3_600_000;
const DAY_MS = 86_400_000;
/** Nothing used. */
export const NO_AMOUNTS: Amounts = { uploadOctets: 0, downloadOctets: 0, seconds: 0 };
const TOTAL: Period = { key: "total", startMs: -Infinity, endMs: Infinity };

/** Which periods a moment belongs to, and how a difference is shared out between them. Pure but for a bounded memory of days.
 *  @throws RangeError for an unknown time zone */
export class Periods {
  readonly #days: LocalDays;
  readonly #specs: readonly PeriodSpec[];
  /** The period that each kind found last: records come in the order of time, nearly. */
  readonly #found = new WeakMap<PeriodSpec, Period>();
  #oldest: { readonly hour: number; readonly keys: readonly string[] } = { hour: NaN, keys: [] };

  constructor(rules: PeriodRules) {
    this.#days = new LocalDays(rules.timeZone);
    const rolling = rules.specs.filter((spec) => spec.kind === "rolling");
    this.#specs = rules.specs.filter((spec) => spec.kind !== "rolling" && spec.kind !== "total");
    // All rolling periods read the same hours: the longest needs the most of them.
    const hours = Math.max(0, ...rolling.map((spec) => spec.hours));
    if (hours > 0) this.#specs = [...this.#specs, { kind: "rolling", hours }];
  }

  /** The period of a kind that a moment lies in; of a rolling period its hour. */
  periodAt(spec: PeriodSpec, atMs: number): Period {
    const found = this.#found.get(spec);
    if (found !== undefined && atMs >= found.startMs && atMs < found.endMs) return found;
    const period = this.#periodAt(spec, atMs);
    this.#found.set(spec, period);
    return period;
  }

  /** The keys whose sum is the usage of a period at a moment: one, or the hours of a rolling period, latest first. */
  keysAt(spec: PeriodSpec, atMs: number): readonly string[] {
    const { key } = this.periodAt(spec, atMs);
    if (spec.kind !== "rolling") return [key];
    const hour = Math.floor(atMs / HOUR_MS);
    return Array.from({ length: spec.hours }, (_, back) => `hour/${hour - back}`);
  }

  /** Shares a difference that arose between two moments out, in proportion to time: what lies on either side of a boundary
   *  belongs to that side. The parts of a kind add up to the whole, unless it reaches back behind what is kept. */
  share(amounts: Amounts, fromMs: number, toMs: number): readonly (Amounts & { readonly periodKey: string })[] {
    if (amounts.uploadOctets === 0 && amounts.downloadOctets === 0 && amounts.seconds === 0) return [];
    const shares = [{ periodKey: TOTAL.key, ...amounts }];
    for (const spec of this.#specs) {
      let endMs = Math.max(fromMs, toMs);
      let period = this.periodAt(spec, toMs);
      // A moment that is a boundary ends the period before it.
      if (period.startMs === toMs && fromMs < toMs) period = this.periodAt(spec, toMs - 1);
      for (let kept = keptPeriods(spec); kept > 0; kept -= 1) {
        const startMs = Math.max(period.startMs, fromMs);
        const part = startMs <= fromMs && endMs >= toMs ? amounts : partOf(amounts, startMs, endMs, fromMs, toMs);
        if (part.uploadOctets + part.downloadOctets + part.seconds > 0) shares.push({ periodKey: period.key, ...part });
        if (period.startMs <= fromMs) break;
        endMs = period.startMs;
        period = this.periodAt(spec, endMs - 1);
      }
    }
    return shares;
  }

  /** For each kind that is counted the oldest key that is kept at a moment. Keys of a kind sort by time. */
  oldestKept(nowMs: number): readonly string[] {
    const hour = Math.floor(nowMs / HOUR_MS);
    if (this.#oldest.hour === hour) return this.#oldest.keys;
    const keys = this.#specs.map((spec) => {
      let period = this.#periodAt(spec, hour * HOUR_MS);
      for (let kept = keptPeriods(spec); kept > 1; kept -= 1) period = this.#periodAt(spec, period.startMs - 1);
      return period.key;
    });
    this.#oldest = { hour, keys };
    return keys;
  }

  /** Whether a period is still kept at a moment. What no rule counts any more is not; "total" always is. */
  isKept(periodKey: string, nowMs: number): boolean {
    if (periodKey === TOTAL.key) return true;
    return this.oldestKept(nowMs).some((oldest) => sameKind(oldest, periodKey) && periodKey >= oldest);
  }

  #periodAt(spec: PeriodSpec, atMs: number): Period {
    switch (spec.kind) {
      case "total":
        return TOTAL;
      case "rolling": {
        const hour = Math.floor(atMs / HOUR_MS);
        return { key: `hour/${hour}`, startMs: hour * HOUR_MS, endMs: (hour + 1) * HOUR_MS };
      }
      default: {
        const [first, next] = bounds(spec, this.#days.dayAt(atMs));
        const startMs = this.#days.startMs(first);
        return { key: `${spec.kind}/${dateText(first)}`, startMs, endMs: this.#days.startMs(next) };
      }
    }
  }
}

/** Whether two keys are of periods of one kind. */
function sameKind(left: string, right: string): boolean {
  return left.slice(0, left.indexOf("/")) === right.slice(0, right.indexOf("/"));
}

function keptPeriods(spec: PeriodSpec): number {
  if (spec.kind === "rolling") return spec.hours + 1;
  return spec.kind === "total" ? 1 : KEPT[spec.kind];
}

/** First day of the period of a day, and first day of the next; days are counted from 1970. */
function bounds(
  spec: { readonly kind: "day" | "week" | "month"; readonly startDay?: number },
  day: number,
): [number, number] {
  if (spec.kind === "day") return [day, day + 1];
  const startDay = spec.startDay ?? 1;
  if (spec.kind === "week") {
    const weekday = ((day + 3) % 7) + 1; // 1970-01-01 was a Thursday, day 4 of a week
    const first = day - ((weekday - startDay + 7) % 7);
    return [first, first + 7];
  }
  const date = new Date(day * DAY_MS);
  const month = date.getUTCMonth() - (date.getUTCDate() < startDay ? 1 : 0);
  const firstOf = (index: number): number => Date.UTC(date.getUTCFullYear(), index, startDay) / DAY_MS;
  return [firstOf(month), firstOf(month + 1)];
}

function dateText(day: number): string {
  return new Date(day * DAY_MS).toISOString().slice(0, 10);
}

/** Differences of running shares, so that rounding neither makes nor loses an octet. */
function partOf(amounts: Amounts, startMs: number, endMs: number, fromMs: number, toMs: number): Amounts {
  const before = (startMs - fromMs) / (toMs - fromMs);
  const after = (endMs - fromMs) / (toMs - fromMs);
  const part = (whole: number): number => Math.floor(whole * after) - Math.floor(whole * before);
  return {
    uploadOctets: part(amounts.uploadOctets),
    downloadOctets: part(amounts.downloadOctets),
    seconds: part(amounts.seconds),
  };
}
