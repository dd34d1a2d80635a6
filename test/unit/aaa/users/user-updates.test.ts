import { beforeEach, describe, expect, it, onTestFinished, vi } from "vitest";
import { type UserUpdate, UserUpdates } from "../../../../src/aaa/users/user-updates.ts";
import { UserWriter } from "../../../../src/aaa/users/user-writer.ts";
import { systemRandom } from "../../../../src/clock.ts";
import { SqliteStore } from "../../../../src/store/sqlite/sqlite-store.ts";
import { ManualClock } from "../../../support/manual-clock.ts";
import { planRecord, userRecord } from "../../../support/user-records.ts";

const OPTIONS = { perSecond: 100, memoryMs: 30_000 };
const DONE: UserUpdate = { told: "done", againAtMs: undefined };
let clock: ManualClock;
let store: SqliteStore;
/** Users whose routers were told, in order. */
let told: string[];
/** Those that were looked at once more, for acct sessions that began meanwhile; since when. */
let settledOn: { username: string; sinceMs: number }[];
let answer: (username: string) => Promise<UserUpdate>;
let updates: UserUpdates;
let writer: UserWriter;

function node(): UserUpdates {
  const update = (username: string, sinceMs: number | undefined) => {
    if (sinceMs === undefined) told.push(username);
    else settledOn.push({ username, sinceMs });
    return answer(username);
  };
  const onFault = (error: unknown) => expect(error).toBeUndefined();
  return new UserUpdates({ clock, random: systemRandom, store, update, onFault }, OPTIONS);
}

beforeEach(async () => {
  clock = new ManualClock(1_000_000);
  store = new SqliteStore({ clock }, { file: ":memory:" });
  store.start();
  await vi.waitUntil(() => store.health.state === "up", { timeout: 10_000, interval: 5 });
  told = [];
  settledOn = [];
  answer = () => Promise.resolve(DONE);
  updates = node();
  updates.start();
  const nothing = () => undefined;
  const noted = () => updates.look();
  writer = new UserWriter({
    clock,
    random: systemRandom,
    store,
    userChanged: nothing,
    quotaChanged: nothing,
    planChanged: nothing,
    noted,
  });
  onTestFinished(async () => {
    await updates.stop();
    await store.stop();
  });
});

/** Until nothing is under way. */
async function settled(): Promise<void> {
  for (let quiet = 0; quiet < 4; ) {
    await store.userChanges.countDue(0); // everything before it has been answered
    await new Promise((resolve) => setImmediate(resolve));
    quiet = updates.load.running === 0 ? quiet + 1 : 0;
  }
}

async function pass(ms: number): Promise<void> {
  clock.advance(ms);
  await settled();
}

