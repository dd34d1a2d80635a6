import { describe, expect, it } from "vitest";
import type { AuditEntry, AuditQuery } from "../../src/store/audit-types.ts";
import type { StorePlace } from "./store-contract.ts";
import { allPages, freshStore, ODD_NAMES } from "./store-place.ts";

function entry(exchangeId: string, atMs: number, change: Partial<AuditEntry> = {}): AuditEntry {
  return {
    exchangeId,
    atMs,
    code: 40,
    trigger: "http",
    caller: "ops",
    requestId: undefined,
    nas: "nas-1",
    linkId: undefined,
    username: "alice",
    acctSessionKey: undefined,
    outcome: "ack",
    why: undefined,
    mayHaveActed: false,
    replyCode: 41,
    errorCause: undefined,
    attempts: 1,
    durationMs: 12.5,
    ...change,
  };
}

export function auditContract(place: () => Promise<StorePlace>): void {
  describe("audit", () => {
    it("keeps entries as they are, and replaces one with the same exchangeId", async () => {
      const { audit } = await freshStore(place);
      const anonymous = { username: undefined, nas: undefined, caller: undefined, outcome: "closed", why: "abandoned" };
      await audit.append([entry("x1", 1), entry("x2", 2, anonymous)]);
      await audit.append([entry("x1", 1, { outcome: "nak", errorCause: 503 })]);
      const { items } = await audit.find({}, { limit: 9 });
      expect(items).toEqual([entry("x2", 2, anonymous), entry("x1", 1, { outcome: "nak", errorCause: 503 })]);
    });

    it("pages newest first, also among entries of one moment", async () => {
      const { audit } = await freshStore(place);
      const entries = Array.from({ length: 17 }, (_, index) => entry(`x${index}`, Math.floor(index / 5)));
      await audit.append(entries);
      const found = await allPages((after) => audit.find({}, { limit: 3, after }));
      expect(found.map(({ atMs }) => atMs)).toEqual(entries.map(({ atMs }) => atMs).toReversed());
      expect(new Set(found.map(({ exchangeId }) => exchangeId)).size).toBe(17);
    });

    const table: readonly (readonly [AuditQuery, readonly string[]])[] = [
      [{ exchangeId: "b" }, ["b"]],
      [{ username: "alice" }, ["d", "a"]],
      [{ nas: "nas-2" }, ["c", "b"]],
      [{ outcome: "nak" }, ["b"]],
      [{ fromMs: 2, beforeMs: 4 }, ["c", "b"]],
      [{ nas: "nas-2", username: "carol" }, ["c"]],
      [{ username: "nobody" }, []],
    ];

    it("find() yields what matches every given field, newest first", async () => {
      const { audit } = await freshStore(place);
      await audit.append([
        entry("a", 1),
        entry("b", 2, { username: "bob", nas: "nas-2", outcome: "nak" }),
        entry("c", 3, { username: "carol", nas: "nas-2" }),
        entry("d", 4),
      ]);
      for (const [query, ids] of table) {
        const { items } = await audit.find(query, { limit: 9 });
        const found = items.map(({ exchangeId }) => exchangeId);
        expect(found, JSON.stringify(query)).toEqual(ids);
      }
      const expression = { username: { $ne: null } } as unknown as AuditQuery;
      await expect(audit.find(expression, { limit: 9 })).rejects.toThrow(TypeError);
    });

    it("keeps odd names apart", async () => {
      const { audit } = await freshStore(place);
      await audit.append(ODD_NAMES.map((name, index) => entry(`x${index}`, index, { username: name, nas: name })));
      for (const [index, name] of ODD_NAMES.entries()) {
        const { items } = await audit.find({ username: name, nas: name }, { limit: 9 });
        expect(items.map(({ exchangeId }) => exchangeId)).toEqual([`x${index}`]);
      }
    });

    it("prune() forgets what is older, in parts", async () => {
      const { audit } = await freshStore(place);
      await audit.append([1, 2, 3, 4].map((atMs) => entry(`x${atMs}`, atMs)));
      expect([await audit.prune(4, 2), await audit.prune(4, 2), await audit.prune(4, 2)]).toEqual([2, 1, 0]);
    });
  });
}
