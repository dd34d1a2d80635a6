import type { AccountingRecord } from "../../src/store/accounting-record.ts";
import { acctSessionKey } from "../../src/store/acct-session-key.ts";
import type { AcctSession, CloseCause, RecordEffect } from "../../src/store/acct-session.ts";
import { count } from "../../src/store/count.ts";
import { eventTime } from "../../src/store/event-time.ts";
import { DEFAULT_PERIOD_RULES, type PeriodRules, Periods } from "../../src/store/periods.ts";
import { closed, endsWithNas, type Reduction } from "../../src/store/reduce.ts";

/** The rules of accounting on plain arrays: what a store does, without one. */
export class ReducedSessions {
  readonly #periods: Periods;
  readonly #generations = new Map<string, AcctSession[]>();
  readonly #usage = new Map<string, { upload: number; download: number; seconds: number }>();

  constructor(rules: PeriodRules = DEFAULT_PERIOD_RULES) {
    this.#periods = new Periods(rules);
  }

  apply(record: AccountingRecord): RecordEffect {
    if (record.kind === "on" || record.kind === "off") return this.#closeWithNas(record);
    const base = acctSessionKey(record.nasKey, record.acctSessionId, 0);
    const generations = this.#generations.get(base) ?? [];
    this.#generations.set(base, generations);
    const counting = count(record, this.#periods);
    let step = counting.next();
    while (!step.done) step = counting.next(step.value === "latest" ? generations.at(-1) : generations[step.value]);
    return step.value === undefined ? "ignored" : this.#keep(generations, step.value);
  }

  close(key: string, atMs: number, cause: CloseCause): void {
    for (const generations of this.#generations.values()) {
      const at = generations.findIndex((each) => each.key === key);
      if (at !== -1) generations[at] = closed(generations[at] as AcctSession, atMs, cause);
    }
  }

  /** All acct sessions in the order in which they came, generations of one after another. */
  get all(): AcctSession[] {
    return [...this.#generations.values()].flat();
  }

  /** Upload, download and seconds of a user in a period. */
  usage(username: string, periodKey = "total"): [number, number, number] {
    const { upload, download, seconds } = this.#usage.get(`${periodKey} ${username}`) ?? ZERO;
    return [upload, download, seconds];
  }

  #keep(generations: AcctSession[], { effect, acctSession, contributions }: Reduction): RecordEffect {
    generations[acctSession.generation] = acctSession;
    for (const { username, periodKey, uploadOctets, downloadOctets, seconds } of contributions) {
      const key = `${periodKey} ${username}`;
      const sum = this.#usage.get(key) ?? ZERO;
      this.#usage.set(key, {
        upload: sum.upload + uploadOctets,
        download: sum.download + downloadOctets,
        seconds: sum.seconds + seconds,
      });
    }
    return effect;
  }

  #closeWithNas(record: AccountingRecord): RecordEffect {
    const { atMs } = eventTime(record);
    const cause = record.kind === "on" ? "nas-on" : "nas-off";
    for (const each of this.all) if (endsWithNas(each, record, atMs)) this.close(each.key, atMs, cause);
    return "nas";
  }
}

const ZERO = { upload: 0, download: 0, seconds: 0 };
