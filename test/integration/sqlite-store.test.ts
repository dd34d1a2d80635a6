import { mkdir, open, readFile, rename, rm, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { describe, expect, it, onTestFinished, vi } from "vitest";
import { systemClock } from "../../src/clock.ts";
import type { AccountingRecord } from "../../src/store/accounting-record.ts";
import { backupDatabase } from "../../src/store/sqlite/backup.ts";
import { SqliteStore, type SqliteStoreOptions } from "../../src/store/sqlite/sqlite-store.ts";
import { RecordMaker } from "../support/accounting-records.ts";
import { temporaryFolder } from "../support/temporary-folder.ts";

const WITHIN = { timeout: 15_000, interval: 20 };

function storeAt(file: string, options: Partial<SqliteStoreOptions> = {}): { store: SqliteStore; states: string[] } {
  const states: string[] = [];
  const onHealth = ({ state, detail }: SqliteStore["health"]): void => {
    states.push(detail === undefined ? state : `${state}: ${detail}`);
  };
  const store = new SqliteStore({ clock: systemClock, onHealth }, { file, synchronous: "normal", ...options });
  onTestFinished(() => store.stop());
  return { store, states };
}

async function runningAt(file: string, options: Partial<SqliteStoreOptions> = {}): Promise<SqliteStore> {
  const { store } = storeAt(file, options);
  store.start();
  await store.ready(15_000);
  return store;
}

function fault(reason: string): unknown {
  return expect.objectContaining({ code: "ERR_STORE", details: { reason } });
}

describe("SqliteStore", () => {
  it("makes its folder, and a file that nobody else may read", async () => {
    const file = join(await temporaryFolder(), "a/b/hub.db");
    await runningAt(file);
    expect((await stat(file)).mode & 0o777).toBe(0o600);
  });

  it("before start() every call rejects as down", async () => {
    const { store } = storeAt(join(await temporaryFolder(), "hub.db"));
    await expect(store.acctSessions.countOpen()).rejects.toEqual(fault("down"));
    await expect(store.ready(1)).rejects.toEqual(fault("down"));
    await store.stop();
    expect(store.health.state).toBe("stopped");
  });

  it("starts while the file cannot be opened, says why, and recovers by itself", async () => {
    const folder = await temporaryFolder();
    await writeFile(join(folder, "var"), "not a folder");
    const { store, states } = storeAt(join(folder, "var/hub.db"));
    store.start();
    await vi.waitFor(() => expect(states.length).toBeGreaterThanOrEqual(2), WITHIN);
    expect(states[0]).toMatch(/^down: .*(ENOTDIR|EEXIST)/);
    await expect(store.acctSessions.countOpen()).rejects.toEqual(fault("down"));
    await rm(join(folder, "var"));
    await store.ready(15_000);
    await expect(store.acctSessions.countOpen()).resolves.toBe(0);
    expect(states.at(-1)).toBe("up");
  });

  it.each([
    ["that is no database", (file: string) => writeFile(file, "x".repeat(8_192)), /corrupt: file is not a database/],
    [
      "of another program",
      (file: string) => otherDatabase(file, "CREATE TABLE other (a)"),
      /corrupt: the file belongs to another program/,
    ],
    ["of a newer version", newerDatabase, /corrupt: the file has version 99, this program knows \d+/],
    ["that is damaged", damagedDatabase, /corrupt: /],
  ])("leaves a file %s alone, and goes on with a good one", async (_, make, detail) => {
    const file = join(await temporaryFolder(), "hub.db");
    await make(file);
    const before = await readFile(file);
    const { store, states } = storeAt(file);
    store.start();
    await vi.waitFor(() => expect(states[0]).toMatch(detail), WITHIN);
    expect(before.equals(await readFile(file))).toBe(true);
    await rename(file, `${file}.bad`);
    await rm(`${file}-wal`, { force: true });
    await rm(`${file}-shm`, { force: true });
    await store.ready(15_000);
  });

  it("a file that another process holds: the call fails as busy, nothing is stored, the next one works", async () => {
    const file = join(await temporaryFolder(), "hub.db");
    const store = await runningAt(file, { busyTimeoutMs: 30 });
    const other = new DatabaseSync(file);
    other.exec("BEGIN IMMEDIATE");
    await expect(store.acctSessions.record([new RecordMaker().start()])).rejects.toEqual(fault("busy"));
    await expect(store.acctSessions.countOpen()).resolves.toBe(0);
    other.exec("ROLLBACK");
    other.close();
    await expect(store.acctSessions.record([new RecordMaker().start()])).resolves.toHaveLength(1);
    expect(store.health.state).toBe("up");
  });

  it("a file that breaks while it runs: calls fail, it says why, and goes on with the backup that is put in its place", async () => {
    const folder = await temporaryFolder();
    const file = join(folder, "hub.db");
    const { store, states } = storeAt(file);
    store.start();
    await store.ready(15_000);
    await store.acctSessions.record(manyStarts());
    await store.backup(join(folder, "copy.db"));
    const other = new DatabaseSync(file);
    // All pages are in the file, none in the log, and the store has to read them again.
    other.exec("PRAGMA wal_checkpoint(TRUNCATE); INSERT INTO opened VALUES (1)");
    await damage(file);
    const record = store.acctSessions.record([new RecordMaker({ acctSessionId: "7" }).interim(60, 5)]);
    await expect(record).rejects.toEqual(fault("corrupt"));
    await vi.waitFor(
      () => expect(states.filter((state) => state.startsWith("down: corrupt")).length).toBeGreaterThan(1),
      WITHIN,
    );
    await expect(store.acctSessions.countOpen()).rejects.toEqual(fault("down"));
    other.close();
    await rm(`${file}-wal`, { force: true });
    await rm(`${file}-shm`, { force: true });
    await rename(join(folder, "copy.db"), file);
    await store.ready(15_000);
    await expect(store.acctSessions.countOpen()).resolves.toBe(500);
  });

  it("UL-10 refuses further calls when too many wait, and loses none of those it took", async () => {
    const store = await runningAt(join(await temporaryFolder(), "hub.db"), { waitingMax: 100 });
    const batch = (first: number) =>
      Array.from({ length: 40 }, (_, index) => new RecordMaker({ acctSessionId: String(first + index) }).start());
    const asked = [0, 40, 80, 120].map((first) => store.acctSessions.record(batch(first)));
    const ends = await Promise.allSettled(asked);
    expect(ends.map(({ status }) => status)).toEqual(["fulfilled", "fulfilled", "rejected", "rejected"]);
    expect((ends[2] as PromiseRejectedResult).reason).toEqual(fault("queue-full"));
    await expect(store.acctSessions.countOpen()).resolves.toBe(80);
    expect(store.health.queued).toBe(0);
  });

  it("carries calls out in the order in which they were made, periods too", async () => {
    const store = await runningAt(join(await temporaryFolder(), "hub.db"));
    const alice = new RecordMaker();
    const calls = [alice.interim(60, 10), alice.interim(120, 20), alice.interim(180, 30), alice.interim(240, 40)];
    const done = calls.map((record, index) => {
      if (index === 2) store.usePeriods({ timeZone: "UTC", specs: [{ kind: "week", startDay: 1 }] });
      return store.acctSessions.record([record]);
    });
    await Promise.all(done);
    await expect(store.usage.periods("alice")).resolves.toMatchObject([
      { periodKey: "day/2026-11-22", uploadOctets: 20 },
      { periodKey: "month/2026-11-01", uploadOctets: 20 },
      { periodKey: "total", uploadOctets: 40 },
      { periodKey: "week/2026-11-16", uploadOctets: 20 },
    ]);
  });

  it("keeps its periods when it opens the file again", async () => {
    const folder = await temporaryFolder();
    await writeFile(join(folder, "var"), "not a folder");
    const { store, states } = storeAt(join(folder, "var/hub.db"));
    store.usePeriods({ timeZone: "UTC", specs: [] });
    store.start();
    await vi.waitFor(() => expect(states).not.toHaveLength(0), WITHIN);
    await rm(join(folder, "var"));
    await store.ready(15_000);
    await store.acctSessions.record([new RecordMaker().interim(60, 10)]);
    await expect(store.usage.periods("alice")).resolves.toMatchObject([{ periodKey: "total" }]);
  });
});

describe("SqliteStore.backup()", () => {
  it("copies what is stored while records come, and the copy is a store", async () => {
    const folder = await temporaryFolder();
    const store = await runningAt(join(folder, "hub.db"));
    const starts = manyStarts();
    await store.acctSessions.record(starts);
    let coming = true;
    const load = (async () => {
      for (let seconds = 60; coming; seconds += 60) {
        await store.acctSessions.record(
          starts.map((_, index) => new RecordMaker({ acctSessionId: String(index) }).interim(seconds, seconds)),
        );
      }
    })();
    const bytes = await store.backup(join(folder, "copy.db"));
    coming = false;
    await load;
    expect((await stat(join(folder, "copy.db"))).size).toBe(bytes);
    expect((await stat(join(folder, "copy.db"))).mode & 0o777).toBe(0o600);
    const copy = await runningAt(join(folder, "copy.db"));
    await expect(copy.acctSessions.countOpen()).resolves.toBe(500);
    const sessions = await copy.acctSessions.find({}, { limit: 1_000 });
    const [total] = await copy.usage.totals([{ username: "alice", periodKeys: ["total"] }]);
    expect(total?.uploadOctets).toBe(sessions.items.reduce((sum, { uploadOctets }) => sum + uploadOctets, 0));
  });

  it("replaces an older copy, and leaves it alone when it fails", async () => {
    const folder = await temporaryFolder();
    const store = await runningAt(join(folder, "hub.db"));
    await store.backup(join(folder, "copy.db"));
    await store.acctSessions.record([new RecordMaker().start()]);
    await store.backup(join(folder, "copy.db"));
    const good = await readFile(join(folder, "copy.db"));
    await expect(backupDatabase(join(folder, "nothing.db"), join(folder, "copy.db"))).rejects.toEqual(fault("down"));
    await writeFile(join(folder, "bad.db"), "x".repeat(4_096));
    await expect(backupDatabase(join(folder, "bad.db"), join(folder, "copy.db"))).rejects.toEqual(fault("corrupt"));
    expect(good.equals(await readFile(join(folder, "copy.db")))).toBe(true);
    await mkdir(join(folder, "taken.db"));
    await expect(store.backup(join(folder, "taken.db"))).rejects.toMatchObject({ code: "ERR_STORE" });
  });
});

function otherDatabase(file: string, sql: string): Promise<void> {
  const database = new DatabaseSync(file);
  database.exec(sql);
  database.close();
  return Promise.resolve();
}

async function newerDatabase(file: string): Promise<void> {
  await (await runningAt(file)).stop();
  await otherDatabase(file, "INSERT INTO migration VALUES (99, 1)");
}

async function damagedDatabase(file: string): Promise<void> {
  const store = await runningAt(file);
  await store.acctSessions.record(manyStarts());
  await store.stop();
  await damage(file);
}

function manyStarts(): AccountingRecord[] {
  return Array.from({ length: 500 }, (_, index) => new RecordMaker({ acctSessionId: String(index) }).start());
}

/** All pages but the first, which says what the file is. */
async function damage(file: string): Promise<void> {
  const { size } = await stat(file);
  const handle = await open(file, "r+");
  await handle.write(Buffer.alloc(size - 4_096, 0x5a), 0, size - 4_096, 4_096);
  await handle.close();
}
