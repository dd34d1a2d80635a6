import { describe, expect, it } from "vitest";
import { RecordMaker } from "../support/accounting-records.ts";
import type { StorePlace } from "./store-contract.ts";
import { freshStore, opened } from "./store-place.ts";
import { planRecord, userRecord } from "../support/user-records.ts";

export function lifeContract(place: () => Promise<StorePlace>): void {
  describe("life", () => {
    it("is up once it is ready, and says so", async () => {
      const store = await freshStore(place);
      await store.ready(10_000);
      expect(store.health).toMatchObject({ state: "up", detail: undefined, queued: 0 });
    });

    it("stop() ends what was accepted; later calls reject with ERR_STORE and reason stopped", async () => {
      const store = await freshStore(place);
      const alice = new RecordMaker();
      const accepted = Array.from({ length: 20 }, (_, index) =>
        store.acctSessions.record([alice.interim(index, index)]),
      );
      const stopping = store.stop();
      await expect(Promise.all(accepted)).resolves.toHaveLength(20);
      await stopping;
      await store.stop();
      const refusal = { code: "ERR_STORE", details: { reason: "stopped" } };
      await expect(store.acctSessions.record([alice.start()])).rejects.toMatchObject(refusal);
      await expect(store.users.one("alice")).rejects.toMatchObject(refusal);
      await expect(store.ready(10)).rejects.toMatchObject(refusal);
      expect(store.health.state).toBe("stopped");
    });

    it("keeps everything over stop() and a new store on the same place", async () => {
      const where = await place();
      const first = await opened(where);
      const alice = new RecordMaker();
      await first.acctSessions.record([alice.start(), alice.interim(60, 1_000)]);
      await first.users.put(userRecord("alice", { plan: "gold" }));
      const before = await first.acctSessions.one("nas-1/0001");
      await first.stop();
      const second = await opened(where);
      await expect(second.acctSessions.one("nas-1/0001")).resolves.toEqual(before);
      await expect(second.users.one("alice")).resolves.toMatchObject({ plan: "gold" });
      const [result] = await second.acctSessions.record([alice.interim(60, 1_000)]);
      expect(result?.effect).toBe("duplicate");
    });

    it("copies what it is given: later changes by the caller are not stored", async () => {
      const store = await freshStore(place);
      const quotaRules = ["month"];
      const putting = store.plans.put(planRecord("gold", { quotaRules }));
      quotaRules.push("day");
      await putting;
      await expect(store.plans.one("gold")).resolves.toEqual(planRecord("gold", { quotaRules: ["month"] }));
    });

    it("refuses a page of other than 1 to 1,000 items with a RangeError", async () => {
      const store = await freshStore(place);
      for (const limit of [0, -1, 1_001, 1.5, NaN]) {
        await expect(store.acctSessions.find({}, { limit })).rejects.toThrow(RangeError);
        await expect(store.users.list({ limit })).rejects.toThrow(RangeError);
      }
    });

    it("refuses a batch of 1,025 records with a RangeError, and takes 1,024", async () => {
      const store = await freshStore(place);
      const batch = Array.from({ length: 1_025 }, () => new RecordMaker().start());
      await expect(store.acctSessions.record(batch)).rejects.toThrow(RangeError);
      await expect(store.acctSessions.record(batch.slice(1))).resolves.toHaveLength(1_024);
    });

    it("takes an empty batch", async () => {
      const store = await freshStore(place);
      await expect(store.acctSessions.record([])).resolves.toEqual([]);
      await expect(store.usage.totals([])).resolves.toEqual([]);
      await expect(store.outbox.put([])).resolves.toBe(0);
      await expect(store.audit.append([])).resolves.toBeUndefined();
    });
  });
}