describe("UserUpdates", () => {
  it("tells at once of a user that was changed, and not of a note or a password", async () => {
    await writer.putUser(userRecord("alice"), "absent");
    await settled();
    expect(told).toEqual(["alice"]);
    const password = { kind: "clear-text", secret: "x" } as const;
    await writer.putUser(userRecord("alice", { note: "n", password }), "any");
    await pass(60_000);
    expect(told).toEqual(["alice"]);
    await writer.putUser(userRecord("alice", { overrides: { rateUpBps: 1 } }), "any");
    await settled();
    await writer.removeUser("alice");
    await settled();
    expect(told).toEqual(["alice", "alice", "alice"]);
    expect(updates.load).toMatchObject({ running: 0, due: 0, done: 3, repeated: 0, givenUp: 0 });
  });

  it("works a plan with many users off at a pace, and every one of them once", async () => {
    const users = Array.from({ length: 1_200 }, (_, index) => userRecord(`u${index}`, { plan: "gold" }));
    for (let at = 0; at < users.length; at += 600) await store.users.putAll(users.slice(at, at + 600));
    await store.users.put(userRecord("other", { plan: "iron" }));
    await writer.putPlan(planRecord("gold", { values: { rateUpBps: 1 } }), "absent");
    await settled();
    for (let second = 1; told.length < users.length && second < 60; second += 1) {
      const before = told.length;
      await pass(1_000);
      // Of a second's hundred, the plan itself takes a share.
      expect(told.length - before).toBeLessThanOrEqual(100);
    }
    await pass(5_000);
    expect(told).toHaveLength(1_200);
    expect(new Set(told).size).toBe(1_200);
    expect(told).not.toContain("other");
    expect(updates.load.due).toBe(0);
  }, 60_000);

  it("puts a user that somebody changes before all those of an import", async () => {
    await writer.putUsers(Array.from({ length: 1_000 }, (_, index) => userRecord(`u${index}`)));
    await settled();
    expect(updates.load.due).toBe(900);
    await writer.putUser(userRecord("zoe"), "absent");
    await pass(100);
    await pass(1_000);
    expect(told.slice(0, 111)).toContain("zoe");
  });

  it("does not touch the users of a plan when only its note changes", async () => {
    await store.users.put(userRecord("alice", { plan: "gold" }));
    const values = { rateUpBps: 1 };
    await writer.putPlan(planRecord("gold", { values }), "absent");
    await pass(1_000);
    expect(told).toEqual(["alice"]);
    await writer.putPlan(planRecord("gold", { values, note: "n" }), "any");
    await pass(60_000);
    expect(told).toEqual(["alice"]);
    await writer.removePlan("gold");
    await pass(1_000);
    expect(told).toEqual(["alice", "alice"]);
  });

  it("repeats with back-off what a router did not answer, and only now and then after ten tries", async () => {
    answer = () => Promise.resolve({ told: "again", againAtMs: undefined });
    await writer.putUser(userRecord("alice"), "absent");
    await settled();
    await pass(2_000);
    expect(told).toHaveLength(1);
    for (let minute = 0; minute < 45; minute += 1) await pass(60_000);
    expect(told).toHaveLength(10);
    for (let step = 0; step < 24; step += 1) await pass(3_600_000);
    expect(told.length).toBeGreaterThanOrEqual(30);
    expect(told.length).toBeLessThanOrEqual(10 + 48);
    // The acct session has ended, or its router has answered.
    answer = () => Promise.resolve(DONE);
    await pass(3_600_000);
    await pass(3_600_000);
    await pass(3_600_000);
    expect(updates.load).toMatchObject({ done: 1, givenUp: 0, due: 0 });
    await expect(store.userChanges.countDue(Number.MAX_SAFE_INTEGER)).resolves.toBe(0);
  });

  it("looks every five minutes at least whether a router that is away is back", async () => {
    answer = () => Promise.resolve({ told: "away", againAtMs: undefined });
    await writer.putUser(userRecord("alice"), "absent");
    for (let hour = 0; hour < 5; hour += 1) for (let step = 0; step < 12; step += 1) await pass(300_000);
    const before = told.length;
    await pass(300_000);
    expect(told.length).toBeGreaterThan(before);
  });

  it("does not wait beyond the end of the validity to try again", async () => {
    const untilMs = clock.wallMs() + 600_000;
    answer = () => {
      const isOver = clock.wallMs() >= untilMs;
      return Promise.resolve({ told: isOver ? "done" : "again", againAtMs: isOver ? undefined : untilMs });
    };
    await writer.putUser(userRecord("alice", { validUntilMs: untilMs }), "absent");
    for (let minute = 0; minute < 10; minute += 1) await pass(60_000);
    await pass(1_000);
    expect(updates.load).toMatchObject({ done: 1 });
  });

  it("looks once more when nobody can be let in as before: at acct sessions that began meanwhile", async () => {
    const atMs = clock.wallMs();
    await writer.putUser(userRecord("alice"), "absent");
    await settled();
    await pass(44_000);
    expect(settledOn).toEqual([]);
    await pass(2_000);
    expect(settledOn.map(({ username }) => username)).toEqual(["alice"]);
    expect(settledOn[0]?.sinceMs).toBeLessThanOrEqual(atMs);
    await pass(3_600_000);
    expect(settledOn).toHaveLength(1);
    expect(told).toEqual(["alice"]);
    await writer.putUser(userRecord("alice", { disabled: true }), "any");
    await settled();
    await pass(46_000);
    expect(told).toHaveLength(2);
    expect(settledOn).toHaveLength(2);
  });

  it("comes again when the validity ends, without anybody's doing", async () => {
    const untilMs = clock.wallMs() + 90_000;
    answer = () => Promise.resolve({ told: "done", againAtMs: clock.wallMs() < untilMs ? untilMs : undefined });
    await writer.putUser(userRecord("alice", { validUntilMs: untilMs }), "absent");
    await settled();
    await pass(89_000);
    expect(told).toHaveLength(1);
    await pass(2_000);
    expect(told).toHaveLength(2);
    await pass(3_600_000);
    expect(told).toHaveLength(2);
  });

  it("is made up by another node when one dies in the middle of it", async () => {
    answer = () => Promise.reject(new Error("killed"));
    await updates.stop();
    updates = new UserUpdates(
      { clock, random: systemRandom, store, update: answer, onFault: () => undefined },
      OPTIONS,
    );
    updates.start();
    await writer.putUser(userRecord("alice"), "absent");
    await settled();
    await updates.stop();
    answer = () => Promise.resolve(DONE);
    updates = node();
    updates.start();
    await pass(60_000);
    expect(told).toEqual([]);
    await pass(61_000);
    expect(told).toEqual(["alice"]);
  });

  it("looks at what was changed although the node did not live to say that it had changed it", async () => {
    let puts = 0;
    const put: SqliteStore["userChanges"]["put"] = (changes) =>
      (puts += 1) === 1 ? store.userChanges.put(changes) : Promise.reject(new Error("killed"));
    const failing = { ...store.userChanges, put };
    const nothing = () => undefined;
    const dying = new UserWriter({
      clock,
      random: systemRandom,
      store: { users: store.users, plans: store.plans, userChanges: failing },
      userChanged: nothing,
      quotaChanged: nothing,
      planChanged: nothing,
      noted: nothing,
    });
    await expect(dying.putUser(userRecord("alice"), "absent")).rejects.toThrow("killed");
    await pass(5_000);
    expect(told).toEqual([]);
    await pass(6_000);
    expect(told).toEqual(["alice"]);
  });
});
