import { join } from "node:path";
import { describe, expect, it, onTestFinished } from "vitest";
import type { AccountingRecord } from "../../../../src/store/accounting-record.ts";
import { DEFAULT_PERIOD_RULES } from "../../../../src/store/periods.ts";
import { commitGroup } from "../../../../src/store/sqlite/commit-group.ts";
import { Database } from "../../../../src/store/sqlite/database.ts";
import { packRecords } from "../../../../src/store/sqlite/packed-records.ts";
import { openTables } from "../../../../src/store/sqlite/tables.ts";
import type { Call } from "../../../../src/store/sqlite/thread-messages.ts";
import { RecordMaker } from "../../../support/accounting-records.ts";
import { temporaryFolder } from "../../../support/temporary-folder.ts";

type Commit = (...calls: Call[]) => unknown[];

function opened(file: string): Commit {
  const database = Database.open({ file, synchronous: "normal", busyTimeoutMs: 50, checkBytesMax: 0 }, 1);
  onTestFinished(() => database.close());
  const tables = openTables(database, DEFAULT_PERIOD_RULES, 10);
  return (...calls) => commitGroup(database, tables, calls);
}

async function newFile(): Promise<string> {
  return join(await temporaryFolder(), "hub.db");
}

function record(...batch: readonly AccountingRecord[]): Call {
  return { concern: "acctSessions", method: "record", values: [packRecords(batch), "brief"] };
}

const ask: Call = { concern: "usage", method: "totals", values: [[{ username: "alice", periodKeys: ["total"] }]] };

function uploadOf(commit: Commit): unknown {
  const [result] = commit(ask) as [{ value: [{ uploadOctets: number }] }];
  return result.value[0].uploadOctets;
}

describe("totals that are remembered", () => {
  it("grow with each record of the user, on every router, and with no other", async () => {
    const commit = opened(await newFile());
    const here = new RecordMaker();
    const there = new RecordMaker({ nasKey: "nas-2" });
    const bob = new RecordMaker({ acctSessionId: "0002", username: "bob" });
    expect(uploadOf(commit)).toBe(0);
    commit(record(here.interim(60, 100), bob.interim(60, 7)));
    expect(uploadOf(commit)).toBe(100);
    commit(record(there.interim(60, 1_000), here.interim(120, 150), here.interim(120, 150)));
    expect(uploadOf(commit)).toBe(1_150);
  });

  it("count what another connection wrote to the file", async () => {
    const file = await newFile();
    const [commit, elsewhere] = [opened(file), opened(file)];
    commit(record(new RecordMaker().interim(60, 100)));
    expect(uploadOf(commit)).toBe(100);
    elsewhere(record(new RecordMaker({ nasKey: "nas-2" }).interim(60, 1_000)));
    expect(uploadOf(commit)).toBe(1_100);
  });

  it("do not count what was undone", async () => {
    const commit = opened(await newFile());
    const alice = new RecordMaker();
    expect(uploadOf(commit)).toBe(0);
    commit(record(alice.interim(60, 100), { ...alice.interim(120, 200), username: {} as string }));
    expect(uploadOf(commit)).toBe(0);
  });

  it("stay when acct sessions are forgotten", async () => {
    const commit = opened(await newFile());
    commit(record(new RecordMaker().stop(60, 100)));
    expect(uploadOf(commit)).toBe(100);
    commit({ concern: "acctSessions", method: "prune", values: [Date.now() * 2, 10] });
    expect(uploadOf(commit)).toBe(100);
  });

  it("are as the rows say where two routers report beyond 2^53", async () => {
    const file = await newFile();
    const commit = opened(file);
    expect(uploadOf(commit)).toBe(0);
    // Beyond 2^53 one octet more is no other number: to add five times one is not to add five.
    for (let more = 0; more < 5; more += 1) {
      const lie = { octets: 0xfffffff0 + more, gigawords: 2 ** 21 - 1 };
      const [here, there] = ["nas-1", "nas-2"].map((nasKey) =>
        new RecordMaker({ nasKey }).interim(60 + more, 0, { input: lie }),
      );
      commit(record(here as AccountingRecord, there as AccountingRecord));
      uploadOf(commit);
    }
    expect(uploadOf(commit)).toBe(uploadOf(opened(file)));
  });
});
