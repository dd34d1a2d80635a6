import { describe, expect, it } from "vitest";
import type { AccountingRecord } from "../../src/store/accounting-record.ts";
import type { Store } from "../../src/store/types.ts";
import { NOON_MS, nasRecord, RecordMaker } from "../support/accounting-records.ts";
import type { StorePlace } from "./store-contract.ts";
import { freshStore, ODD_NAMES, opened } from "./store-place.ts";

const DAY = "day/2026-11-22";

async function effects(store: Store, ...batch: readonly AccountingRecord[]): Promise<string[]> {
  return (await store.acctSessions.record(batch)).map(({ effect }) => effect);
}

async function uploadOf(store: Store, username: string, ...periodKeys: readonly string[]): Promise<number> {
  const [total] = await store.usage.totals([{ username, periodKeys }]);
  return (total as { uploadOctets: number }).uploadOctets;
}

export function accountingContract(place: () => Promise<StorePlace>): void {
  describe("record()", () => {
    it("UL-12 counts a Start, an Interim and a Stop; results come in the order of the batch", async () => {
      const store = await freshStore(place);
      const alice = new RecordMaker();
      const bob = new RecordMaker({ acctSessionId: "0002", username: "bob" });
      const batch = [alice.start(), bob.start(), alice.interim(60, 1_000), bob.stop(30, 70), alice.stop(90, 1_500)];
      expect(await effects(store, ...batch)).toEqual(["created", "created", "updated", "closed", "closed"]);
      const amounts = { uploadOctets: 1_500, downloadOctets: 1_500, seconds: 90 };
      await expect(
        store.usage.totals([
          { username: "alice", periodKeys: ["total"] },
          { username: "bob", periodKeys: [DAY] },
          { username: "nobody", periodKeys: ["total"] },
          { username: "alice", periodKeys: [] },
        ]),
      ).resolves.toEqual([
        amounts,
        { uploadOctets: 70, downloadOctets: 70, seconds: 30 },
        { uploadOctets: 0, downloadOctets: 0, seconds: 0 },
        { uploadOctets: 0, downloadOctets: 0, seconds: 0 },
      ]);
      await expect(store.usage.periods("alice")).resolves.toEqual(
        [DAY, "month/2026-11-01", "total"].map((periodKey) => ({ periodKey, ...amounts })),
      );
    });

    it("gives the acct session as it is afterwards, and what was added", async () => {
      const store = await freshStore(place);
      const alice = new RecordMaker();
      const facts = { callingStationId: "aabb.cc00.1122", framedIp: "10.0.0.7", nasPort: 0, linkId: "n1-7" };
      await store.acctSessions.record([alice.start({ facts })]);
      const [result] = await store.acctSessions.record([alice.interim(60, 1_000, { facts: { linkId: "n1-8" } })]);
      expect(result).toEqual({
        effect: "updated",
        acctSession: {
          key: "nas-1/0001",
          nasKey: "nas-1",
          acctSessionId: "0001",
          generation: 0,
          username: "alice",
          open: true,
          closeCause: undefined,
          closedAtMs: undefined,
          terminateCause: undefined,
          startedAtMs: NOON_MS,
          countedAtMs: NOON_MS + 60_000,
          heardAtMs: NOON_MS + 60_000,
          staleAfterMs: 900_000,
          sessionSeconds: 60,
          uploadOctets: 1_000,
          downloadOctets: 1_000,
          gigawordsSeen: false,
          startSeen: true,
          usernames: 1,
          facts: { ...facts, linkId: "n1-8" },
        },
        added: { uploadOctets: 1_000, downloadOctets: 1_000, seconds: 60 },
        closedKeys: [],
      });
      await expect(store.acctSessions.one("nas-1/0001")).resolves.toEqual(result?.acctSession);
    });

    it("DP-30 DP-21 keeps the Operator-Name that one record had while later ones have none", async () => {
      const store = await freshStore(place);
      const alice = new RecordMaker();
      const facts = { operatorName: "1visited.example", operatorNasIdentifier: "0a1b2c" };
      await store.acctSessions.record([alice.start({ facts })]);
      const [result] = await store.acctSessions.record([alice.interim(60, 1_000)]);
      expect(result?.acctSession?.facts).toEqual(facts);
      await expect(store.acctSessions.one("nas-1/0001")).resolves.toMatchObject({ facts });
      const { items } = await store.acctSessions.find({ username: "alice" }, { limit: 2 });
      expect(items).toMatchObject([{ facts }]);
    });

    it("UL-22 counts a record once, however often it comes, in one batch and in several", async () => {
      const store = await freshStore(place);
      const alice = new RecordMaker();
      const interim = alice.interim(60, 1_000);
      const copies = [0, 5, 10].map((delaySeconds) => ({ ...interim, delaySeconds, arrivedAtMs: NOON_MS + 70_000 }));
      expect(await effects(store, interim, ...copies)).toEqual(["created", "duplicate", "duplicate", "duplicate"]);
      expect(await effects(store, ...copies)).toEqual(["duplicate", "duplicate", "duplicate"]);
      expect(await uploadOf(store, "alice", "total")).toBe(1_000);
    });

    it("adds up over the acct sessions of a user on several NASes", async () => {
      const store = await freshStore(place);
      const batch = Array.from({ length: 30 }, (_, index) =>
        new RecordMaker({ nasKey: `nas-${index % 3}`, acctSessionId: String(index) }).stop(60, 100 + index),
      );
      await store.acctSessions.record(batch);
      expect(await uploadOf(store, "alice", "total")).toBe(30 * 100 + (29 * 30) / 2);
      expect(await uploadOf(store, "alice", DAY)).toBe(30 * 100 + (29 * 30) / 2);
    });

    it("keeps 64-bit totals exact", async () => {
      const store = await freshStore(place);
      const alice = new RecordMaker();
      const input = { octets: 4_294_967_295, gigawords: 1_048_575 };
      await store.acctSessions.record([alice.interim(60, 0, { input, output: { octets: 1, gigawords: 0 } })]);
      await expect(store.acctSessions.one("nas-1/0001")).resolves.toMatchObject({
        uploadOctets: 2 ** 52 - 1,
        downloadOctets: 1,
      });
      expect(await uploadOf(store, "alice", "total")).toBe(2 ** 52 - 1);
    });

    it("keeps answering when two routers together report more than 2^53 octets", async () => {
      const store = await freshStore(place);
      const input = { octets: 4_294_967_295, gigawords: 2_097_151 };
      const batch = ["1", "2"].map((acctSessionId) => new RecordMaker({ acctSessionId }).stop(60, 0, { input }));
      await store.acctSessions.record(batch);
      expect(await uploadOf(store, "alice", "total")).toBeGreaterThanOrEqual(Number.MAX_SAFE_INTEGER);
    });

    it("the same Acct-Session-Id after a reboot is a new acct session, and its records find it", async () => {
      const store = await freshStore(place);
      const first = new RecordMaker();
      const second = new RecordMaker({ startedAtMs: NOON_MS + 7_200_000 });
      expect(await effects(store, first.start(), first.interim(3_600, 1_000))).toEqual(["created", "updated"]);
      expect(await effects(store, second.start(), second.interim(60, 10))).toEqual(["new-generation", "updated"]);
      // Overtaken by the reboot: it belongs to the first.
      expect(await effects(store, first.interim(3_700, 1_100), second.stop(90, 20))).toEqual(["updated", "closed"]);
      await expect(store.acctSessions.one("nas-1/0001")).resolves.toMatchObject({ uploadOctets: 1_100, generation: 0 });
      await expect(store.acctSessions.one("nas-1/0001#1")).resolves.toMatchObject({ uploadOctets: 20, generation: 1 });
      expect(await uploadOf(store, "alice", "total")).toBe(1_120);
    });

    it("Accounting-On and -Off close the acct sessions of that NAS and of no other", async () => {
      const store = await freshStore(place);
      const open = ["nas-1", "nas-1|x", "nas-10", "nas-2"].map((nasKey) => new RecordMaker({ nasKey }).start());
      await store.acctSessions.record(open);
      const [result] = await store.acctSessions.record([nasRecord("off", "nas-1", NOON_MS + 60_000)]);
      expect(result).toMatchObject({ effect: "nas", acctSession: undefined, closedKeys: ["nas-1/0001"] });
      await expect(store.acctSessions.one("nas-1/0001")).resolves.toMatchObject({
        open: false,
        closeCause: "nas-off",
        closedAtMs: NOON_MS + 60_000,
      });
      await store.acctSessions.record([nasRecord("on", "nas-2", NOON_MS + 60_000)]);
      await expect(store.acctSessions.one("nas-2/0001")).resolves.toMatchObject({ open: false, closeCause: "nas-on" });
      await expect(store.acctSessions.countOpen()).resolves.toBe(2);
    });

    it("Accounting-On leaves what began after it, and after it an old Acct-Session-Id is a new acct session", async () => {
      const store = await freshStore(place);
      const before = new RecordMaker();
      const after = new RecordMaker({ startedAtMs: NOON_MS + 120_000 });
      const early = new RecordMaker({ acctSessionId: "0002", startedAtMs: NOON_MS + 100_000 });
      const on = nasRecord("on", "nas-1", NOON_MS + 100_000);
      expect(await effects(store, before.interim(60, 500), early.start(), on, after.interim(60, 5))).toEqual([
        "created",
        "created",
        "nas",
        "new-generation",
      ]);
      await expect(store.acctSessions.one("nas-1/0002")).resolves.toMatchObject({ open: true });
      // A router that goes down ends what began in the same second; one that came up did not.
      await store.acctSessions.record([nasRecord("off", "nas-1", NOON_MS + 100_000)]);
      await expect(store.acctSessions.one("nas-1/0002")).resolves.toMatchObject({ open: false, closeCause: "nas-off" });
      await expect(store.acctSessions.one("nas-1/0001#1")).resolves.toMatchObject({ open: true });
      expect(await uploadOf(store, "alice", "total")).toBe(505);
    });

    it("splits a difference at the boundary of a period, to the octet", async () => {
      const store = await freshStore(place);
      store.usePeriods({ timeZone: "Europe/Berlin", specs: [{ kind: "day" }, { kind: "week", startDay: 1 }] });
      const midnight = Date.parse("2026-11-22T23:00:00Z"); // Monday begins in Berlin
      const alice = new RecordMaker({ startedAtMs: midnight - 1_000_000 });
      await store.acctSessions.record([alice.start(), alice.interim(1_500, 1_001)]);
      const upload = await Promise.all(
        [DAY, "day/2026-11-23", "week/2026-11-16", "week/2026-11-23", "total"].map((key) =>
          uploadOf(store, "alice", key),
        ),
      );
      expect(upload).toEqual([667, 334, 667, 334, 1_001]);
      expect(await uploadOf(store, "alice", DAY, "day/2026-11-23")).toBe(1_001);
    });

    it("counts the hours of a rolling period", async () => {
      const store = await freshStore(place);
      store.usePeriods({ timeZone: "UTC", specs: [{ kind: "rolling", hours: 3 }] });
      const alice = new RecordMaker({ startedAtMs: NOON_MS });
      await store.acctSessions.record([alice.interim(7_200, 1_000)]);
      const hour = NOON_MS / 3_600_000;
      await expect(store.usage.periods("alice")).resolves.toMatchObject([
        { periodKey: `hour/${hour}`, uploadOctets: 500 },
        { periodKey: `hour/${hour + 1}`, uploadOctets: 500 },
        { periodKey: "total", uploadOctets: 1_000 },
      ]);
    });

    it("counts for the User-Name of each record when it changes, and all once the first is known", async () => {
      const store = await freshStore(place);
      const maker = new RecordMaker({ username: undefined });
      await store.acctSessions.record([maker.start(), maker.interim(60, 100)]);
      await store.acctSessions.record([maker.interim(120, 300, { username: "alice" })]);
      await store.acctSessions.record([maker.interim(180, 1_000, { username: "bob" }), maker.interim(240, 1_001)]);
      expect(await uploadOf(store, "alice", "total")).toBe(300);
      expect(await uploadOf(store, "bob", "total")).toBe(701);
    });

    it("two writers on one acct session count each record once (invariant 7)", async () => {
      const where = await place();
      const writers = [await opened(where), await opened(where)];
      const alice = new RecordMaker();
      const records = Array.from({ length: 40 }, (_, index) => alice.interim(index * 10, index * 100));
      await Promise.all(writers.flatMap((store) => records.map((record) => store.acctSessions.record([record]))));
      for (const store of writers) {
        expect(await uploadOf(store, "alice", "total")).toBe(3_900);
        await expect(store.acctSessions.one("nas-1/0001")).resolves.toMatchObject({
          uploadOctets: 3_900,
          generation: 0,
        });
      }
    });

    it("two writers that see a reboot make one new acct session of it", async () => {
      const where = await place();
      const writers = [await opened(where), await opened(where)];
      const first = new RecordMaker();
      await writers[0]?.acctSessions.record([first.start(), first.interim(3_600, 1_000)]);
      const second = new RecordMaker({ startedAtMs: NOON_MS + 7_200_000 });
      const results = await Promise.all(
        writers.flatMap((store) => [60, 120, 180].map((at) => store.acctSessions.record([second.interim(at, at)]))),
      );
      expect(results.flat().filter(({ effect }) => effect === "new-generation")).toHaveLength(1);
      expect(await uploadOf(writers[1] as Store, "alice", "total")).toBe(1_180);
      await expect(writers[0]?.acctSessions.one("nas-1/0001#2")).resolves.toBeUndefined();
    });

    it("keeps odd names of NAS, acct session and user apart from one another", async () => {
      const store = await freshStore(place);
      const makers = ODD_NAMES.map((name) => new RecordMaker({ nasKey: name, acctSessionId: name, username: name }));
      const facts = (name: string) => ({ callingStationId: name, nasPortId: name, class: name });
      for (const seconds of [60, 90]) {
        await store.acctSessions.record(
          makers.map((maker, index) => maker.interim(seconds, seconds + index, { facts: facts(maker.nasKey) })),
        );
      }
      for (const [index, name] of ODD_NAMES.entries()) {
        expect(await uploadOf(store, name, "total")).toBe(90 + index);
        const { items } = await store.acctSessions.find({ username: name }, { limit: 10 });
        expect(items).toMatchObject([{ nasKey: name, acctSessionId: name, username: name, facts: facts(name) }]);
        await expect(store.acctSessions.one((items[0] as { key: string }).key)).resolves.toEqual(items[0]);
      }
    });
  });

  describe("closing", () => {
    it("close() closes once and says what it closed", async () => {
      const store = await freshStore(place);
      await store.acctSessions.record([new RecordMaker().start()]);
      const closedOnce = await store.acctSessions.close("nas-1/0001", NOON_MS + 5, "unknown-to-nas");
      expect(closedOnce).toMatchObject({ open: false, closeCause: "unknown-to-nas", closedAtMs: NOON_MS + 5 });
      await expect(store.acctSessions.close("nas-1/0001", NOON_MS + 9, "operator")).resolves.toBeUndefined();
      await expect(store.acctSessions.close("nobody/0001", NOON_MS, "operator")).resolves.toBeUndefined();
      await expect(store.acctSessions.one("nas-1/0001")).resolves.toEqual(closedOnce);
    });

    it("closeNas() closes what was heard of before, in parts", async () => {
      const store = await freshStore(place);
      const batch = Array.from({ length: 5 }, (_, index) => new RecordMaker({ acctSessionId: String(index) }).start());
      const later = new RecordMaker({ acctSessionId: "later", startedAtMs: NOON_MS + 10_000 }).start();
      const other = new RecordMaker({ nasKey: "nas-2" }).start();
      await store.acctSessions.record([...batch, later, other]);
      const close = () => store.acctSessions.closeNas("nas-1", NOON_MS + 10_000, "nas-gone", 3);
      const parts = [await close(), await close(), await close()];
      expect(parts.map((part) => part.length)).toEqual([3, 2, 0]);
      expect(new Set(parts.flat().map(({ closeCause }) => closeCause))).toEqual(new Set(["nas-gone"]));
      await expect(store.acctSessions.countOpen()).resolves.toBe(2);
    });

    it("closeStale() closes what was silent; silence before the hub started does not count; a record re-opens", async () => {
      const store = await freshStore(place);
      const alice = new RecordMaker();
      const bob = new RecordMaker({ acctSessionId: "0002", username: "bob" });
      await store.acctSessions.record([
        alice.interim(0, 10, { staleAfterMs: 60_000 }),
        bob.interim(30, 10, { staleAfterMs: 60_000 }),
      ]);
      const stale = async (afterMs: number, hubAfterMs: number): Promise<(string | undefined)[]> => {
        const ended = await store.acctSessions.closeStale(NOON_MS + afterMs, NOON_MS + hubAfterMs, 10);
        return ended.map(({ username }) => username);
      };
      expect(await stale(59_999, 0)).toEqual([]);
      expect(await stale(3_600_000, 3_590_000)).toEqual([]); // the hub was down for an hour
      expect(await stale(60_000, 0)).toEqual([]); // found not to be stale above: looked at again later
      expect(new Set(await stale(3_650_000, 3_590_000))).toEqual(new Set(["alice", "bob"]));
      await expect(store.acctSessions.one("nas-1/0001")).resolves.toMatchObject({ open: false, closeCause: "stale" });
      expect(await effects(store, alice.interim(3_660, 25, { staleAfterMs: 60_000 }))).toEqual(["reopened"]);
      await expect(store.acctSessions.one("nas-1/0001")).resolves.toMatchObject({ open: true, closeCause: undefined });
      expect(await uploadOf(store, "alice", "total")).toBe(25);
      expect(await stale(3_719_999, 0)).toEqual([]);
      expect(await stale(3_720_000, 0)).toEqual(["alice"]);
    });

    it("closeStale() keeps to its limit and goes on", async () => {
      const store = await freshStore(place);
      const batch = Array.from({ length: 7 }, (_, index) => new RecordMaker({ acctSessionId: String(index) }).start());
      await store.acctSessions.record(batch);
      const close = () => store.acctSessions.closeStale(NOON_MS + 900_000, 0, 3);
      expect([await close(), await close(), await close(), await close()].map((part) => part.length)).toEqual([
        3, 3, 1, 0,
      ]);
    });

    it("prune() forgets acct sessions closed long ago, and keeps what they used", async () => {
      const store = await freshStore(place);
      const batch = Array.from({ length: 5 }, (_, index) =>
        new RecordMaker({ acctSessionId: String(index) }).stop(60, 100),
      );
      const recent = new RecordMaker({ acctSessionId: "recent", startedAtMs: NOON_MS + 1_000_000 }).stop(60, 100);
      const open = new RecordMaker({ acctSessionId: "open" }).interim(60, 100);
      await store.acctSessions.record([...batch, recent, open]);
      const prune = () => store.acctSessions.prune(NOON_MS + 500_000, 3);
      expect([await prune(), await prune(), await prune()]).toEqual([3, 2, 0]);
      await expect(store.acctSessions.find({}, { limit: 10 })).resolves.toMatchObject({ items: { length: 2 } });
      expect(await uploadOf(store, "alice", "total")).toBe(700);
      expect(await uploadOf(store, "alice", DAY)).toBe(700);
    });

    it("UsageStore.prune() forgets periods that are no longer kept, never the total", async () => {
      const store = await freshStore(place);
      const dayMs = 86_400_000;
      for (const days of [8, 9, 40]) {
        const maker = new RecordMaker({ acctSessionId: String(days), startedAtMs: NOON_MS + days * dayMs });
        await store.acctSessions.record([maker.stop(60, 10)]);
      }
      let pruned = 0;
      for (let more = -1; more !== 0; pruned += more) more = await store.usage.prune(NOON_MS + 40 * dayMs, 1);
      const keys = (await store.usage.periods("alice")).map(({ periodKey }) => periodKey);
      expect(keys).toEqual([
        "day/2026-12-01",
        "day/2027-01-01",
        "month/2026-11-01",
        "month/2026-12-01",
        "month/2027-01-01",
        "total",
      ]);
      expect(pruned).toBe(1);
      expect(await uploadOf(store, "alice", "total")).toBe(30);
    });
  });
}
