import { describe, expect, it } from "vitest";
import type { User } from "../../src/store/user-types.ts";
import { planRecord, userRecord } from "../support/user-records.ts";
import type { StorePlace } from "./store-contract.ts";
import { allPages, freshStore, ODD_NAMES } from "./store-place.ts";

const FULL: User = userRecord("alice", {
  password: { kind: "nt-hash", secret: "ab".repeat(16) },
  validFromMs: 1_000,
  validUntilMs: 2_000,
  disabled: true,
  plan: "gold",
  overrides: { rateDownBps: 5_000_000_000, interimSeconds: 300, group: "staff" },
  note: "room 12",
  changedAtMs: 7,
  revision: "r7",
});

export function userContract(place: () => Promise<StorePlace>): void {
  describe("users and plans", () => {
    it("are put, replaced as a whole, listed by name in pages, and removed", async () => {
      const { users, plans } = await freshStore(place);
      await expect(users.one("alice")).resolves.toBeUndefined();
      for (const username of ["carol", "alice", "bob"]) await users.put(userRecord(username, { plan: "gold" }));
      await users.put(FULL);
      await expect(users.one("alice")).resolves.toStrictEqual(FULL);
      await users.put(userRecord("alice"));
      await expect(users.one("alice")).resolves.toStrictEqual(userRecord("alice"));
      const listed = await allPages((after) => users.list({ limit: 2, after }));
      expect(listed.map(({ username }) => username)).toEqual(["alice", "bob", "carol"]);
      const ofGold = await allPages((after) => users.list({ limit: 1, after }, { plan: "gold" }));
      expect(ofGold.map(({ username }) => username)).toEqual(["bob", "carol"]);
      await expect(users.remove("alice")).resolves.toBe(true);
      await expect(users.remove("alice")).resolves.toBe(false);

      const gold = planRecord("gold", { quotaRules: ["month", "day"], values: { rateUpBps: 1 }, note: "n" });
      await plans.put(gold);
      await plans.put(planRecord("iron"));
      await expect(plans.one("gold")).resolves.toStrictEqual(gold);
      const names = (await allPages((after) => plans.list({ limit: 1, after }))).map(({ name }) => name);
      expect(names).toEqual(["gold", "iron"]);
      await expect(plans.remove("gold")).resolves.toBe(true);
      await expect(plans.one("gold")).resolves.toBeUndefined();
    });

    it("keep odd names apart, upper and lower case and Unicode forms included", async () => {
      const { users } = await freshStore(place);
      for (const [index, username] of ODD_NAMES.entries()) await users.put(userRecord(username, { plan: `p${index}` }));
      for (const [index, username] of ODD_NAMES.entries()) {
        await expect(users.one(username)).resolves.toMatchObject({ username, plan: `p${index}` });
      }
      const listed = await allPages((after) => users.list({ limit: 4, after }));
      expect(listed).toHaveLength(ODD_NAMES.length);
    });

    it("are put in batches of at most 1,000", async () => {
      const { users } = await freshStore(place);
      const batch = Array.from({ length: 1_001 }, (_, index) => userRecord(`u${String(index).padStart(4, "0")}`));
      await expect(users.putAll(batch)).rejects.toThrow(RangeError);
      await users.putAll(batch.slice(0, 40));
      await users.putAll([FULL, userRecord("u0001", { note: "again" })]);
      await users.putAll([]);
      await expect(users.one("u0001")).resolves.toMatchObject({ note: "again" });
      expect(await allPages((after) => users.list({ limit: 25, after }))).toHaveLength(41);
    });

    it.each(["users", "plans"] as const)("%s are replaced and removed in the stated revision only", async (concern) => {
      const store = await freshStore(place);
      const replace = (revision: string, over: string | undefined) =>
        concern === "users"
          ? store.users.replace(userRecord("a", { revision }), over)
          : store.plans.replace(planRecord("a", { revision }), over);
      await expect(replace("r1", "r0")).resolves.toBe(false);
      await expect(replace("r1", undefined)).resolves.toBe(true);
      await expect(replace("r2", undefined)).resolves.toBe(false);
      await expect(replace("r2", "r1")).resolves.toBe(true);
      await expect(replace("r3", "r1")).resolves.toBe(false);
      await expect(store[concern].one("a")).resolves.toMatchObject({ revision: "r2" });
      await expect(store[concern].remove("a", "r1")).resolves.toBe(false);
      await expect(store[concern].remove("a", "r2")).resolves.toBe(true);
    });

    it("of many who replace one revision, exactly one succeeds", async () => {
      const { users } = await freshStore(place);
      await users.put(userRecord("a", { revision: "r0" }));
      const tries = Array.from({ length: 20 }, (_, index) => {
        return users.replace(userRecord("a", { revision: `n${index}` }), "r0");
      });
      const done = await Promise.all(tries);
      expect(done.filter((each) => each)).toHaveLength(1);
      await expect(users.one("a")).resolves.toMatchObject({ revision: `n${done.indexOf(true)}` });
      const inserts = Array.from({ length: 20 }, () => users.replace(userRecord("b"), undefined));
      expect((await Promise.all(inserts)).filter((each) => each)).toHaveLength(1);
    });
  });

  describe("changes that routers have yet to be told", () => {
    it("are taken when due, the longest due first, each by one of those who ask, and again when the lease ends", async () => {
      const { userChanges } = await freshStore(place);
      await userChanges.put([
        { kind: "user", name: "late", dueAtMs: 300 },
        { kind: "user", name: "b", dueAtMs: 20 },
        { kind: "plan", name: "b", dueAtMs: 10 },
      ]);
      await expect(userChanges.countDue(100)).resolves.toBe(2);
      const taken = await Promise.all([userChanges.take(100, 200, 1), userChanges.take(100, 200, 1)]);
      expect(
        taken
          .flat()
          .map(({ kind }) => kind)
          .toSorted(),
      ).toEqual(["plan", "user"]);
      const plan = { kind: "plan", name: "b", dueAtMs: 200, attempts: 0, after: undefined };
      expect(taken.flat()).toContainEqual(plan); // whichever of the two was faster
      await expect(userChanges.take(199, 400, 10)).resolves.toEqual([]);
      const again = await userChanges.take(200, 400, 10);
      expect(again.map(({ kind, name }) => `${kind} ${name}`)).toEqual(["plan b", "user b"]);
    });

    it("are settled unless they were noted anew since they were taken", async () => {
      const { userChanges } = await freshStore(place);
      await userChanges.put([{ kind: "plan", name: "gold", dueAtMs: 10 }]);
      const [first] = await userChanges.take(10, 50, 10);
      if (first === undefined) throw new Error("nothing was due");
      await expect(userChanges.settle(first, { dueAtMs: 60, attempts: 2, after: "bob" })).resolves.toBe(true);
      const [second] = await userChanges.take(60, 90, 10);
      expect(second).toStrictEqual({ kind: "plan", name: "gold", dueAtMs: 90, attempts: 2, after: "bob" });
      await userChanges.put([{ kind: "plan", name: "gold", dueAtMs: 70 }]);
      await expect(userChanges.settle(second ?? first, undefined)).resolves.toBe(false);
      const [third] = await userChanges.take(70, 100, 10);
      expect(third).toMatchObject({ attempts: 0, after: undefined });
      await userChanges.settle(third ?? first, { dueAtMs: 80, attempts: 0, after: "carol" });
      const [fourth] = await userChanges.take(80, 100, 10);
      await userChanges.settle(fourth ?? first, { dueAtMs: 90, attempts: 1 });
      const [fifth] = await userChanges.take(90, 100, 10);
      expect(fifth).toMatchObject({ attempts: 1, after: undefined });
      await expect(userChanges.settle(fifth ?? first, undefined)).resolves.toBe(true);
      await expect(userChanges.take(1_000, 2_000, 10)).resolves.toEqual([]);
    });
  });
}
