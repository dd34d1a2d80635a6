import { readFile } from "node:fs/promises";
import { type Document, MongoClient } from "mongodb";
import { afterAll, beforeAll, beforeEach, describe, expect, it, onTestFinished, vi } from "vitest";
import { systemClock, systemRandom } from "../../src/clock.ts";
import { MongoStore } from "../../src/store/mongo/mongo-store.ts";
import { storeFault } from "../../src/store/store-error.ts";
import type { AccountingRecord } from "../../src/store/accounting-record.ts";
import type { StoreHealth } from "../../src/store/types.ts";
import { NOON_MS, nasRecord, RecordMaker } from "../support/accounting-records.ts";
import { MongoProxy } from "../support/mongo-proxy.ts";
import { MongoServer, NO_MONGO_SERVER } from "../support/mongo-server.ts";

const WAIT = { timeout: 15_000, interval: 20 };
let server: MongoServer | undefined;

beforeAll(async () => {
  if (MongoServer.available) server = await MongoServer.start();
});
afterAll(() => server?.stop());
beforeEach((context) => {
  if (server === undefined) context.skip(NO_MONGO_SERVER);
});

function startedStore(uri: string, told: StoreHealth[] = []): MongoStore {
  const onHealth = (health: StoreHealth): void => void told.push(health);
  const store = new MongoStore({ clock: systemClock, random: systemRandom, onHealth }, { uri, timeoutMs: 2_000 });
  onTestFinished(() => store.stop());
  store.start();
  return store;
}

async function openStore(uri: string): Promise<MongoStore> {
  const store = startedStore(uri);
  await store.ready(10_000);
  return store;
}

/** What is stored, past the store. */
async function documents(uri: string): Promise<{ sessions: Document[]; usage: Document[]; mongo: MongoClient }> {
  const mongo = await MongoClient.connect(uri);
  onTestFinished(() => mongo.close());
  const all = (name: string): Promise<Document[]> => mongo.db().collection(name).find().toArray();
  return { sessions: await all("sessions"), usage: await all("usage"), mongo };
}

async function uploadOf(store: MongoStore, username = "alice"): Promise<number | undefined> {
  const [total] = await store.usage.totals([{ username, periodKeys: ["total"] }]);
  return total?.uploadOctets;
}

