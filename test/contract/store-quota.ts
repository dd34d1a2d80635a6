import { describe, expect, it } from "vitest";
import { NEVER_MS, type QuotaAction, type QuotaMark, type QuotaOverride } from "../../src/store/quota-types.ts";
import { NOON_MS } from "../support/accounting-records.ts";
import type { StorePlace } from "./store-contract.ts";
import { allPages, freshStore, ODD_NAMES, opened } from "./store-place.ts";

function override(username: string, amount: number | undefined): QuotaOverride {
  return { username, limits: [{ rule: "month", amount }], note: undefined, setAtMs: NOON_MS, setBy: "ops" };
}

function mark(markKey: string, username = "alice"): QuotaMark {
  return { markKey, username, atMs: NOON_MS, expiresAtMs: NOON_MS + 1_000 };
}

function action(actionKey: string, dueAtMs: number, username = "alice"): QuotaAction {
  return {
    actionKey,
    username,
    acctSessionKey: "nas-1/0001",
    rule: "month",
    threshold: 80.5,
    periodKey: "month/2026-11-01",
    action: "throttle",
    state: "due",
    attempts: 0,
    dueAtMs,
    lastOutcome: undefined,
    lastAtMs: undefined,
    createdAtMs: NOON_MS,
    expiresAtMs: NOON_MS + 10_000,
  };
}

