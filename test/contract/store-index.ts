import { describe, expect, it } from "vitest";
import type { AcctSessionFacts } from "../../src/store/accounting-record.ts";
import type { AcctSessionQuery, Store } from "../../src/store/types.ts";
import { NOON_MS, RecordMaker } from "../support/accounting-records.ts";
import type { StorePlace } from "./store-contract.ts";
import { allPages, freshStore, ODD_NAMES } from "./store-place.ts";

/** Three users on two NASes, one acct session closed. */
async function filledStore(place: () => Promise<StorePlace>): Promise<Store> {
  const store = await freshStore(place);
  const start = (nasKey: string, acctSessionId: string, username: string, facts: AcctSessionFacts, atMs = NOON_MS) =>
    new RecordMaker({ nasKey, acctSessionId, username, startedAtMs: atMs }).start({ facts });
  await store.acctSessions.record([
    start("nas-1", "a1", "alice", {
      callingStationId: "AA-BB-CC-00-11-22",
      framedIp: "10.0.0.1",
      nasIdentifier: "one",
    }),
    start("nas-2", "a2", "alice", {
      callingStationId: "aabb.cc00.1133:Café",
      framedIp: "2001:db8::1",
      nasIdentifier: "two",
    }),
    start("nas-1", "b1", "bob", { callingStationId: "+49 30 1234", framedIp: "10.0.0.1", nasIdentifier: "one" }),
    start("nas-2", "a1", "carol", { nasIdentifier: "two" }, NOON_MS + 60_000),
    start("nas-3", "v1", "dora", {
      framedIpv6Address: "2001:db8:1::5",
      framedIpv6Prefix: "2001:db8:a::/64",
      multiSessionId: "m",
      nasAddress: "192.0.2.3",
    }),
    start("nas-3", "v2", "emil", {
      framedIp: "10.0.0.9",
      delegatedIpv6Prefix: "2001:db8:b:100::/56",
      multiSessionId: "m",
      nasAddress: "2001:db8::3",
    }),
    new RecordMaker({ nasKey: "nas-2", acctSessionId: "b1", username: "bob" }).stop(9, 1),
  ]);
  return store;
}

async function found(store: Store, query: AcctSessionQuery): Promise<string[]> {
  const { items, next } = await store.acctSessions.find(query, { limit: 100 });
  expect(next).toBeUndefined();
  return items.map(({ key }) => key).toSorted();
}

