import type { Collection } from "mongodb";
import { assertPage, assertUserBatch } from "../limits.ts";
import { pageOf } from "../page-of.ts";
import type { Page, PageRequest } from "../types.ts";
import type { Plan, PlanStore, User, UserFilter, UserStore } from "../user-types.ts";
import type { Calls } from "./connection.ts";
import type { PlanDocument, UserDocument } from "./documents.ts";
import { isDuplicateKey } from "./mongo-fault.ts";

/** UserStore on the collection `users`. */
export class UserCollection implements UserStore {
  readonly #calls: Calls;

  constructor(calls: Calls) {
    this.#calls = calls;
  }

  one(username: string): Promise<User | undefined> {
    return this.#calls.read(async ({ users }) => {
      const document = await users.findOne({ _id: { $eq: username } });
      return document === null ? undefined : userOf(document);
    });
  }

  async put(user: User): Promise<void> {
    const document = userDocument(user);
    await this.#calls.write(({ users }) =>
      users.replaceOne({ _id: { $eq: document._id } }, document, { upsert: true }),
    );
  }

  async putAll(batch: readonly User[]): Promise<void> {
    assertUserBatch(batch);
    const replacements = batch.map(userDocument).map((replacement) => ({
      replaceOne: { filter: { _id: { $eq: replacement._id } }, replacement, upsert: true },
    }));
    if (replacements.length === 0) return;
    await this.#calls.writes(({ users }) => users.bulkWrite(replacements, { ordered: false }));
  }

  replace(user: User, revision: string | undefined): Promise<boolean> {
    const document = userDocument(user);
    return this.#calls.write(({ users }) => replaceState(users, document, revision));
  }

  remove(username: string, revision?: string): Promise<boolean> {
    return this.#calls.write(async ({ users }) => {
      const { deletedCount } = await users.deleteOne({ _id: { $eq: username }, ...ofState(revision) });
      return deletedCount > 0;
    });
  }

  async list(page: PageRequest, { plan }: UserFilter = {}): Promise<Page<User>> {
    assertPage(page);
    return this.#calls.read(async ({ users }) => {
      const found = await pageDocuments(users, page, plan === undefined ? {} : { plan: { $eq: plan } });
      return pageOf(found.map(userOf), page.limit, ({ username }) => username);
    });
  }
}

/** PlanStore on the collection `plans`. */
export class PlanCollection implements PlanStore {
  readonly #calls: Calls;

  constructor(calls: Calls) {
    this.#calls = calls;
  }

  one(name: string): Promise<Plan | undefined> {
    return this.#calls.read(async ({ plans }) => {
      const document = await plans.findOne({ _id: { $eq: name } });
      return document === null ? undefined : planOf(document);
    });
  }

  async put(plan: Plan): Promise<void> {
    const document = planDocument(plan);
    await this.#calls.write(({ plans }) =>
      plans.replaceOne({ _id: { $eq: document._id } }, document, { upsert: true }),
    );
  }

  replace(plan: Plan, revision: string | undefined): Promise<boolean> {
    const document = planDocument(plan);
    return this.#calls.write(({ plans }) => replaceState(plans, document, revision));
  }

  remove(name: string, revision?: string): Promise<boolean> {
    return this.#calls.write(async ({ plans }) => {
      const { deletedCount } = await plans.deleteOne({ _id: { $eq: name }, ...ofState(revision) });
      return deletedCount > 0;
    });
  }

  async list(page: PageRequest): Promise<Page<Plan>> {
    assertPage(page);
    return this.#calls.read(async ({ plans }) => {
      const found = await pageDocuments(plans, page);
      return pageOf(found.map(planOf), page.limit, ({ name }) => name);
    });
  }
}

/** One document more than the page holds, in the order of `_id`. */
export function pageDocuments<Document extends { readonly _id: string }>(
  collection: Collection<Document>,
  { after, limit }: PageRequest,
  filter: object = {},
): Promise<Document[]> {
  const rest = after === undefined ? {} : { _id: { $gt: after } };
  return collection
    .find({ ...filter, ...rest } as never, { sort: { _id: 1 }, limit: limit + 1 })
    .toArray() as Promise<unknown> as Promise<Document[]>;
}

interface Versioned {
  readonly _id: string;
  readonly revision: string;
}

/** Replaces a document in one state, or inserts it where `revision` is undefined. @returns whether it did */
async function replaceState<Document extends Versioned>(
  collection: Collection<Document>,
  document: Document,
  revision: string | undefined,
): Promise<boolean> {
  const documents = collection as unknown as Collection<Versioned>;
  if (revision !== undefined) {
    const filter = { _id: { $eq: document._id }, ...ofState(revision) };
    return (await documents.replaceOne(filter, document)).matchedCount > 0;
  }
  try {
    await documents.insertOne(document);
    return true;
  } catch (error) {
    if (isDuplicateKey(error)) return false;
    throw error;
  }
}

function ofState(revision: string | undefined): { readonly revision?: { readonly $eq: string } } {
  return revision === undefined ? {} : { revision: { $eq: revision } };
}

function userDocument({ username, ...user }: User): UserDocument {
  return { ...structuredClone(user), _id: username };
}

function planDocument({ name, ...plan }: Plan): PlanDocument {
  return { ...structuredClone(plan), _id: name };
}

/** A document leaves out what is undefined; one of an earlier version lacks more. */
function userOf({ _id, ...document }: UserDocument): User {
  const { password, validFromMs, validUntilMs, disabled, plan, note, changedAtMs } = document;
  const { overrides = {}, revision = "0" } = document as Partial<User>;
  return {
    username: _id,
    password,
    validFromMs,
    validUntilMs,
    disabled,
    plan,
    overrides,
    note,
    changedAtMs,
    revision,
  };
}

function planOf({ _id, ...document }: PlanDocument): Plan {
  return { name: _id, ...document };
}
