import type { Contribution } from "../acct-session.ts";
import { splitAcctSessionKey } from "../acct-session-key.ts";
import type { PeriodUsage } from "../types.ts";
import { summed } from "./acct-session-document.ts";
import type { Collections } from "./collections.ts";
import type { ConditionalWrite } from "./conditional-writes.ts";
import type { PendingUsage, SessionDocument, UsageDocument } from "./documents.ts";
import { isDuplicateKey } from "./mongo-fault.ts";
import { untilThrough } from "./optimism.ts";
import type { RecordRunDeps } from "./record-run.ts";

/** Forgets acct sessions and keeps what they used, in the three writes that UsageDocument tells of. One that was written
 *  meanwhile stays. @returns how many were forgotten */
export async function forget(
  deps: RecordRunDeps,
  collections: Collections,
  documents: readonly SessionDocument[],
): Promise<number> {
  if (documents.length === 0) return 0;
  const pending = new Map<string, PendingUsage[]>();
  for (const document of documents) {
    for (const [username, usage] of usageByUser(document.usage)) {
      const { _id: key, incarnation, version } = document;
      pending.set(username, [...(pending.get(username) ?? []), { key, incarnation, version, usage }]);
    }
  }
  for (const [username, entries] of pending)
    await change(deps, collections, username, (before) => joined(before, entries));
  const forgotten = await remove(collections, documents);
  for (const username of pending.keys()) await settle(deps, collections, username);
  return forgotten;
}

/** Ends what a crash left half done, for at most `limit` users. */
export async function settleAll(deps: RecordRunDeps, collections: Collections, limit: number): Promise<void> {
  const unsettled = collections.usage.find({ "pending.key": { $gte: "" } }, { projection: { _id: 1 }, limit });
  for (const { _id } of await unsettled.toArray()) await settle(deps, collections, _id);
}

/** Deletes what is still as it was read. A generation 0 with later ones leaves a stub, which goes with the latest. */
async function remove({ sessions }: Collections, documents: readonly SessionDocument[]): Promise<number> {
  const removals = documents.map(({ _id, version, latest, writeId }): ConditionalWrite["operation"] => {
    if (latest === 0) return { deleteOne: { filter: { _id, version } } };
    const replacement = { _id, version: version + 1, writeId, latest, stub: true as const };
    return { replaceOne: { filter: { _id, version }, replacement } };
  });
  const { deletedCount, matchedCount } = await sessions.bulkWrite(removals, { ordered: false });
  const heads = documents.filter(({ generation }) => generation > 0);
  if (heads.length > 0) {
    const stubs = heads.map(({ _id, generation }): ConditionalWrite["operation"] => {
      return { deleteOne: { filter: { _id: splitAcctSessionKey(_id).base, stub: true, latest: generation } } };
    });
    await sessions.bulkWrite(stubs, { ordered: false });
  }
  return deletedCount + matchedCount;
}

/** Adds up what is pending of acct sessions that are gone. What is pending of one that lives stays: whoever forgets it may be
 *  about to delete it. */
async function settle(deps: RecordRunDeps, collections: Collections, username: string): Promise<void> {
  const alive = async (before: UsageDocument): Promise<ReadonlySet<string>> => {
    const keys = before.pending.map(({ key }) => key);
    const found = collections.sessions.find({ _id: { $in: keys } }, { projection: { incarnation: 1 } });
    return new Set((await found.toArray()).map((document) => incarnationOf(document as SessionDocument)));
  };
  await change(deps, collections, username, async (before) => {
    const living = await alive(before);
    const gone = before.pending.filter((entry) => !living.has(incarnationOf({ _id: entry.key, ...entry })));
    if (gone.length === 0) return undefined;
    const usage = sumByPeriod([...before.usage, ...gone.flatMap((entry) => entry.usage)]);
    return { usage, pending: before.pending.filter((entry) => !gone.includes(entry)) };
  });
}

/** Replaces the document of a user by what `next` makes of it; undefined leaves it as it is. */
async function change(
  deps: RecordRunDeps,
  { usage }: Collections,
  username: string,
  next: (before: UsageDocument) => Changed | undefined | Promise<Changed | undefined>,
): Promise<void> {
  await untilThrough(deps, async () => {
    const stored = await usage.findOne({ _id: { $eq: username } });
    const before = stored ?? { _id: username, version: 0, usage: [], usageKeys: [], pending: [] };
    const changed = await next(before);
    if (changed === undefined) return true;
    const usageKeys = changed.usage.map(({ periodKey }) => periodKey);
    const document = { _id: username, version: before.version + 1, usageKeys, ...changed };
    try {
      if (stored === null) {
        await usage.insertOne(document);
        return true;
      }
      const { matchedCount } = await usage.replaceOne({ _id: username, version: before.version }, document);
      return matchedCount === 1 ? true : undefined;
    } catch (error) {
      if (isDuplicateKey(error)) return undefined;
      throw error;
    }
  });
}

type Changed = Pick<UsageDocument, "usage" | "pending">;

/** A later state of an acct session replaces an earlier one, never the other way round. */
function joined(before: UsageDocument, entries: readonly PendingUsage[]): Changed {
  const pending = new Map(before.pending.map((entry) => [`${entry.incarnation}/${entry.key}`, entry]));
  for (const entry of entries) {
    const name = `${entry.incarnation}/${entry.key}`;
    if ((pending.get(name)?.version ?? 0) < entry.version) pending.set(name, entry);
  }
  return { usage: before.usage, pending: [...pending.values()] };
}

/** What names one acct session for good. */
export function incarnationOf({ _id, incarnation }: Pick<SessionDocument, "_id" | "incarnation">): string {
  return `${incarnation}/${_id}`;
}

export function sumByPeriod(amounts: readonly PeriodUsage[]): PeriodUsage[] {
  const sums = new Map<string, PeriodUsage>();
  for (const { periodKey, uploadOctets, downloadOctets, seconds } of amounts) {
    const added = { uploadOctets, downloadOctets, seconds };
    sums.set(periodKey, {
      periodKey,
      ...summed(sums.get(periodKey) ?? { uploadOctets: 0, downloadOctets: 0, seconds: 0 }, added),
    });
  }
  return [...sums.values()];
}

function usageByUser(usage: readonly Contribution[]): Map<string, PeriodUsage[]> {
  const users = new Map<string, PeriodUsage[]>();
  for (const { username, ...amounts } of usage) users.set(username, [...(users.get(username) ?? []), amounts]);
  return users;
}
