import { beforeEach, describe, expect, it } from "vitest";
import { RememberedUsers } from "../../../../src/aaa/users/user-directory.ts";
import { storeError } from "../../../../src/store/store-error.ts";
import type { Plan, User } from "../../../../src/store/user-types.ts";
import { ManualClock } from "../../../support/manual-clock.ts";
import { planRecord, userRecord } from "../../../support/user-records.ts";

let users: Map<string, User>;
let plans: Map<string, Plan>;
let asked: string[];
let clock: ManualClock;
let directory: RememberedUsers;
/** What a look at the store waits for. */
let hold: Promise<void>;
let isDown: boolean;

beforeEach(() => {
  users = new Map([["alice", userRecord("alice", { plan: "gold", overrides: { rateUpBps: 7 } })]]);
  plans = new Map([["gold", planRecord("gold", { values: { rateUpBps: 1, rateDownBps: 2 }, quotaRules: ["month"] })]]);
  asked = [];
  hold = Promise.resolve();
  isDown = false;
  clock = new ManualClock(0);
  const look = async <Item>(from: Map<string, Item>, name: string): Promise<Item | undefined> => {
    asked.push(name);
    const item = from.get(name); // as of now, however late the answer comes
    await hold;
    if (isDown) throw storeError("down", "gone");
    return item;
  };
  const store = {
    users: { one: (name: string) => look(users, name) },
    plans: { one: (name: string) => look(plans, name) },
  };
  directory = new RememberedUsers(clock, store as never, 30_000);
});

describe("RememberedUsers", () => {
  it("knows a user with what holds for it: the plan, and own values over it", async () => {
    await expect(directory.find("alice")).resolves.toMatchObject({
      user: { username: "alice" },
      values: { rateUpBps: 7, rateDownBps: 2 },
      quotaRules: ["month"],
    });
  });

  it("asks the store once for all who ask at a time, and not again while it believes the answer", async () => {
    const [one, other] = await Promise.all([directory.find("alice"), directory.find("alice")]);
    expect(one).toBe(other);
    await expect(directory.find("alice")).resolves.toBe(one);
    expect(asked).toEqual(["alice", "gold"]);
    clock.advance(30_000);
    await directory.find("alice");
    expect(asked).toHaveLength(4);
  });

  it("remembers that there is none, too", async () => {
    await expect(directory.find("bob")).resolves.toBeUndefined();
    users.set("bob", userRecord("bob"));
    await expect(directory.find("bob")).resolves.toBeUndefined();
    directory.userChanged("bob");
    await expect(directory.find("bob")).resolves.toMatchObject({ user: { username: "bob" } });
    expect(asked).toEqual(["bob", "bob"]);
  });

  it("knows at once what was changed here, of a user and of a plan", async () => {
    await directory.find("alice");
    users.set("alice", userRecord("alice", { plan: "gold", disabled: true }));
    plans.set("gold", planRecord("gold"));
    directory.userChanged("alice");
    await expect(directory.find("alice")).resolves.toMatchObject({
      user: { disabled: true },
      values: { rateDownBps: 2 },
    });
    directory.planChanged("gold");
    await expect(directory.find("alice")).resolves.toMatchObject({ values: {}, quotaRules: [] });
  });

  it("does not keep what was read before a change and came after it", async () => {
    const { promise, resolve } = Promise.withResolvers<void>();
    hold = promise;
    const early = directory.find("alice");
    await new Promise((next) => setImmediate(next));
    users.set("alice", userRecord("alice", { disabled: true }));
    directory.userChanged("alice");
    hold = Promise.resolve();
    await expect(directory.find("alice")).resolves.toMatchObject({ user: { disabled: true } });
    resolve();
    await early;
    await expect(directory.find("alice")).resolves.toMatchObject({ user: { disabled: true } });
  });

  it("holds on to what it remembers while the store is down, and to nothing that was changed", async () => {
    const before = await directory.find("alice");
    isDown = true;
    clock.advance(3_600_000);
    await expect(directory.find("alice")).resolves.toBe(before);
    await expect(directory.find("bob")).rejects.toMatchObject({ code: "ERR_STORE" });
    directory.userChanged("alice");
    await expect(directory.find("alice")).rejects.toMatchObject({ code: "ERR_STORE" });
  });
});
