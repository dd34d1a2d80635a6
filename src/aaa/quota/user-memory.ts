import { LRUCache } from "lru-cache";
import type { Clock } from "../../clock.ts";
import type { QuotaAction, QuotaMark, QuotaOverride } from "../../store/quota-types.ts";
import type { Store } from "../../store/types.ts";

/** What the store knows of a user besides usage. */
export interface UserFacts {
  readonly plan: string | undefined;
  /** Plan.quotaRules of that plan. */
  readonly planRules: readonly string[];
  readonly override: QuotaOverride | undefined;
  readonly actions: readonly QuotaAction[];
  /** Standing marks, by key. */
  readonly marks: Map<string, QuotaMark>;
}

export type UserMemoryStore = Pick<Store, "quota" | "users" | "plans">;

/** Users whose facts are remembered; of one more, the one not asked for longest is forgotten. Some 1 kB each. */
const USERS_MAX = 20_000;

/** Remembers for a while what the store knows of users, so that most records cost one question: the usage. */
export class UserMemory {
  readonly #clock: Clock;
  readonly #store: UserMemoryStore;
  /** Without facts while they are being read: who forgets a user then makes what is read too old to keep. */
  readonly #known = new LRUCache<string, { facts: UserFacts | undefined; readonly readAt: number }>({ max: USERS_MAX });

  constructor(clock: Clock, store: UserMemoryStore) {
    this.#clock = clock;
    this.#store = store;
  }

  /** Users that are remembered. */
  get size(): number {
    return this.#known.size;
  }

  /** @throws {HubError} ERR_STORE */
  async facts(username: string, maxAgeMs: number): Promise<UserFacts> {
    const known = this.#known.get(username);
    const now = this.#clock.now();
    if (known?.facts !== undefined && now - known.readAt < maxAgeMs) return known.facts;
    const entry = { facts: undefined as UserFacts | undefined, readAt: now };
    this.#known.set(username, entry);
    const { quota, users, plans } = this.#store;
    const [user, override, actions, marks] = await Promise.all([
      users.one(username),
      quota.override(username),
      quota.actions(username),
      quota.marks(username),
    ]);
    const plan = user?.plan;
    const planRules = plan === undefined ? [] : ((await plans.one(plan))?.quotaRules ?? []);
    const standing = new Map(marks.map((mark) => [mark.markKey, mark]));
    const facts = { plan, planRules, override, actions, marks: standing };
    entry.facts = facts;
    return facts;
  }

  forget(username: string): void {
    this.#known.delete(username);
  }
}
