import { beforeEach, describe, expect, it } from "vitest";
import { GuessCounter } from "../../../../src/aaa/users/guess-limits.ts";
import { ManualClock } from "../../../support/manual-clock.ts";

const ALICE = { username: "alice", callingStationId: "00-11-22-AA-BB-CC", source: "peer 1" };
const OPTIONS = { windowMs: 60_000, userMax: 3, macMax: 5, sourceMax: 8 };
let clock: ManualClock;
let guesses: GuessCounter;

beforeEach(() => {
  clock = new ManualClock(0);
  guesses = new GuessCounter(clock, OPTIONS);
});

const fail = (times: number, attempt = ALICE) => {
  for (let index = 0; index < times; index += 1) guesses.failed(attempt);
};

describe("GuessCounter", () => {
  it("holds a user up after so many wrong ones, says until when, and forgives bit by bit", () => {
    fail(2);
    expect(guesses.admit(ALICE)).toEqual({ ok: true });
    fail(1);
    expect(guesses.admit(ALICE)).toEqual({ ok: false, by: "user", retryAfterMs: 20_000 });
    expect(guesses.admit({ ...ALICE, callingStationId: undefined, source: "peer 2" })).toMatchObject({ by: "user" });
    expect(guesses.admit({ ...ALICE, username: "bob" })).toEqual({ ok: true });
    clock.advance(19_999);
    expect(guesses.admit(ALICE)).toMatchObject({ ok: false });
    clock.advance(1);
    expect(guesses.admit(ALICE)).toEqual({ ok: true });
    fail(1);
    expect(guesses.admit(ALICE)).toMatchObject({ ok: false });
    expect(guesses.refused).toEqual({ user: 4, mac: 0, source: 0 });
  });

  it("holds one MAC up that tries many users, in whichever notation", () => {
    for (let index = 0; index < 5; index += 1) fail(1, { ...ALICE, username: `u${index}` });
    const other = { ...ALICE, username: "new", callingStationId: "0011.22aa.bbcc" };
    expect(guesses.admit(other)).toMatchObject({ ok: false, by: "mac" });
    expect(guesses.admit({ ...other, callingStationId: undefined })).toEqual({ ok: true });
  });

  it("holds a source up that tries many users and MACs, however many of them get in", () => {
    for (let index = 0; index < 8; index += 1) {
      const attempt = { ...ALICE, username: `u${index}`, callingStationId: `m${index}` };
      fail(1, attempt);
      guesses.succeeded(attempt);
    }
    const next = { username: "new", callingStationId: undefined, source: "peer 1" };
    expect(guesses.admit(next)).toMatchObject({ ok: false, by: "source" });
    expect(guesses.admit({ ...next, source: "peer 2" })).toEqual({ ok: true });
  });

  it("forgets the wrong ones of who gets in, or whom an operator changes", () => {
    fail(3);
    guesses.succeeded(ALICE);
    expect(guesses.admit(ALICE)).toEqual({ ok: true });
    fail(1, { ...ALICE, callingStationId: "other" });
    fail(2, { ...ALICE, callingStationId: "another" });
    guesses.forgive("alice");
    expect(guesses.admit(ALICE)).toEqual({ ok: true });
  });

  it("holds a MAC up that has an account of its own and guesses at those of others between its logins", () => {
    for (let index = 0; index < 5; index += 1) {
      fail(1, { ...ALICE, username: `u${index}` });
      guesses.succeeded({ ...ALICE, username: "mallory" });
    }
    expect(guesses.admit({ ...ALICE, username: "u5" })).toMatchObject({ ok: false, by: "mac" });
  });

  it.each([
    ["user", 3, {}],
    ["mac", 5, { username: undefined }],
    ["source", 8, { username: undefined, callingStationId: undefined }],
  ] as const)("counts what is not known yet as wrong, by %s", (_by, max, own) => {
    const attempts = Array.from({ length: max + 1 }, (_, index) => ({
      username: "username" in own ? `u${index}` : "alice",
      callingStationId: "callingStationId" in own ? `m${index}` : ALICE.callingStationId,
      source: "peer 1",
    }));
    const begun = attempts.filter((attempt) => guesses.begin(attempt));
    expect(begun).toHaveLength(max);
    for (const attempt of begun) guesses.end(attempt);
    expect(attempts.filter((attempt) => guesses.begin(attempt))).toHaveLength(max);
  });

  it("is not made longer by what was under way when the limit was reached", () => {
    fail(7, { ...ALICE, callingStationId: "other" });
    expect(guesses.admit({ ...ALICE, callingStationId: undefined })).toMatchObject({ retryAfterMs: 20_000 });
  });

  it("has no limit where it is 0", () => {
    guesses.apply({ ...OPTIONS, userMax: 0, macMax: 0, sourceMax: 0 });
    fail(100);
    expect(guesses.admit(ALICE)).toEqual({ ok: true });
  });
});
