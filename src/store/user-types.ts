import type { Page, PageRequest } from "./types.ts";

/** Users by name. A record is replaced as a whole; `revision` tells one state of it from every other one there ever was. */
export interface UserStore {
  one(username: string): Promise<User | undefined>;
  /** Inserts or replaces a user. */
  put(user: User): Promise<void>;
  /** Inserts or replaces each of them; with MongoDB one by one, so that after an ERR_STORE some may be stored.
   *  @param users at most USER_BATCH_MAX, each name once */
  putAll(users: readonly User[]): Promise<void>;
  /** As put(), but only over the state that has `revision`; undefined: only if there is none of that name. Of any number of
   *  callers, on any node, one succeeds. @returns whether it was stored */
  replace(user: User, revision: string | undefined): Promise<boolean>;
  /** @param revision only if it is in that state; undefined: whatever its state
   *  @returns false if there was none, or another state */
  remove(username: string, revision?: string): Promise<boolean>;
  /** In the order of the names. */
  list(page: PageRequest, filter?: UserFilter): Promise<Page<User>>;
}

export interface UserFilter {
  readonly plan?: string | undefined;
}

/** Users of one putAll(), changes of one put() or take(). */
export const USER_BATCH_MAX = 1_000;

export interface User {
  readonly username: string;
  /** Undefined: no password fits. It may be let in by other means, or be known for its plan only. */
  readonly password: StoredPassword | undefined;
  /** Inclusive; undefined: ever since. */
  readonly validFromMs: number | undefined;
  /** Exclusive; undefined: for ever. */
  readonly validUntilMs: number | undefined;
  readonly disabled: boolean;
  /** Name of a plan; it need not exist. */
  readonly plan: string | undefined;
  /** The user's own values, over those of the plan. */
  readonly overrides: PlanValues;
  readonly note: string | undefined;
  readonly changedAtMs: number;
  readonly revision: string;
}

/** How the password is kept. "hashed": `secret` is argon2id, scrypt or an imported pbkdf2 in PHC string format. "clear-text" and "nt-hash" (32 hex
 *  digits) exist for CHAP and MS-CHAP only, which can not be verified against a hash. */
export interface StoredPassword {
  readonly kind: (typeof PASSWORD_KINDS)[number];
  readonly secret: string;
}

export const PASSWORD_KINDS = ["hashed", "clear-text", "nt-hash"] as const;

export interface PlanStore {
  one(name: string): Promise<Plan | undefined>;
  /** Inserts or replaces a plan. */
  put(plan: Plan): Promise<void>;
  /** As UserStore.replace(). */
  replace(plan: Plan, revision: string | undefined): Promise<boolean>;
  /** As UserStore.remove(). */
  remove(name: string, revision?: string): Promise<boolean>;
  /** In the order of the names. */
  list(page: PageRequest): Promise<Page<Plan>>;
}

export interface Plan {
  readonly name: string;
  readonly values: PlanValues;
  /** Quota rules of hub.yaml that hold for its users, in order. */
  readonly quotaRules: readonly string[];
  readonly note: string | undefined;
  readonly changedAtMs: number;
  readonly revision: string;
}

/** What a user gets, named as no vendor names it; a key that is missing bounds nothing. */
export interface PlanValues {
  /** Bits per second towards the user. */
  readonly rateDownBps?: number | undefined;
  /** Bits per second from the user. */
  readonly rateUpBps?: number | undefined;
  readonly sessionTimeoutSeconds?: number | undefined;
  readonly idleTimeoutSeconds?: number | undefined;
  /** Between two interim records of the NAS; INTERIM_SECONDS_MIN at least. */
  readonly interimSeconds?: number | undefined;
  /** Acct sessions that the user may have open at once. */
  readonly simultaneousUse?: number | undefined;
  /** Port-Limit. */
  readonly portLimit?: number | undefined;
  /** What the router calls the user's group, role or profile. */
  readonly group?: string | undefined;
}

/** What a user's routers have yet to be told: somebody changed the user or its plan, or its validity ends. */
export interface UserChangeStore {
  /** Notes them; one that is noted already becomes due at the new time, with no attempt made.
   *  @param changes at most USER_BATCH_MAX */
  put(changes: readonly NewUserChange[]): Promise<void>;
  /** Takes changes that are due, the longest due first, and moves their `dueAtMs` to `leaseUntilMs` in the same write: of two
   *  nodes one gets them, and if that one dies they are due again. */
  take(nowMs: number, leaseUntilMs: number, limit: number): Promise<UserChange[]>;
  /** Ends a change that was taken, or lets it come again. Does nothing if it was noted anew since.
   *  @param taken as take() gave it @param next undefined: it is done
   *  @returns false when it was noted anew */
  settle(taken: UserChange, next: UserChangeNext | undefined): Promise<boolean>;
  /** Changes that are due at `nowMs`. */
  countDue(nowMs: number): Promise<number>;
}

export interface NewUserChange {
  /** "user": that user. "plan": every user of that plan, one after the other. */
  readonly kind: "user" | "plan";
  /** Of the user or plan. */
  readonly name: string;
  readonly dueAtMs: number;
}

export interface UserChange extends NewUserChange {
  /** Times that it was tried in vain. */
  readonly attempts: number;
  /** How far it has come. kind "plan": the name of the user that was noted last. undefined: nowhere yet. */
  readonly after: string | undefined;
}

export interface UserChangeNext {
  readonly dueAtMs: number;
  readonly attempts: number;
  readonly after?: string | undefined;
}