export function indexContract(place: () => Promise<StorePlace>): void {
  describe("find()", () => {
    const onTwo = ["nas-1/a1", "nas-1/b1", "nas-2/a1", "nas-2/a2"];
    const onThree = ["nas-3/v1", "nas-3/v2"];
    const all = [...onTwo, "nas-2/b1", ...onThree];

    const table: readonly (readonly [AcctSessionQuery, readonly string[]])[] = [
      [{}, all],
      [{ open: true }, [...onTwo, ...onThree]],
      [{ open: false }, ["nas-2/b1"]],
      [{ username: "alice" }, ["nas-1/a1", "nas-2/a2"]],
      [{ username: "Alice" }, []],
      [{ username: "bob" }, ["nas-1/b1", "nas-2/b1"]],
      [{ username: "bob", open: true }, ["nas-1/b1"]],
      [{ acctSessionId: "a1" }, ["nas-1/a1", "nas-2/a1"]],
      [{ acctSessionId: "a1", username: "alice" }, ["nas-1/a1"]],
      [{ nasKey: "nas-2" }, ["nas-2/a1", "nas-2/a2", "nas-2/b1"]],
      [{ nasIdentifier: "one", open: true }, ["nas-1/a1", "nas-1/b1"]],
      [{ framedIp: "10.0.0.1" }, ["nas-1/a1", "nas-1/b1"]],
      [{ framedIp: "10.0.0.1", username: "bob" }, ["nas-1/b1"]],
      [{ framedIp: "::ffff:10.0.0.1", username: "bob" }, ["nas-1/b1"]],
      [{ framedIp: "2001:0DB8:0:0::1" }, ["nas-2/a2"]],
      [{ framedIp: "nonsense" }, []],
      [{ framedIp: "2001:db8:1:0::5" }, ["nas-3/v1"]],
      [{ framedIp: "2001:db8:1::5", username: "emil" }, []],
      [{ framedIp: "2001:db8:1::6" }, []],
      [{ framedIp: "2001:db8:a:0:ffff:ffff:ffff:ffff", open: true }, ["nas-3/v1"]],
      [{ framedIp: "2001:db8:a:1::" }, []],
      [{ framedIp: "2001:db8:b:1ff::1" }, ["nas-3/v2"]],
      [{ framedIp: "2001:db8:b:200::" }, []],
      [{ framedIpv6Prefix: "2001:db8:a::/64" }, ["nas-3/v1"]],
      [{ framedIpv6Prefix: "2001:db8:b:100::/56" }, []],
      [{ delegatedIpv6Prefix: "2001:db8:b:100::/56", open: true }, ["nas-3/v2"]],
      [{ delegatedIpv6Prefix: "2001:db8:b:100::/57" }, []],
      [{ multiSessionId: "m" }, onThree],
      [{ multiSessionId: "m", open: true }, onThree],
      [{ multiSessionId: "m", open: false }, []],
      [{ multiSessionId: "m", username: "emil" }, ["nas-3/v2"]],
      [{ multiSessionId: "m", nasAddress: "192.0.2.3" }, ["nas-3/v1"]],
      [{ multiSessionId: "M" }, []],
      [{ acctSessionId: "v2", nasAddress: "2001:db8::3" }, ["nas-3/v2"]],
      [{ acctSessionId: "v2", nasAddress: "192.0.2.3" }, []],
      [{ callingStationId: "aabbcc001122" }, ["nas-1/a1"]],
      [{ callingStationId: "aa:bb:cc:00:11:22", open: true }, ["nas-1/a1"]],
      [{ callingStationId: "aa-bb-cc-00-11-33:Café" }, ["nas-2/a2"]],
      [{ callingStationId: "aa-bb-cc-00-11-33:café" }, []],
      [{ callingStationId: "aa-bb-cc-00-11-33" }, []],
      [{ callingStationId: "+49 30 1234" }, ["nas-1/b1"]],
      [{ startedFromMs: NOON_MS + 1 }, ["nas-2/a1"]],
      [{ startedFromMs: NOON_MS, startedBeforeMs: NOON_MS + 60_000, open: true, nasKey: "nas-2" }, ["nas-2/a2"]],
      [{ username: "alice", callingStationId: "+49 30 1234" }, []],
    ];

    it("yields what matches every given field", async () => {
      const store = await filledStore(place);
      for (const [query, keys] of table) expect(await found(store, query), JSON.stringify(query)).toEqual(keys);
    });

    it("refuses what is no plain value with a TypeError, so that it can never be an expression", async () => {
      const store = await filledStore(place);
      const expressions: readonly unknown[] = [
        { $ne: null },
        { $gt: "" },
        { $regex: ".*" },
        ["alice", "bob"],
        null,
        { toString: "x" },
      ];
      for (const field of [
        "username",
        "acctSessionId",
        "multiSessionId",
        "nasKey",
        "nasAddress",
        "framedIp",
        "callingStationId",
        "open",
      ]) {
        for (const value of expressions) {
          const query = { [field]: value } as AcctSessionQuery;
          await expect(store.acctSessions.find(query, { limit: 10 })).rejects.toThrow(TypeError);
        }
      }
      expect(await found(store, {})).toHaveLength(7);
    });

    it("reads odd names as text that finds nothing but itself", async () => {
      const store = await filledStore(place);
      const fields = [
        "username",
        "acctSessionId",
        "multiSessionId",
        "nasKey",
        "nasIdentifier",
        "nasAddress",
        "framedIp",
        "callingStationId",
      ] as const;
      for (const name of ODD_NAMES) {
        for (const field of fields) expect(await found(store, { [field]: name })).toEqual([]);
        await expect(store.acctSessions.one(name)).resolves.toBeUndefined();
        await expect(store.usage.totals([{ username: name, periodKeys: [name, "total"] }])).resolves.toMatchObject([
          { uploadOctets: 0 },
        ]);
      }
    });

    it("follows a User-Name, an address and a Calling-Station-Id that change", async () => {
      const store = await freshStore(place);
      const maker = new RecordMaker();
      const facts = { framedIp: "10.0.0.1", callingStationId: "001122334455", nasIdentifier: "x" };
      const changed = { framedIp: "10.0.0.2", callingStationId: "001122334466", nasIdentifier: "y" };
      await store.acctSessions.record([maker.start({ facts })]);
      await store.acctSessions.record([maker.interim(60, 1, { username: "bob", facts: changed })]);
      for (const query of [
        { username: "alice" },
        ...Object.entries(facts).map(([name, value]) => ({ [name]: value })),
      ]) {
        expect(await found(store, query)).toEqual([]);
      }
      for (const query of [
        { username: "bob" },
        ...Object.entries(changed).map(([name, value]) => ({ [name]: value })),
      ]) {
        expect(await found(store, query)).toEqual(["nas-1/0001"]);
      }
    });

    it.each<[string, AcctSessionQuery]>([
      ["all", {}],
      ["open ones", { open: true }],
      ["those of a user", { username: "alice" }],
      ["those of a NAS that are open", { nasKey: "nas-1", open: true }],
    ])("pages through %s without a gap or a repetition while new ones come", async (_, query) => {
      const store = await freshStore(place);
      const started = (count: number, mark: string) =>
        Array.from({ length: count }, (__, index) => new RecordMaker({ acctSessionId: `${mark}${index}` }).start());
      const batch = started(25, "m");
      await store.acctSessions.record(batch);
      const keys = (
        await allPages(async (after) => {
          const page = await store.acctSessions.find(query, { limit: 4, after });
          await store.acctSessions.record(started(1, after ?? "first"));
          return page;
        })
      ).map(({ key }) => key);
      expect(new Set(keys).size).toBe(keys.length);
      for (const { acctSessionId } of batch) expect(keys).toContain(`nas-1/${acctSessionId}`);
    });

    it("a page that ends the list says so, also when it is full", async () => {
      const store = await freshStore(place);
      await store.acctSessions.record([new RecordMaker().start(), new RecordMaker({ acctSessionId: "2" }).start()]);
      await expect(store.acctSessions.find({}, { limit: 2 })).resolves.toMatchObject({ next: undefined });
    });

    it.each(["", "x", "-1", "9e99", "nas-1/zzz", "{}"])(
      "a made-up cursor %j yields a page or nothing",
      async (after) => {
        const store = await filledStore(place);
        const { items } = await store.acctSessions.find({}, { limit: 100, after });
        expect(items.length).toBeLessThanOrEqual(5);
      },
    );
  });
}
