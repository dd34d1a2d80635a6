import { describe, expect, it } from "vitest";
import type { NewMessage } from "../../src/store/outbox-types.ts";
import { NOON_MS } from "../support/accounting-records.ts";
import type { StorePlace } from "./store-contract.ts";
import { allPages, freshStore, opened } from "./store-place.ts";

function message(messageId: string, dueAtMs = NOON_MS): NewMessage {
  return {
    messageId,
    target: "crm",
    topic: "session.started",
    body: '{"a":"ü\\u0000"}',
    createdAtMs: NOON_MS,
    dueAtMs,
  };
}

export function outboxContract(place: () => Promise<StorePlace>): void {
  describe("outbox", () => {
    it("takes what is due, the longest due first, and leases it to one taker", async () => {
      const where = await place();
      const stores = [await opened(where), await opened(where)];
      const outbox = stores[0]?.outbox as (typeof stores)[number]["outbox"];
      await outbox.put([message("c", 3), message("a", 1), message("b", 2), message("later", 11)]);
      const taken = await Promise.all(stores.map((store) => store.outbox.take(10, 100, 2)));
      expect(
        taken
          .flat()
          .map(({ messageId }) => messageId)
          .toSorted(),
      ).toEqual(["a", "b", "c"]);
      await expect(outbox.take(10, 100, 9)).resolves.toEqual([]);
      const [first] = await outbox.take(50, 200, 9);
      expect(first).toEqual({ ...message("later", 200), attempts: 0, lastError: undefined, buriedAtMs: undefined });
      const due = await outbox.take(100, 300, 9);
      expect(due.map(({ messageId }) => messageId)).toEqual(["a", "b", "c"]);
    });

    it("leaves a message alone that is there already", async () => {
      const { outbox } = await freshStore(place);
      await expect(outbox.put([message("a", 1), message("a", 5)])).resolves.toBe(0);
      await expect(outbox.put([{ ...message("a", 2), body: "other" }])).resolves.toBe(0);
      await expect(outbox.take(9, 10, 9)).resolves.toMatchObject([{ messageId: "a", body: message("a").body }]);
      await expect(outbox.counts()).resolves.toEqual({ waiting: 1, dead: 0 });
    });

    it("delivered() forgets, retry() counts and makes due again, bury() keeps for people, revive() brings back", async () => {
      const { outbox } = await freshStore(place);
      await outbox.put(["a", "b", "c"].map((messageId) => message(messageId, 1)));
      await outbox.take(1, 100, 9);
      await expect(outbox.delivered("a")).resolves.toBe(true);
      await expect(outbox.delivered("a")).resolves.toBe(false);
      await expect(outbox.retry("b", 50, "HTTP 500")).resolves.toBe(true);
      await expect(outbox.retry("a", 50, "gone")).resolves.toBe(false);
      await expect(outbox.bury("c", 60, "HTTP 410")).resolves.toBe(true);
      await expect(outbox.bury("c", 61, "again")).resolves.toBe(false);
      await expect(outbox.retry("c", 70, "dead")).resolves.toBe(false);
      await expect(outbox.counts()).resolves.toEqual({ waiting: 1, dead: 1 });
      await expect(outbox.take(50, 100, 9)).resolves.toMatchObject([
        { messageId: "b", attempts: 1, lastError: "HTTP 500" },
      ]);
      await expect(outbox.take(1_000, 2_000, 9)).resolves.toMatchObject([{ messageId: "b" }]);
      const { items } = await outbox.dead({ limit: 9 });
      expect(items).toMatchObject([{ messageId: "c", attempts: 1, lastError: "HTTP 410", buriedAtMs: 60 }]);
      await expect(outbox.revive("b", 1)).resolves.toBe(false);
      await expect(outbox.revive("c", 70)).resolves.toBe(true);
      await expect(outbox.take(70, 80, 9)).resolves.toMatchObject([
        { messageId: "c", attempts: 0, buriedAtMs: undefined },
      ]);
    });

    it("lists dead letters in pages and prunes them by age", async () => {
      const { outbox } = await freshStore(place);
      const ids = ["1", "2", "3", "4", "5"];
      await outbox.put(ids.map((messageId) => message(messageId)));
      for (const [index, messageId] of ids.entries()) await outbox.bury(messageId, index, "no");
      const dead = await allPages((after) => outbox.dead({ limit: 2, after }));
      expect(dead.map(({ messageId }) => messageId)).toEqual(ids);
      expect([await outbox.prune(3, 2), await outbox.prune(3, 2), await outbox.prune(3, 2)]).toEqual([2, 1, 0]);
      await expect(outbox.counts()).resolves.toEqual({ waiting: 0, dead: 2 });
    });

    it("when it is full the oldest dead letters give way, then new messages are dropped and counted", async () => {
      const where = await place();
      const { outbox } = await opened(where);
      const ids = Array.from({ length: where.outboxMax }, (_, index) => `m${index}`);
      await expect(outbox.put(ids.map((messageId) => message(messageId)))).resolves.toBe(0);
      await outbox.bury("m3", 30, "no");
      await outbox.bury("m1", 10, "no");
      await outbox.bury("m2", 20, "no");
      await expect(outbox.put([message("n1"), message("n2")])).resolves.toBe(0);
      const { items } = await outbox.dead({ limit: 9 });
      expect(items.map(({ messageId }) => messageId)).toEqual(["m3"]);
      await expect(outbox.put([message("n3"), message("n4"), message("n5"), message("m5")])).resolves.toBe(2);
      await expect(outbox.counts()).resolves.toEqual({ waiting: where.outboxMax, dead: 0 });
    });
  });
}
