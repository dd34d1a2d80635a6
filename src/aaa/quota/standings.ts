import type { Clock } from "../../clock.ts";
import { Periods } from "../../store/periods.ts";
import { NEVER_MS, type QuotaOverride } from "../../store/quota-types.ts";
import type { UsageStore } from "../../store/types.ts";
import { GatheredTotals } from "./gathered-totals.ts";
import { periodRules, type QuotaOptions, type QuotaRule } from "./options.ts";
import { amountFor, countedBy, percentOf, type Standing } from "./rules.ts";
import { Verdicts } from "./verdicts.ts";

/** Where users stand: what the store counted against what they may use, or what an operator's endpoint says of it. */
export class Standings {
  readonly #clock: Clock;
  readonly #totals: GatheredTotals;
  readonly #verdicts: Verdicts;
  #periods: Periods;

  /** @throws RangeError for an unknown time zone */
  constructor(clock: Clock, usage: Pick<UsageStore, "totals">, options: QuotaOptions) {
    this.#clock = clock;
    this.#totals = new GatheredTotals(usage);
    this.#verdicts = new Verdicts(clock);
    this.#periods = new Periods(periodRules(options));
  }

  /** @throws RangeError for an unknown time zone */
  apply(options: QuotaOptions): void {
    this.#periods = new Periods(periodRules(options));
  }

  /** Questions that an operator's endpoint did not answer. */
  get unanswered(): number {
    return this.#verdicts.unanswered;
  }

  stop(): void {
    this.#verdicts.stop();
  }

  /** In the order of the rules. @throws {HubError} ERR_STORE */
  of(username: string, rules: readonly QuotaRule[], override: QuotaOverride | undefined): Promise<readonly Standing[]> {
    return Promise.all(rules.map((rule) => this.#one(username, rule, override)));
  }

  /** As of(), of which some are known already. @throws {HubError} ERR_STORE */
  more(
    username: string,
    rules: readonly QuotaRule[],
    override: QuotaOverride | undefined,
    known: readonly Standing[],
  ): Promise<readonly Standing[]> {
    return Promise.all(
      rules.map(
        async (rule) => known.find((standing) => standing.rule === rule) ?? this.#one(username, rule, override),
      ),
    );
  }

  async #one(username: string, rule: QuotaRule, override: QuotaOverride | undefined): Promise<Standing> {
    const { period, verdict } = rule;
    const nowMs = this.#clock.wallMs();
    const current = this.#periods.periodAt(period, nowMs);
    const periodKey = period.kind === "rolling" ? `rolling/${period.hours}` : current.key;
    const periodEndsAtMs = Math.min(current.endMs, NEVER_MS);
    const total = await this.#totals.of({ username, periodKeys: this.#periods.keysAt(period, nowMs) });
    const used = countedBy(rule.counts, total);
    const amount = amountFor(rule, override);
    const own = percentOf(used, amount);
    if (verdict === undefined) return { rule, used, amount, percent: own, periodKey, periodEndsAtMs };
    const question = { username, rule: rule.name, periodKey, used, amount, percent: own };
    const percent = await this.#verdicts.percent(verdict, question);
    return { rule, used, amount, percent, periodKey, periodEndsAtMs };
  }
}
