import type { GuessOptions } from "./guess-limits.ts";
import type { HashingOptions } from "./password-hashing.ts";
import type { UpdateOptions } from "./user-updates.ts";

/** Section `users` of the configuration. */
export interface UsersOptions {
  /** How long what the store knows of a user or plan is believed; what this node changes it knows at once. 30,000 as shipped. */
  readonly memoryMs: number;
  /** Acct-Interim-Interval where the plan has none; 120 as shipped. */
  readonly interimSeconds: number;
  readonly passwords: HashingOptions;
  readonly guesses: GuessOptions;
  readonly updates: UpdateOptions;
}

/** RFC 2869 Section 5.16: an interval must not be below 60 seconds and should not be below 600. */
export const INTERIM_SECONDS_MIN = 60;
export const INTERIM_SECONDS_ADVISED = 600;
