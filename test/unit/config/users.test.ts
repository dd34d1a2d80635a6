import { describe, expect, it } from "vitest";
import { configOf, load } from "./load.ts";
import { expectMistake, type Mistake } from "./mistake.ts";

const MISTAKES: readonly Mistake[] = [
  {
    name: "interims below the floor of RFC 2869 Section 5.16",
    yaml: "users: { interim: 59s }",
    line: 1,
    key: "users.interim",
    message: "at least 60s",
  },
  {
    name: "a hash that is none",
    yaml: "users:\n  passwords: { hash: md5 }",
    line: 2,
    key: "users.passwords.hash",
    message: "argon2id, scrypt",
  },
  {
    name: "a login at a time",
    yaml: "users: { passwords: { atOnce: 0 } }",
    line: 1,
    key: "users.passwords.atOnce",
    message: "at least 1",
  },
  {
    name: "a login that waits for ever",
    yaml: "users: { passwords: { answerWithin: 31s } }",
    line: 1,
    key: "users.passwords.answerWithin",
    message: "at most 30s",
  },
  {
    name: "a key that may be meant",
    yaml: "users: { guesses: { users: 5 } }",
    line: 1,
    key: "users.guesses.users",
    message: "unknown key",
  },
];

describe("section users", () => {
  it("has defaults", () => {
    expect(configOf("").users).toEqual({
      memoryMs: 30_000,
      interimSeconds: 120,
      passwords: { algorithm: "argon2id", atOnce: 2, waitingMax: 4_096, answerWithinMs: 4_000 },
      guesses: { windowMs: 300_000, userMax: 10, macMax: 20, sourceMax: 1_000 },
      updates: { perSecond: 200 },
    });
  });

  it.each(MISTAKES)("refuses $name", expectMistake);

  it.each([
    ["users: { interim: 61s }", ["users.interim"]],
    ["users: { interim: 599s }", ["users.interim"]],
    ["users: { interim: 10m }", []],
    ["", []],
  ])("warns of interims below 600 seconds, but for the 120 of the default: %s", (yaml, keys) => {
    const loaded = load(yaml);
    const told = loaded.ok ? loaded.warnings.filter(({ key }) => key.startsWith("users")) : undefined;
    expect(told?.map(({ key }) => key)).toEqual(keys);
  });
});
