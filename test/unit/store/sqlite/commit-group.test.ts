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

async function opened(): Promise<{ database: Database; commit: (...calls: Call[]) => unknown[] }> {
  const file = join(await temporaryFolder(), "hub.db");
  const database = Database.open({ file, synchronous: "normal", busyTimeoutMs: 50, checkBytesMax: 0 }, 1);
  onTestFinished(() => database.close());
  const tables = openTables(database, DEFAULT_PERIOD_RULES, 10);
  return { database, commit: (...calls) => commitGroup(database, tables, calls) };
}

function records(acctSessionId: string, count = 1): AccountingRecord[] {
  return Array.from({ length: count }, (_, index) => {
    const maker = new RecordMaker({ acctSessionId: `${acctSessionId}-${index}`, username: "alice".repeat(40) });
    return maker.interim(60, 100);
  });
}

function recorded(batch: readonly AccountingRecord[]): Call {
  return { concern: "acctSessions", method: "record", values: [packRecords(batch), "brief"] };
}

function record(acctSessionId: string, count = 1): Call {
  return recorded(records(acctSessionId, count));
}

/** A name that SQLite does not take, in the second of two records. */
function mistaken(): Call {
  const [first, second] = records("c", 2) as [AccountingRecord, AccountingRecord];
  return recorded([first, { ...second, username: {} as string }]);
}

const created = { value: { values: expect.arrayContaining(["created"]) as unknown } };
const countOpen: Call = { concern: "acctSessions", method: "countOpen", values: [] };

describe("commitGroup()", () => {
  it("carries calls out in order, each seeing those before it", async () => {
    const { commit } = await opened();
    expect(commit(countOpen, record("a"), countOpen, record("b"), countOpen)).toMatchObject([
      { value: 0 },
      created,
      { value: 1 },
      created,
      { value: 2 },
    ]);
  });

  it("a mistake in one call undoes that call alone", async () => {
    const { commit } = await opened();
    expect(commit(record("a"), mistaken(), record("d"), countOpen)).toMatchObject([
      created,
      { mistake: expect.any(String) as string },
      created,
      { value: 2 },
    ]);
  });

  it("a mistake in a call that came alone undoes it whole, and what was remembered of it", async () => {
    const { database, commit } = await opened();
    expect(commit(mistaken())).toEqual([{ mistake: expect.any(String) as string }]);
    expect(database.inTransaction).toBe(false);
    expect(commit(record("c"), countOpen)).toMatchObject([created, { value: 1 }]);
  });

  it("UL-10 on a full disk nothing of the group is stored, and the fault says so", async () => {
    const { database, commit } = await opened();
    commit(record("a"));
    const pages = Number(database.row("PRAGMA page_count")?.["page_count"]);
    database.exec(`PRAGMA max_page_count = ${pages + 4}`);
    const full = expect.objectContaining({ code: "ERR_STORE", details: { reason: "full" } }) as Error;
    expect(() => commit(record("b"), record("c", 200))).toThrow(full);
    expect(database.inTransaction).toBe(false);
    expect(commit(countOpen)).toEqual([{ value: 1 }]);
    database.exec("PRAGMA max_page_count = 100000");
    expect(commit(record("b"), countOpen)).toMatchObject([{}, { value: 2 }]);
  });

  it("gives pages back to the file system after a prune", async () => {
    const { database, commit } = await opened();
    commit(record("a", 1_000));
    const pages = (): number => Number(database.row("PRAGMA page_count")?.["page_count"]);
    const before = pages();
    database.run("UPDATE acct_session SET open = 0, closed_at_ms = 1");
    commit({ concern: "acctSessions", method: "prune", values: [2, 1_000] });
    expect(pages()).toBeLessThan(before);
  });
});

describe("acct sessions of the embedded store", () => {
  const fields = [
    { username: "a" },
    { acctSessionId: "a" },
    { callingStationId: "a" },
    { framedIp: "a" },
    { nasKey: "a" },
    { nasIdentifier: "a" },
  ];

  it.each([...fields, ...fields.map((field) => ({ ...field, open: true })), { open: true }])(
    "find(%j) reads an index and does not scan",
    async (query) => {
      const { database } = await opened();
      const { acctSessionQuery } = await import("../../../../src/store/sqlite/acct-session-query.ts");
      const { sql, values } = acctSessionQuery(query, { limit: 10 });
      const plan = database.rows(`EXPLAIN QUERY PLAN ${sql}`, ...values).map(({ detail }) => String(detail));
      expect(plan[0]).toMatch(/^SEARCH acct_session USING (COVERING )?INDEX acct_session_/);
    },
  );

  it.each([{}, { nasIdentifier: "a" }, { nasAddress: "a" }, { username: "a", open: true }])(
    "find() of an Acct-Multi-Session-Id begins with its index, whatever else is asked: %j",
    async (also) => {
      const { database } = await opened();
      const { acctSessionQuery } = await import("../../../../src/store/sqlite/acct-session-query.ts");
      const { sql, values } = acctSessionQuery({ multiSessionId: "a", ...also }, { limit: 10 });
      const plan = database.rows(`EXPLAIN QUERY PLAN ${sql}`, ...values).map(({ detail }) => String(detail));
      expect(plan[0]).toMatch(/rowid=\?/);
      expect(plan).toContain("SEARCH acct_session USING COVERING INDEX acct_session_multi_session (<expr>=?)");
    },
  );

  it("sums usage by its key alone", async () => {
    const { database } = await opened();
    const sql =
      "SELECT total(upload_octets) FROM usage WHERE username = ? AND period_key IN (SELECT value FROM json_each(?))";
    const plan = database.rows(`EXPLAIN QUERY PLAN ${sql}`, "a", "[]").map(({ detail }) => String(detail));
    expect(plan[0]).toBe("SEARCH usage USING PRIMARY KEY (username=? AND period_key=?)");
  });
});