describe("MongoStore: a server that comes and goes", () => {
  it("start() returns while there is no server; calls fail with reason down; it comes up by itself", async (context) => {
    const mortal = server as MongoServer;
    if (!mortal.mortal) return context.skip("the server of MONGODB_URI is not ours to kill");
    await mortal.kill();
    const told: StoreHealth[] = [];
    const store = startedStore(mortal.freshUri(), told);
    expect(store.health).toMatchObject({ state: "down" });
    await expect(store.ready(50)).rejects.toMatchObject({ code: "ERR_STORE", details: { reason: "down" } });
    const refusal = { code: "ERR_STORE", details: { reason: "down" } };
    await expect(store.acctSessions.record([new RecordMaker().start()])).rejects.toMatchObject(refusal);
    await expect(store.users.one("alice")).rejects.toMatchObject(refusal);
    await vi.waitFor(() => expect(told.at(-1)?.detail).toMatch(/ECONNREFUSED/), WAIT);
    await mortal.open();
    await store.ready(15_000);
    await expect(store.acctSessions.record([new RecordMaker().start()])).resolves.toHaveLength(1);
    expect(told.at(-1)).toMatchObject({ state: "up", detail: undefined });
  });

  it("kill -9 of the server under load loses nothing acknowledged and counts nothing twice, 8 times", async (context) => {
    const mortal = server as MongoServer;
    if (!mortal.mortal) return context.skip("the server of MONGODB_URI is not ours to kill");
    const store = await openStore(mortal.freshUri());
    const routers = Array.from({ length: 24 }, (_, index) => ({
      maker: new RecordMaker({ acctSessionId: String(index), username: `user-${index % 3}` }),
      sent: 0,
      acknowledged: 0,
    }));
    const send = async (router: (typeof routers)[number]): Promise<void> => {
      router.sent += router.sent === router.acknowledged ? 1 + Math.floor(Math.random() * 1_000) : 0;
      const upload = router.sent;
      await store.acctSessions.record([router.maker.interim(upload, upload)]);
      router.acknowledged = upload;
    };
    const faults = new Set<unknown>();
    for (let round = 0; round < 8; round += 1) {
      let killing = false;
      const load = routers.map(async (router) => {
        try {
          for (;;) {
            await send(router);
            if (killing) return;
          }
        } catch (error) {
          faults.add(storeFault(error));
        }
      });
      await vi.waitFor(() => expect(routers.every(({ acknowledged }) => acknowledged > 0)).toBe(true), WAIT);
      const before = Math.floor(Math.random() * 300);
      await new Promise((resolve) => setTimeout(resolve, before));
      killing = true;
      await mortal.kill();
      await Promise.all(load);
      await mortal.open();
      await vi.waitFor(() => expect(store.health.state).toBe("up"), WAIT);
      for (const { maker, acknowledged } of routers) {
        const acctSession = await store.acctSessions.one(`nas-1/${maker.acctSessionId}`);
        expect(acctSession?.uploadOctets).toBeGreaterThanOrEqual(acknowledged);
      }
    }
    await Promise.all(routers.map((router) => send(router)));
    for (const [index, username] of ["user-0", "user-1", "user-2"].entries()) {
      const sum = routers.filter((_, at) => at % 3 === index).reduce((total, { sent }) => total + sent, 0);
      expect(await uploadOf(store, username)).toBe(sum);
    }
    for (const fault of faults) expect(["down", "unknown"]).toContain(fault);
  }, 120_000);

  it.each(["insert", "update"])(
    "an %s whose answer is lost fails as unknown, and the record may come again",
    async (command) => {
      const uri = new URL((server as MongoServer).freshUri());
      // A driver goes past the proxy to the members of a replica set.
      uri.searchParams.set("directConnection", "true");
      const proxy = await MongoProxy.start(Number(uri.port));
      uri.port = String(proxy.port);
      const store = await openStore(uri.href);
      const alice = new RecordMaker();
      if (command === "update") await store.acctSessions.record([alice.start()]);
      proxy.losesAnswersTo = command;
      const record = alice.interim(60, 1_000);
      const outcome = await store.acctSessions.record([record]).then(
        () => undefined,
        (error: unknown) => storeFault(error),
      );
      proxy.losesAnswersTo = undefined;
      expect(proxy.lost).toBeGreaterThan(0);
      expect(outcome).toBe("unknown");
      await vi.waitFor(() => expect(store.health.state).toBe("up"), WAIT);
      expect(await uploadOf(store)).toBe(1_000); // it was stored
      const [again] = await store.acctSessions.record([record]);
      expect(again?.effect).toBe("duplicate");
      expect(await uploadOf(store)).toBe(1_000);
    },
  );
});

