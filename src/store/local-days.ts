const SECOND_MS = 1_000;
const HOUR_MS = 3_600_000;
const DAY_MS = 86_400_000;
/** Days whose beginning is remembered: records come from today and yesterday. */
const DAYS_MAX = 512;

/** Calendar days of a time zone, counted from 1970-01-01, daylight saving included: such a day has 23 to 25 hours. */
export class LocalDays {
  readonly #format: Intl.DateTimeFormat;
  readonly #startMs = new Map<number, number>();
  #latest = { day: 0, startMs: 0, endMs: 0 };

  /** @throws RangeError for an unknown time zone */
  constructor(timeZone: string) {
    this.#format = new Intl.DateTimeFormat("en-US-u-ca-gregory-nu-latn", {
      timeZone,
      year: "numeric",
      month: "numeric",
      day: "numeric",
    });
  }

  /** The day that a moment lies in. */
  dayAt(atMs: number): number {
    const { day, startMs, endMs } = this.#latest;
    if (atMs >= startMs && atMs < endMs) return day;
    const found = this.#dayOf(atMs);
    this.#latest = { day: found, startMs: this.startMs(found), endMs: this.startMs(found + 1) };
    return found;
  }

  /** The first moment of a day. Midnight need not exist: where clocks go forward at midnight the day begins at one. */
  startMs(day: number): number {
    const known = this.#startMs.get(day);
    if (known !== undefined) return known;
    // Time zones lie between UTC-12 and UTC+14.
    let before = (day * DAY_MS - 15 * HOUR_MS) / SECOND_MS;
    let after = (day * DAY_MS + 13 * HOUR_MS) / SECOND_MS;
    while (after - before > 1) {
      const middle = Math.floor((before + after) / 2);
      if (this.#dayOf(middle * SECOND_MS) >= day) after = middle;
      else before = middle;
    }
    if (this.#startMs.size >= DAYS_MAX) this.#startMs.clear();
    this.#startMs.set(day, after * SECOND_MS);
    return after * SECOND_MS;
  }

  #dayOf(atMs: number): number {
    const parts = { year: 0, month: 0, day: 0 };
    for (const { type, value } of this.#format.formatToParts(atMs)) {
      if (type === "year" || type === "month" || type === "day") parts[type] = Number(value);
    }
    return Date.UTC(parts.year, parts.month - 1, parts.day) / DAY_MS;
  }
}
