import type { Collection } from "mongodb";
import { assertPage } from "../limits.ts";
import { pageOf } from "../page-of.ts";
import type { Page, PageRequest } from "../types.ts";
import type { Plan, PlanStore, User, UserStore } from "../user-types.ts";
import type { Calls } from "./connection.ts";
import type { PlanDocument, UserDocument } from "./documents.ts";

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

  async put({ username, ...user }: User): Promise<void> {
    const document = { ...user, _id: username };
    await this.#calls.write(({ users }) => users.replaceOne({ _id: { $eq: username } }, document, { upsert: true }));
  }

  remove(username: string): Promise<boolean> {
    return this.#calls.write(async ({ users }) => {
      const { deletedCount } = await users.deleteOne({ _id: { $eq: username } });
      return deletedCount > 0;
    });
  }

  async list(page: PageRequest): Promise<Page<User>> {
    assertPage(page);
    return this.#calls.read(async ({ users }) => {
      const found = await pageDocuments(users, page);
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

  async put({ name, quotaRules, changedAtMs }: Plan): Promise<void> {
    const document = { _id: name, quotaRules: [...quotaRules], changedAtMs };
    await this.#calls.write(({ plans }) => plans.replaceOne({ _id: { $eq: name } }, document, { upsert: true }));
  }

  remove(name: string): Promise<boolean> {
    return this.#calls.write(async ({ plans }) => {
      const { deletedCount } = await plans.deleteOne({ _id: { $eq: name } });
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

function userOf({ _id, plan, disabled, changedAtMs }: UserDocument): User {
  return { username: _id, plan, disabled, changedAtMs };
}

function planOf({ _id, quotaRules, changedAtMs }: PlanDocument): Plan {
  return { name: _id, quotaRules, changedAtMs };
}