describe("MongoStore: what a crash leaves half done", () => {
  it("a generation that was announced and not inserted is inserted by the record that comes again", async () => {
    const uri = (server as MongoServer).freshUri();
    const store = await openStore(uri);
    const first = new RecordMaker();
    await store.acctSessions.record([first.start(), first.interim(3_600, 1_000)]);
    const { mongo } = await documents(uri);
    await mongo
      .db()
      .collection("sessions")
      .updateOne({ _id: "nas-1/0001" as never }, { $set: { latest: 1, version: 9 } });
    const second = new RecordMaker({ startedAtMs: NOON_MS + 7_200_000 });
    const results = await store.acctSessions.record([second.interim(60, 10), first.interim(3_700, 1_100)]);
    expect(results.map(({ effect }) => effect)).toEqual(["new-generation", "updated"]);
    const [more] = await store.acctSessions.record([second.interim(90, 30)]);
    expect(more?.acctSession).toMatchObject({ key: "nas-1/0001#1", generation: 1, uploadOctets: 30 });
    expect(await uploadOf(store)).toBe(1_130);
  });

  it("an acct session is forgotten in three writes; the sum is the same after each, and the next prune() ends it", async () => {
    const uri = (server as MongoServer).freshUri();
    const store = await openStore(uri);
    await store.acctSessions.record([
      new RecordMaker({ acctSessionId: "a" }).stop(60, 100),
      new RecordMaker({ acctSessionId: "b" }).interim(60, 20),
    ]);
    const before = await documents(uri);
    const { _id, incarnation, version, usage } = before.sessions.find((one) => one["open"] === false) as Document;
    const pending = [{ key: _id, incarnation, version, usage }];
    const database = before.mongo.db();
    await database
      .collection("usage")
      .insertOne({ _id: "alice" as never, version: 1, usage: [], usageKeys: [], pending });
    expect(await uploadOf(store)).toBe(120);
    await database.collection("sessions").deleteOne({ _id });
    expect(await uploadOf(store)).toBe(120);
    await expect(store.usage.periods("alice")).resolves.toHaveLength(3);
    // The same Acct-Session-Id once more: another acct session, which counts besides.
    await store.acctSessions.record([new RecordMaker({ acctSessionId: "a" }).interim(30, 3)]);
    expect(await uploadOf(store)).toBe(123);
    await store.acctSessions.prune(NOON_MS, 10);
    expect(await uploadOf(store)).toBe(123);
    expect((await documents(uri)).usage).toMatchObject([{ _id: "alice", pending: [], usage: { length: 3 } }]);
  });

  it("prune() keeps a stub of generation 0 while a later one lives, and nothing of both in the end", async () => {
    const uri = (server as MongoServer).freshUri();
    const store = await openStore(uri);
    const first = new RecordMaker();
    const second = new RecordMaker({ startedAtMs: NOON_MS + 7_200_000 });
    await store.acctSessions.record([
      first.start(),
      first.interim(3_600, 1_000),
      second.start(),
      second.interim(60, 10),
    ]);
    await store.acctSessions.close("nas-1/0001", NOON_MS, "operator");
    await expect(store.acctSessions.prune(NOON_MS + 1, 10)).resolves.toBe(1);
    await expect(store.acctSessions.find({}, { limit: 10 })).resolves.toMatchObject({ items: [{ generation: 1 }] });
    await expect(store.acctSessions.one("nas-1/0001")).resolves.toBeUndefined();
    const [again] = await store.acctSessions.record([second.stop(90, 20)]);
    expect(again).toMatchObject({ effect: "closed", acctSession: { generation: 1, uploadOctets: 20 } });
    expect(await uploadOf(store)).toBe(1_020);
    await expect(store.acctSessions.prune(NOON_MS + 86_400_000, 10)).resolves.toBe(1);
    expect((await documents(uri)).sessions).toEqual([]);
    expect(await uploadOf(store)).toBe(1_020);
  });

  it("usage is exact while acct sessions are being forgotten", async () => {
    const uri = (server as MongoServer).freshUri();
    const stores = [await openStore(uri), await openStore(uri)];
    const [reader, pruner] = stores as [MongoStore, MongoStore];
    const batch = Array.from({ length: 30 }, (_, index) =>
      new RecordMaker({ acctSessionId: String(index) }).stop(60, 10),
    );
    await reader.acctSessions.record(batch);
    let pruning = true;
    const reading = (async () => {
      const seen = new Set<number | undefined>();
      while (pruning) seen.add(await uploadOf(reader));
      return seen;
    })();
    const parts: number[] = [];
    while (parts.at(-1) !== 0) parts.push(await pruner.acctSessions.prune(NOON_MS + 86_400_000, 4));
    pruning = false;
    expect(parts.reduce((sum, part) => sum + part)).toBe(30);
    expect([...(await reading)]).toEqual([300]);
  });
});

