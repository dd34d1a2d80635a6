import { describe, expect, it } from "vitest";
import type { StorePlace } from "./store-contract.ts";
import { allPages, freshStore, ODD_NAMES } from "./store-place.ts";

export function userContract(place: () => Promise<StorePlace>): void {
  describe("users and plans", () => {
    it("are put, replaced, listed by name in pages, and removed", async () => {
      const { users, plans } = await freshStore(place);
      await expect(users.one("alice")).resolves.toBeUndefined();
      for (const username of ["carol", "alice", "bob"]) {
        await users.put({ username, plan: "gold", disabled: false, changedAtMs: 1 });
      }
      const changed = { username: "alice", plan: undefined, disabled: true, changedAtMs: 2 };
      await users.put(changed);
      await expect(users.one("alice")).resolves.toEqual(changed);
      const listed = await allPages((after) => users.list({ limit: 2, after }));
      expect(listed.map(({ username }) => username)).toEqual(["alice", "bob", "carol"]);
      await expect(users.remove("alice")).resolves.toBe(true);
      await expect(users.remove("alice")).resolves.toBe(false);

      const gold = { name: "gold", quotaRules: ["month", "day"], changedAtMs: 1 };
      await plans.put(gold);
      await plans.put({ name: "iron", quotaRules: [], changedAtMs: 1 });
      await expect(plans.one("gold")).resolves.toEqual(gold);
      const names = (await allPages((after) => plans.list({ limit: 1, after }))).map(({ name }) => name);
      expect(names).toEqual(["gold", "iron"]);
      await expect(plans.remove("gold")).resolves.toBe(true);
      await expect(plans.one("gold")).resolves.toBeUndefined();
    });

    it("keep odd names apart, upper and lower case and Unicode forms included", async () => {
      const { users } = await freshStore(place);
      for (const [index, username] of ODD_NAMES.entries()) {
        await users.put({ username, plan: `p${index}`, disabled: false, changedAtMs: 1 });
      }
      for (const [index, username] of ODD_NAMES.entries()) {
        await expect(users.one(username)).resolves.toMatchObject({ username, plan: `p${index}` });
      }
      const listed = await allPages((after) => users.list({ limit: 4, after }));
      expect(listed).toHaveLength(ODD_NAMES.length);
    });
  });
}
