import type { Collection, Filter } from "mongodb";
import type { Random } from "../../clock.ts";
import { assertPage } from "../limits.ts";
import { pageOf } from "../page-of.ts";
import type { QuotaAction, QuotaActionChange, QuotaMark, QuotaOverride, QuotaStore } from "../quota-types.ts";
import { PAGE_ITEMS_MAX, type Page, type PageRequest } from "../types.ts";
import type { Calls } from "./connection.ts";
import type { ActionDocument, OverrideDocument } from "./documents.ts";
import { takeDue } from "./lease.ts";
import { isDuplicateKey } from "./mongo-fault.ts";
import { pageDocuments } from "./user-collections.ts";

/** QuotaStore on the collections `quota_overrides`, `quota_marks` and `quota_actions`. */
export class QuotaCollections implements QuotaStore {
  readonly #calls: Calls;
  readonly #random: Random;

  constructor(calls: Calls, random: Random) {
    this.#calls = calls;
    this.#random = random;
  }

  override(username: string): Promise<QuotaOverride | undefined> {
    return this.#calls.read(async ({ overrides }) => {
      const document = await overrides.findOne({ _id: { $eq: username } });
      return document === null ? undefined : overrideOf(document);
    });
  }

  async putOverride({ username, limits, ...rest }: QuotaOverride): Promise<void> {
    const document = { ...rest, _id: username, limits: limits.map((limit) => ({ ...limit })) };
    await this.#calls.write(({ overrides }) =>
      overrides.replaceOne({ _id: { $eq: username } }, document, { upsert: true }),
    );
  }

  removeOverride(username: string): Promise<boolean> {
    return this.#calls.write(async ({ overrides }) => {
      const { deletedCount } = await overrides.deleteOne({ _id: { $eq: username } });
      return deletedCount > 0;
    });
  }

  async overrides(page: PageRequest): Promise<Page<QuotaOverride>> {
    assertPage(page);
    return this.#calls.read(async ({ overrides }) => {
      const found = await pageDocuments(overrides, page);
      return pageOf(found.map(overrideOf), page.limit, ({ username }) => username);
    });
  }

  claim({ markKey, ...mark }: QuotaMark, nowMs: number): Promise<boolean> {
    const document = { ...mark, _id: markKey };
    return this.#calls.writes(async ({ marks }) => {
      if (await isInserted(marks.insertOne(document))) return true;
      const expired = { _id: { $eq: markKey }, expiresAtMs: { $lt: nowMs } };
      const { matchedCount } = await marks.replaceOne(expired, document);
      return matchedCount > 0;
    });
  }

  unclaim(markKey: string): Promise<boolean> {
    return this.#calls.write(async ({ marks }) => {
      const { deletedCount } = await marks.deleteOne({ _id: { $eq: markKey } });
      return deletedCount > 0;
    });
  }

  marks(username: string): Promise<readonly QuotaMark[]> {
    return this.#calls.read(async ({ marks }) => {
      const options = { sort: { _id: 1 }, limit: PAGE_ITEMS_MAX } as const;
      const found = await marks.find({ username: { $eq: username } }, options).toArray();
      return found.map(({ _id, ...mark }) => ({ markKey: _id, ...mark }));
    });
  }

  addAction({ actionKey, ...action }: QuotaAction): Promise<boolean> {
    return this.#calls.write(({ actions }) => isInserted(actions.insertOne({ ...action, _id: actionKey })));
  }

  takeDueActions(nowMs: number, leaseUntilMs: number, limit: number): Promise<QuotaAction[]> {
    return this.#calls.writes(async ({ actions }) => {
      const taken = await takeDue(actions, { filter: {}, nowMs, leaseUntilMs, limit }, this.#random);
      return taken.map(actionOf);
    });
  }

  changeAction(actionKey: string, change: QuotaActionChange): Promise<boolean> {
    const { state, attempts, dueAtMs, lastOutcome, lastAtMs } = change;
    const columns = Object.entries({ state, attempts, dueAtMs, lastOutcome, lastAtMs });
    const given = Object.fromEntries(columns.filter(([, value]) => value !== undefined));
    return this.#calls.write(async ({ actions }) => {
      const filter = { _id: { $eq: actionKey } };
      // An empty $set is an error.
      if (Object.keys(given).length === 0) return (await actions.countDocuments(filter)) > 0;
      const { matchedCount } = await actions.updateOne(filter, { $set: given });
      return matchedCount > 0;
    });
  }

  actions(username: string): Promise<readonly QuotaAction[]> {
    return this.#calls.read(async ({ actions }) => {
      const options = { sort: { _id: 1 }, limit: PAGE_ITEMS_MAX } as const;
      const found = await actions.find({ username: { $eq: username } }, options).toArray();
      return found.map(actionOf);
    });
  }

  removeAction(actionKey: string): Promise<boolean> {
    return this.#calls.write(async ({ actions }) => {
      const { deletedCount } = await actions.deleteOne({ _id: { $eq: actionKey } });
      return deletedCount > 0;
    });
  }

  prune(nowMs: number, limit: number): Promise<number> {
    return this.#calls.writes(async ({ marks, actions }) => {
      const expired = { expiresAtMs: { $lt: nowMs } };
      return (await deleteSome(marks, expired, limit)) + (await deleteSome(actions, expired, limit));
    });
  }
}

/** Deletes at most `limit` documents: deleteMany() has no limit. One that no longer matches by then stays. */
export async function deleteSome<Document extends { readonly _id: string }>(
  collection: Collection<Document>,
  filter: object,
  limit: number,
): Promise<number> {
  const found = await collection.find(filter as Filter<Document>, { projection: { _id: 1 }, limit }).toArray();
  if (found.length === 0) return 0;
  const some = { ...filter, _id: { $in: found.map(({ _id }) => _id) } } as Filter<Document>;
  const { deletedCount } = await collection.deleteMany(some);
  return deletedCount;
}

async function isInserted(insertion: Promise<unknown>): Promise<boolean> {
  try {
    await insertion;
    return true;
  } catch (error) {
    if (isDuplicateKey(error)) return false;
    throw error;
  }
}

function overrideOf({ _id, limits, note, setAtMs, setBy }: OverrideDocument): QuotaOverride {
  return { username: _id, limits: limits.map(({ rule, amount }) => ({ rule, amount })), note, setAtMs, setBy };
}

function actionOf({ _id, lease: _lease, ...action }: ActionDocument): QuotaAction {
  const { lastOutcome, lastAtMs } = action; // left out by a document where undefined
  return { ...action, actionKey: _id, lastOutcome, lastAtMs };
}
