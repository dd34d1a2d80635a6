import { LRUCache } from "lru-cache";
import type { Clock } from "../../clock.ts";
import type { Store } from "../../store/types.ts";
import type { Plan, PlanValues, User } from "../../store/user-types.ts";
import { ntHash } from "../mschap/nt-hash.ts";
import { RememberedRecords } from "./remembered-records.ts";
import type { KnownUser, UserDirectory } from "./types.ts";

/** Users and plans that are remembered; of one more, the one not asked for longest is forgotten. A user is some 1 kB. */
const USERS_MAX = 50_000;
/** Names that no user has: apart from the others, so that names made up by a guesser push no user out. */
const UNKNOWN_MAX = 10_000;
const PLANS_MAX = 1_000;

/** Users by name, with their plan, remembered. While the store is down, what is remembered holds however old it is. */
export class RememberedUsers implements UserDirectory {
  readonly #users: RememberedRecords<User>;
  readonly #plans: RememberedRecords<Plan>;
  /** What was made of a user and a plan. */
  readonly #known = new LRUCache<string, { readonly plan: Plan | undefined; readonly known: KnownUser }>({
    max: USERS_MAX,
  });

  constructor(clock: Pick<Clock, "now">, store: Pick<Store, "users" | "plans">, memoryMs: number) {
    const users = (username: string) => store.users.one(username);
    const plans = (name: string) => store.plans.one(name);
    this.#users = new RememberedRecords({ clock, read: users }, { max: USERS_MAX, absentMax: UNKNOWN_MAX, memoryMs });
    this.#plans = new RememberedRecords({ clock, read: plans }, { max: PLANS_MAX, absentMax: PLANS_MAX, memoryMs });
  }

  get size(): number {
    return this.#users.size;
  }

  apply(memoryMs: number): void {
    this.#users.apply(memoryMs);
    this.#plans.apply(memoryMs);
  }

  remembered(username: string): KnownUser | undefined {
    const user = this.#users.remembered(username);
    if (user === undefined) return undefined;
    const plan = user.plan === undefined ? undefined : this.#plans.remembered(user.plan);
    // A plan that is not remembered may be none that there is, or one that has to be read.
    return user.plan !== undefined && plan === undefined ? undefined : this.#made(user, plan);
  }

  async find(username: string): Promise<KnownUser | undefined> {
    const user = this.#users.remembered(username) ?? (await this.#users.find(username));
    if (user === undefined) return undefined;
    return this.#made(user, user.plan === undefined ? undefined : await this.plan(user.plan));
  }

  /** @throws {HubError} ERR_STORE */
  async plan(name: string): Promise<Plan | undefined> {
    return this.#plans.remembered(name) ?? (await this.#plans.find(name));
  }

  userChanged(username: string): void {
    this.#users.forget(username);
    this.#known.delete(username);
  }

  planChanged(name: string): void {
    this.#plans.forget(name);
  }

  /** The same object for the same user and plan. */
  #made(user: User, plan: Plan | undefined): KnownUser {
    const { username } = user;
    const made = this.#known.get(username);
    if (made !== undefined && made.known.user === user && made.plan === plan) return made.known;
    const known = knownUser(user, plan);
    this.#known.set(username, { plan, known });
    return known;
  }
}

/** What holds for a user with that plan. */
export function knownUser(user: User, plan: Plan | undefined): KnownUser {
  const { password } = user;
  const isClearText = password?.kind === "clear-text";
  return {
    user,
    values: { ...plan?.values, ...given(user.overrides) },
    quotaRules: plan?.quotaRules ?? [],
    clearText: isClearText ? Buffer.from(password.secret) : undefined,
    ntHash: isClearText
      ? ntHash(Buffer.from(password.secret))
      : password?.kind === "nt-hash"
        ? Buffer.from(password.secret, "hex")
        : undefined,
  };
}

function given(values: PlanValues): PlanValues {
  return Object.fromEntries(Object.entries(values).filter(([, value]) => value !== undefined));
}
