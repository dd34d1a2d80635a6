import { describe, expect, it } from "vitest";
import type { ApiRecord } from "../../src/store/api-record-types.ts";
import { NEVER_MS } from "../../src/store/quota-types.ts";
import type { StorePlace } from "./store-contract.ts";
import { allPages, freshStore, ODD_NAMES } from "./store-place.ts";

function record(key: string, change: Partial<ApiRecord> = {}): ApiRecord {
  return { kind: "post-auth", key, atMs: 1, expiresAtMs: NEVER_MS, value: "{}", ...change };
}

export function apiRecordContract(place: () => Promise<StorePlace>): void {
  describe("records of the HTTP APIs", () => {
    it("keeps them apart by kind and key, and replaces what is there", async () => {
      const { apiRecords } = await freshStore(place);
      await apiRecords.put(ODD_NAMES.map((key, index) => record(key, { atMs: index })));
      await apiRecords.put([record("a", { kind: "batch", value: "1" }), record("a", { value: "2" })]);
      await apiRecords.put([record("a", { value: "3" })]);
      for (const [index, key] of ODD_NAMES.entries()) {
        expect(await apiRecords.one("post-auth", key)).toEqual(record(key, { atMs: index }));
      }
      expect(await apiRecords.one("post-auth", "a")).toEqual(record("a", { value: "3" }));
      expect(await apiRecords.one("batch", "a")).toEqual(record("a", { kind: "batch", value: "1" }));
      expect(await apiRecords.one("api-key", "a")).toBeUndefined();
    });

    it("take() gives a record to one of any number of callers", async () => {
      const { apiRecords } = await freshStore(place);
      await apiRecords.put([record("once"), record("once", { kind: "batch" })]);
      const taken = await Promise.all(Array.from({ length: 8 }, () => apiRecords.take("post-auth", "once")));
      expect(taken.filter((each) => each !== undefined)).toEqual([record("once")]);
      expect(await apiRecords.one("post-auth", "once")).toBeUndefined();
      expect(await apiRecords.one("batch", "once")).toBeDefined();
    });

    it("list() pages through one kind, newest first, also among records of one moment", async () => {
      const { apiRecords } = await freshStore(place);
      const records = Array.from({ length: 17 }, (_, index) => record(`r${index}`, { atMs: Math.floor(index / 5) }));
      await apiRecords.put([...records, record("other", { kind: "batch", atMs: 2 })]);
      const found = await allPages((after) => apiRecords.list("post-auth", { limit: 3, after }));
      expect(found.map(({ atMs }) => atMs)).toEqual(records.map(({ atMs }) => atMs).toReversed());
      expect(new Set(found.map(({ key }) => key)).size).toBe(17);
    });

    it("prune() forgets what has expired, in parts", async () => {
      const { apiRecords } = await freshStore(place);
      await apiRecords.put([1, 2, 3, 4].map((expiresAtMs) => record(`r${expiresAtMs}`, { expiresAtMs })));
      const counts = [await apiRecords.prune(4, 2), await apiRecords.prune(4, 2), await apiRecords.prune(4, 2)];
      expect(counts).toEqual([2, 1, 0]);
      expect(await apiRecords.one("post-auth", "r4")).toBeDefined();
    });
  });
}
