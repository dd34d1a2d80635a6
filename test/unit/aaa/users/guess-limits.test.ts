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
    fail(3);
    guesses.forgive("alice");
    expect(guesses.admit(ALICE)).toEqual({ ok: true });
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
