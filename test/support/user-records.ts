import type { Plan, User } from "../../src/store/user-types.ts";

/** A user that may log in with nothing, until `changes` say otherwise. */
export function userRecord(username: string, changes: Partial<User> = {}): User {
  return {
    username,
    password: undefined,
    validFromMs: undefined,
    validUntilMs: undefined,
    disabled: false,
    plan: undefined,
    overrides: {},
    note: undefined,
    changedAtMs: 1,
    revision: "r1",
    ...changes,
  };
}

export function planRecord(name: string, changes: Partial<Plan> = {}): Plan {
  return { name, values: {}, quotaRules: [], note: undefined, changedAtMs: 1, revision: "r1", ...changes };
}
