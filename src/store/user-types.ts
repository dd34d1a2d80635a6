import type { Page, PageRequest } from "./types.ts";

export interface UserStore {
  one(username: string): Promise<User | undefined>;
  /** Inserts or replaces a user as a whole. */
  put(user: User): Promise<void>;
  /** @returns false if there was none */
  remove(username: string): Promise<boolean>;
  /** In the order of the names. */
  list(page: PageRequest): Promise<Page<User>>;
}

export interface User {
  readonly username: string;
  /** Name of a plan; it need not exist. */
  readonly plan: string | undefined;
  readonly disabled: boolean;
  readonly changedAtMs: number;
}

export interface PlanStore {
  one(name: string): Promise<Plan | undefined>;
  /** Inserts or replaces a plan as a whole. */
  put(plan: Plan): Promise<void>;
  /** @returns false if there was none */
  remove(name: string): Promise<boolean>;
  /** In the order of the names. */
  list(page: PageRequest): Promise<Page<Plan>>;
}

export interface Plan {
  readonly name: string;
  /** Quota rules of hub.yaml that hold for its users, in order. */
  readonly quotaRules: readonly string[];
  readonly changedAtMs: number;
}