export function quotaContract(place: () => Promise<StorePlace>): void {
  describe("quota overrides", () => {
    it("are put, replaced, listed in pages and removed", async () => {
      const { quota } = await freshStore(place);
      await expect(quota.override("alice")).resolves.toBeUndefined();
      for (const username of ["carol", "alice", "bob"]) await quota.putOverride(override(username, 1));
      await quota.putOverride({ ...override("alice", undefined), note: "a gift" });
      await expect(quota.override("alice")).resolves.toEqual({ ...override("alice", undefined), note: "a gift" });
      const listed = await allPages((after) => quota.overrides({ limit: 2, after }));
      expect(listed.map(({ username }) => username)).toEqual(["alice", "bob", "carol"]);
      await expect(quota.removeOverride("alice")).resolves.toBe(true);
      await expect(quota.removeOverride("alice")).resolves.toBe(false);
      await expect(quota.override("alice")).resolves.toBeUndefined();
    });

    it("keep amounts up to 2^53 and odd names", async () => {
      const { quota } = await freshStore(place);
      for (const name of ODD_NAMES) await quota.putOverride(override(name, Number.MAX_SAFE_INTEGER));
      for (const name of ODD_NAMES) {
        await expect(quota.override(name)).resolves.toEqual(override(name, Number.MAX_SAFE_INTEGER));
      }
      const listed = await allPages((after) => quota.overrides({ limit: 5, after }));
      expect(new Set(listed.map(({ username }) => username))).toEqual(new Set(ODD_NAMES));
    });
  });

  describe("quota marks", () => {
    it("claim() is true for exactly one of many callers on two stores", async () => {
      const where = await place();
      const stores = [await opened(where), await opened(where)];
      const claims = Array.from({ length: 10 }, () => stores.map(({ quota }) => quota.claim(mark("m/80"), NOON_MS)));
      const won = (await Promise.all(claims.flat())).filter(Boolean);
      expect(won).toHaveLength(1);
    });

    it("stand until they expire or are taken back, and are listed by user", async () => {
      const { quota } = await freshStore(place);
      await expect(quota.claim(mark("b"), NOON_MS)).resolves.toBe(true);
      await expect(quota.claim(mark("a"), NOON_MS)).resolves.toBe(true);
      await expect(quota.claim(mark("c", "bob"), NOON_MS)).resolves.toBe(true);
      await expect(quota.claim(mark("a"), NOON_MS + 1_000)).resolves.toBe(false);
      await expect(quota.marks("alice")).resolves.toEqual([mark("a"), mark("b")]);
      const again = { ...mark("a"), atMs: NOON_MS + 1_001, expiresAtMs: NEVER_MS };
      await expect(quota.claim(again, NOON_MS + 1_001)).resolves.toBe(true);
      await expect(quota.marks("alice")).resolves.toEqual([again, mark("b")]);
      await expect(quota.unclaim("a")).resolves.toBe(true);
      await expect(quota.unclaim("a")).resolves.toBe(false);
      await expect(quota.claim(mark("a"), NOON_MS)).resolves.toBe(true);
    });
  });

  describe("quota actions", () => {
    it("addAction() adds once, whoever asks first", async () => {
      const where = await place();
      const stores = [await opened(where), await opened(where)];
      const adding = [1, 2, 3].flatMap((due) => stores.map(({ quota }) => quota.addAction(action("k", NOON_MS + due))));
      expect((await Promise.all(adding)).filter(Boolean)).toHaveLength(1);
      await expect(stores[1]?.quota.actions("alice")).resolves.toHaveLength(1);
    });

    it("takeDueActions() takes what is due, the longest due first, and leases it to one taker", async () => {
      const where = await place();
      const stores = [await opened(where), await opened(where)];
      const quota = stores[0]?.quota as (typeof stores)[number]["quota"];
      for (const [key, due] of [
        ["late", 30],
        ["early", 10],
        ["middle", 20],
        ["not yet", 41],
        ["never", NEVER_MS],
      ] as const) {
        await quota.addAction(action(key, due));
      }
      const taken = await Promise.all(stores.map((store) => store.quota.takeDueActions(40, 1_000, 2)));
      expect(
        taken
          .flat()
          .map(({ actionKey }) => actionKey)
          .toSorted(),
      ).toEqual(["early", "late", "middle"]);
      expect(taken.flat().every(({ dueAtMs }) => dueAtMs === 1_000)).toBe(true);
      await expect(quota.takeDueActions(40, 1_000, 9)).resolves.toEqual([]);
      const due = await quota.takeDueActions(1_000, 2_000, 9);
      expect(due.map(({ actionKey }) => actionKey)).toEqual(["not yet", "early", "late", "middle"]);
      await expect(quota.takeDueActions(1_000, 2_000, 9)).resolves.toEqual([]);
    });

    it("changeAction() changes what it is given and nothing else", async () => {
      const { quota } = await freshStore(place);
      await quota.addAction(action("k", 10));
      await expect(
        quota.changeAction("k", { attempts: 1, lastOutcome: "nak", lastAtMs: 5, dueAtMs: 90 }),
      ).resolves.toBe(true);
      await expect(quota.changeAction("k", { state: "done" })).resolves.toBe(true);
      await expect(quota.changeAction("k", {})).resolves.toBe(true);
      await expect(quota.actions("alice")).resolves.toEqual([
        { ...action("k", 90), attempts: 1, lastOutcome: "nak", lastAtMs: 5, state: "done" },
      ]);
      await expect(quota.changeAction("x", { state: "done" })).resolves.toBe(false);
      await expect(quota.removeAction("k")).resolves.toBe(true);
      await expect(quota.removeAction("k")).resolves.toBe(false);
    });

    it("prune() forgets what expired, marks and actions, in parts", async () => {
      const { quota } = await freshStore(place);
      for (const key of ["1", "2", "3"]) {
        await quota.claim(mark(key), NOON_MS);
        await quota.addAction({ ...action(key, 1), expiresAtMs: NOON_MS + 1_000 });
      }
      await quota.claim({ ...mark("kept"), expiresAtMs: NEVER_MS }, NOON_MS);
      await quota.addAction({ ...action("kept", 1), expiresAtMs: NEVER_MS });
      await expect(quota.prune(NOON_MS + 1_000, 2)).resolves.toBe(0);
      const prune = () => quota.prune(NOON_MS + 1_001, 2);
      expect([await prune(), await prune(), await prune()]).toEqual([4, 2, 0]);
      await expect(quota.marks("alice")).resolves.toMatchObject([{ markKey: "kept" }]);
      await expect(quota.actions("alice")).resolves.toMatchObject([{ actionKey: "kept" }]);
    });
  });
}
