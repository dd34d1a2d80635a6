import type { Filter } from "mongodb";
import type { Contribution } from "../acct-session.ts";
import type { Periods } from "../periods.ts";
import { PAGE_ITEMS_MAX, type PeriodUsage, type UsageQuestion, type UsageStore, type UsageTotal } from "../types.ts";
import { isStub, summed, usageKey, usageKeysOf } from "./acct-session-document.ts";
import type { Collections } from "./collections.ts";
import type { Calls } from "./connection.ts";
import type { SessionDocument, StubDocument, UsageDocument } from "./documents.ts";
import { incarnationOf, sumByPeriod } from "./usage-fold.ts";

const NOTHING: UsageTotal = { uploadOctets: 0, downloadOctets: 0, seconds: 0 };

/** UsageStore: sums over the acct sessions of a user, and what stays of those that are forgotten. */
export class UsageCollection implements UsageStore {
  readonly #calls: Calls;
  #periods: Periods;

  constructor(calls: Calls, periods: Periods) {
    this.#calls = calls;
    this.#periods = periods;
  }

  usePeriods(periods: Periods): void {
    this.#periods = periods;
  }

  totals(questions: readonly UsageQuestion[]): Promise<UsageTotal[]> {
    return this.#calls.read((collections) =>
      Promise.all(
        questions.map(async ({ username, periodKeys }) => {
          if (periodKeys.length === 0) return NOTHING;
          const periods = await usageOf(collections, username, periodKeys);
          return periods.reduce<UsageTotal>(summed, NOTHING);
        }),
      ),
    );
  }

  periods(username: string): Promise<readonly PeriodUsage[]> {
    return this.#calls.read(async (collections) => {
      const periods = await usageOf(collections, username, undefined);
      return periods.toSorted((left, right) => (left.periodKey < right.periodKey ? -1 : 1)).slice(0, PAGE_ITEMS_MAX);
    });
  }

  prune(nowMs: number, limit: number): Promise<number> {
    const periods = this.#periods;
    return this.#calls.writes(async ({ sessions, usage }) => {
      const expired = expiredFilter(periods, nowMs);
      let pruned = 0;
      /** What stays of a document, at most as much less as may still be pruned. */
      const kept = <Item extends { readonly periodKey: string }>(items: readonly Item[]): Item[] => {
        let room = limit - pruned;
        return items.filter(({ periodKey }) => periods.isKept(periodKey, nowMs) || (room -= 1) < 0);
      };
      for (const document of await sessions.find(expired, { limit }).toArray()) {
        if (isStub(document)) continue;
        const { _id, version, usage: before } = document;
        const after = kept(before);
        const update = { $set: { usage: after, usageKeys: usageKeysOf(after), version: version + 1 } };
        const { matchedCount } = await sessions.updateOne({ _id, version }, update);
        pruned += matchedCount * (before.length - after.length);
      }
      const folded = await usage.find(expired as Filter<UsageDocument>, { limit }).toArray();
      for (const { _id, version, usage: before } of folded) {
        const after = kept(before);
        const usageKeys = after.map(({ periodKey }) => periodKey);
        const update = { $set: { usage: after, usageKeys, version: version + 1 } };
        const { matchedCount } = await usage.updateOne({ _id, version }, update);
        pruned += matchedCount * (before.length - after.length);
      }
      return pruned;
    });
  }
}

/** The sums of a user, of some periods or of all. Read between two looks at what is forgotten: if that changed, an acct session may
 *  have been on its way from one collection to the other, and the sums are made anew. */
async function usageOf(
  { sessions, usage }: Collections,
  username: string,
  periodKeys: readonly string[] | undefined,
): Promise<PeriodUsage[]> {
  const folded = (): Promise<UsageDocument | null> => usage.findOne({ _id: { $eq: username } });
  // Whatever counts in a period counts in "total" too.
  const used = { usageKeys: { $in: (periodKeys ?? ["total"]).map((periodKey) => usageKey(username, periodKey)) } };
  let before = await folded();
  for (;;) {
    const pending = before?.pending ?? [];
    const keys = pending.map(({ key }) => key);
    const filter = keys.length === 0 ? used : { $or: [used, { _id: { $in: keys } }] };
    const projection = { usage: 1, incarnation: 1 };
    const found = await sessions.find(filter as Filter<SessionDocument | StubDocument>, { projection }).toArray();
    const after = await folded();
    if (after?.version !== before?.version) {
      before = after;
      continue;
    }
    const living = found as unknown as readonly Pick<SessionDocument, "_id" | "incarnation" | "usage">[];
    const incarnations = new Set(living.map(incarnationOf));
    const gone = pending.filter((entry) => !incarnations.has(incarnationOf({ _id: entry.key, ...entry })));
    const amounts = [
      ...living.flatMap((document) => contributionsOf(document.usage, username)),
      ...(before?.usage ?? []),
      ...gone.flatMap((entry) => entry.usage),
    ];
    return sumByPeriod(amounts.filter((amount) => periodKeys?.includes(amount.periodKey) ?? true));
  }
}

/** A stub has none. */
function contributionsOf(usage: readonly Contribution[] | undefined, username: string): readonly Contribution[] {
  return usage?.filter((contribution) => contribution.username === username) ?? [];
}

/** Finds what holds a period that is not kept: keys sort by kind, then by time. */
function expiredFilter(periods: Periods, nowMs: number): Filter<SessionDocument | StubDocument> {
  const oldest = new Map(periods.oldestKept(nowMs).map((key) => [key.slice(0, key.indexOf("/")), key]));
  const ranges = ["day", "hour", "month", "week"].map((kind) => {
    const expired = { $gte: `${kind}/`, $lt: oldest.get(kind) ?? `${kind}0` }; // "0" follows "/"
    return { usageKeys: { $elemMatch: expired } };
  });
  return { $or: ranges };
}
