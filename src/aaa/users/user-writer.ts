import { isDeepStrictEqual } from "node:util";
import type { Clock, Random } from "../../clock.ts";
import type { Store } from "../../store/types.ts";
import { type NewUserChange, type Plan, USER_BATCH_MAX, type User } from "../../store/user-types.ts";

export type NewUser = Omit<User, "changedAtMs" | "revision">;
export type NewPlan = Omit<Plan, "changedAtMs" | "revision">;

/** What must be there for a write to be done: the state of that revision, nothing at all, or whatever. */
export type Expected = { readonly revision: string } | "absent" | "any";

export interface WriterDeps {
  readonly clock: Pick<Clock, "wallMs">;
  readonly random: Random;
  readonly store: Pick<Store, "users" | "plans" | "userChanges">;
  readonly userChanged: (username: string) => void;
  /** What the quota remembers of a user is old, and it is to be looked at now. */
  readonly quotaChanged: (username: string) => void;
  readonly planChanged: (name: string) => void;
  /** A change was noted that is due. */
  readonly noted: () => void;
}

const REVISION_BYTES = 9;
/** A change is noted before it is made, due so much later, and made due after: whatever fails in between, it is looked at. */
const SAFETY_MS = 10_000;
/** What is longest due comes first: a user that somebody changes by hand goes before those of a plan or an import. */
const URGENT_MS = 3_600_000;

/** Writes users and plans, and sees to it that memories forget and routers are told. Every method throws {HubError} ERR_STORE:
 *  then the record may be stored or not. */
export class UserWriter {
  readonly #deps: WriterDeps;

  constructor(deps: WriterDeps) {
    this.#deps = deps;
  }

  /** @returns the stored record; undefined when the state was not the expected one */
  async putUser(user: NewUser, expected: Expected): Promise<User | undefined> {
    const { store } = this.#deps;
    const before = await store.users.one(user.username);
    if (!isExpected(before, expected)) return undefined;
    const stored = this.#stamped(user);
    const changes = touchesSessions(before, user) ? [this.#urgent(user.username)] : [];
    const isStored = await this.#noted(changes, async () => {
      // Over the state that was compared: a change by somebody else in between is not lost.
      const over = expected === "any" ? before?.revision : expected === "absent" ? undefined : expected.revision;
      return store.users.replace(stored, over);
    });
    this.#changed(user.username);
    if (isStored) return stored;
    return expected === "any" ? this.putUser(user, expected) : undefined;
  }

  /** Puts many, whatever was there. The quota looks at those who are online, when their routers are told.
   *  @param users each name once */
  async putUsers(users: readonly NewUser[]): Promise<void> {
    const { store, userChanged } = this.#deps;
    for (let at = 0; at < users.length; at += USER_BATCH_MAX) {
      const batch = users.slice(at, at + USER_BATCH_MAX).map((user) => this.#stamped(user));
      const changes = batch.map(({ username }) => this.#change("user", username));
      try {
        await this.#noted(changes, () => store.users.putAll(batch).then(() => true));
      } finally {
        for (const { username } of batch) userChanged(username);
      }
    }
  }

  /** @returns false when there was none, or another state */
  async removeUser(username: string, revision?: string): Promise<boolean> {
    const { store } = this.#deps;
    const before = await store.users.one(username);
    if (before === undefined || (revision !== undefined && before.revision !== revision)) return false;
    const isRemoved = await this.#noted([this.#urgent(username)], () => store.users.remove(username, revision));
    this.#changed(username);
    return isRemoved;
  }

  /** @returns the stored record; undefined when the state was not the expected one */
  async putPlan(plan: NewPlan, expected: Expected): Promise<Plan | undefined> {
    const { store, planChanged } = this.#deps;
    const before = await store.plans.one(plan.name);
    if (!isExpected(before, expected)) return undefined;
    const stored = this.#stamped(plan);
    const isSame =
      isDeepStrictEqual(before?.values, plan.values) && isDeepStrictEqual(before?.quotaRules, plan.quotaRules);
    const isStored = await this.#noted(isSame ? [] : [this.#change("plan", plan.name)], async () => {
      const over = expected === "any" ? before?.revision : expected === "absent" ? undefined : expected.revision;
      return store.plans.replace(stored, over);
    });
    planChanged(plan.name);
    if (isStored) return stored;
    return expected === "any" ? this.putPlan(plan, expected) : undefined;
  }

  /** Its users have no plan from now on. @returns false when there was none, or another state */
  async removePlan(name: string, revision?: string): Promise<boolean> {
    const { store, planChanged } = this.#deps;
    const before = await store.plans.one(name);
    if (before === undefined || (revision !== undefined && before.revision !== revision)) return false;
    const isRemoved = await this.#noted([this.#change("plan", name)], () => store.plans.remove(name, revision));
    planChanged(name);
    return isRemoved;
  }

  /** What holds for a user has changed elsewhere, its quota for instance: the routers are told. */
  async touch(username: string): Promise<void> {
    const { store } = this.#deps;
    this.#changed(username);
    // Of somebody who is not in the store nobody knows what to tell.
    if ((await store.users.one(username)) === undefined) return;
    await this.#noted([this.#urgent(username)], () => Promise.resolve(true));
  }

  #changed(username: string): void {
    this.#deps.userChanged(username);
    this.#deps.quotaChanged(username);
  }

  #stamped<Item extends NewUser | NewPlan>(item: Item): Item & { changedAtMs: number; revision: string } {
    const revision = Buffer.from(this.#deps.random.bytes(REVISION_BYTES)).toString("base64url");
    return { ...item, changedAtMs: this.#deps.clock.wallMs(), revision };
  }

  #urgent(username: string): NewUserChange {
    return this.#change("user", username, URGENT_MS);
  }

  #change(kind: NewUserChange["kind"], name: string, beforeMs = 0): NewUserChange {
    return { kind, name, dueAtMs: this.#deps.clock.wallMs() - beforeMs };
  }

  async #noted(changes: readonly NewUserChange[], write: () => Promise<boolean>): Promise<boolean> {
    const { clock, store, noted } = this.#deps;
    if (changes.length === 0) return write();
    await store.userChanges.put(changes.map((change) => ({ ...change, dueAtMs: clock.wallMs() + SAFETY_MS })));
    const isWritten = await write();
    if (!isWritten) return false;
    await store.userChanges.put(changes);
    noted();
    return true;
  }
}

function isExpected(before: { readonly revision: string } | undefined, expected: Expected): boolean {
  if (expected === "any") return true;
  return expected === "absent" ? before === undefined : before?.revision === expected.revision;
}

/** Whether routers have to be told, now or when the validity ends. A password or a note is nothing to them. */
function touchesSessions(before: NewUser | undefined, after: NewUser): boolean {
  const told = ({ plan, disabled, validFromMs, validUntilMs, overrides }: NewUser) => ({
    plan,
    disabled,
    validFromMs,
    validUntilMs,
    overrides,
  });
  return before === undefined || !isDeepStrictEqual(told(before), told(after));
}