describe("MongoStore: two nodes at one moment (invariant 7)", () => {
  const makers = Array.from({ length: 12 }, (_, index) => new RecordMaker({ acctSessionId: String(index) }));

  async function twoNodes(): Promise<readonly [MongoStore, MongoStore]> {
    const uri = (server as MongoServer).freshUri();
    const nodes = [await openStore(uri), await openStore(uri)] as const;
    await nodes[0].acctSessions.record(makers.map((maker) => maker.start()));
    return nodes;
  }

  it("an earlier record never undoes a later one", async () => {
    const [one, other] = await twoNodes();
    for (let round = 1; round <= 5; round += 1) {
      const seconds = round * 100;
      const [later, earlier] = [seconds, seconds - 50].map((at) => makers.map((maker) => maker.interim(at, at * 10)));
      await Promise.all([
        one.acctSessions.record(later as AccountingRecord[]),
        other.acctSessions.record(earlier as AccountingRecord[]),
      ]);
      const { items } = await one.acctSessions.find({}, { limit: 100 });
      expect(new Set(items.map(({ uploadOctets }) => uploadOctets))).toEqual(new Set([seconds * 10]));
      expect(await uploadOf(other)).toBe(makers.length * seconds * 10);
    }
  });

  it("what one closes the other does not open by counting, and what the other counts is kept", async () => {
    const [one, other] = await twoNodes();
    await Promise.all([
      one.acctSessions.record([nasRecord("off", "nas-1", NOON_MS + 90_000)]),
      other.acctSessions.record(makers.map((maker) => maker.interim(60, 700))),
    ]);
    await expect(one.acctSessions.countOpen()).resolves.toBe(0);
    expect(await uploadOf(one)).toBe(makers.length * 700);
  });

  it("one is told that it closed an acct session, the other that it did not", async () => {
    const [one, other] = await twoNodes();
    const keys = makers.map(({ acctSessionId }) => `nas-1/${acctSessionId}`);
    const closing = [one, other].flatMap((node) =>
      keys.map((key) => node.acctSessions.close(key, NOON_MS + 90_000, "operator")),
    );
    const closed = (await Promise.all(closing)).filter((acctSession) => acctSession !== undefined);
    expect(closed.map(({ key }) => key).toSorted()).toEqual(keys.toSorted());
  });
});

describe("MongoStore: documents", () => {
  it("have no field that ARCHITECTURE.md does not explain", async () => {
    const uri = (server as MongoServer).freshUri();
    const store = await openStore(uri);
    const facts = { callingStationId: "00-11-22-AA-BB-CC" };
    const maker = new RecordMaker();
    await store.acctSessions.record([maker.start({ facts }), maker.interim(60, 1_000), maker.stop(120, 2_000)]);
    const { sessions } = await documents(uri);
    const text = await readFile("ARCHITECTURE.md", "utf8");
    const [, table = ""] = /^## Collection `sessions`(.*?)^## /ms.exec(text) ?? [];
    const explained = Array.from(table.matchAll(/^\| (`.*?) \|/gm), ([, names]) => names as string).join();
    expect(Object.keys(sessions[0] ?? {}).filter((field) => !explained.includes(`\`${field}\``))).toEqual([]);
    expect(Object.keys(sessions[0] ?? {})).toContain("callingStation");
  });
});

describe("MongoStore: indexes", () => {
  it("start() makes those that are missing, and leaves the others alone", async () => {
    const uri = (server as MongoServer).freshUri();
    await (await openStore(uri)).stop();
    const { mongo } = await documents(uri);
    const sessions = mongo.db().collection("sessions");
    const names = async (): Promise<string[]> =>
      (await sessions.listIndexes().toArray()).map(({ name }) => name as string);
    const all = await names();
    expect(all).toContain("username_1_open_1_firstHeardAtMs_-1__id_-1");
    expect(all).toHaveLength(16);
    await sessions.dropIndex("usageKeys_1");
    await sessions.createIndex({ "facts.client": 1 });
    await (await openStore(uri)).stop();
    expect((await names()).toSorted()).toEqual([...all, "facts.client_1"].toSorted());
  });
});
