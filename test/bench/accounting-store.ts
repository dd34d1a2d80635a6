/** node test/bench/accounting-store.ts [--sessions 1000000] [--folder DIR]: what the embedded store costs. Records a second that
 *  are on disk (synchronous FULL) before the caller knows, beside bare batched upserts into the same schema on the same disk
 *  in the same run; and how long it takes to find the acct sessions of a user among many. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { systemClock } from "../../src/clock.ts";
import type { AccountingRecord } from "../../src/store/accounting-record.ts";
import { Database } from "../../src/store/sqlite/database.ts";
import { SqliteStore } from "../../src/store/sqlite/sqlite-store.ts";

const { values } = parseArgs({
  options: {
    sessions: { type: "string", default: "1000000" },
    folder: { type: "string", default: tmpdir() },
    seconds: { type: "string", default: "1" },
  },
});
const SESSIONS = Number(values.sessions);
const SECONDS = Number(values.seconds);
/** Store and bare upserts take turns this often; what is shown is the median. */
const ROUNDS = 3;
/** Acct sessions that are on while records are counted: each record is an Interim of one of them. */
const ACTIVE = 8_192;
const PERIODS = ["total", "day/2026-11-22", "month/2026-11-01"];
const NOON_MS = Date.UTC(2026, 10, 22, 12);

/** How records are handed over: `calls` record() calls of `batch` records each are under way at a time. */
const SHAPES = [
  { batch: 1, calls: 1 },
  { batch: 32, calls: 1 },
  { batch: 128, calls: 1 },
  { batch: 512, calls: 1 },
  { batch: 32, calls: 4 },
  { batch: 1, calls: 128 },
] as const;

function interim(acctSession: number, seconds: number): AccountingRecord {
  const nas = `nas-${acctSession % 100}`;
  const octet = (shift: number): number => (acctSession >> shift) & 255;
  return {
    kind: "interim",
    nasKey: nas,
    acctSessionId: String(acctSession).padStart(8, "0"),
    arrivedAtMs: NOON_MS + seconds * 1_000,
    eventAtMs: NOON_MS + seconds * 1_000,
    sessionSeconds: seconds,
    input: { octets: seconds * 1_000, gigawords: 0 },
    output: { octets: seconds * 9_000, gigawords: 0 },
    username: `user-${acctSession % 2_000}@example.org`,
    staleAfterMs: 900_000,
    facts: {
      callingStationId: `AA-BB-CC-${octet(16)}-${octet(8)}-${octet(0)}`,
      calledStationId: "00-11-22-33-44-55:Guest",
      framedIp: `10.${octet(16)}.${octet(8)}.${octet(0)}`,
      nasIdentifier: nas,
      nasPortId: "wlan1",
      linkId: `n1-${acctSession % 100}`,
      peerKey: `san:dns:${nas}.example.org`,
      client: "routers",
    },
  };
}

/** Records of all active acct sessions in turn, for ever; they move on by a minute each round. */
function* interims(): Generator<AccountingRecord, never> {
  for (let seconds = 60; ; seconds += 60) {
    for (let acctSession = 0; acctSession < ACTIVE; acctSession += 1) yield interim(acctSession, seconds);
  }
}

interface Rate {
  readonly perSecond: number;
  /** Milliseconds from the call to the answer. */
  readonly p50: number;
  readonly p99: number;
  /** Microseconds of all threads of this process a record. */
  readonly cpu: number;
}

async function measured(
  shape: { batch: number; calls: number },
  source: Generator<AccountingRecord, never>,
  store: (batch: AccountingRecord[]) => unknown,
): Promise<Rate> {
  const take = (count: number): AccountingRecord[] => Array.from({ length: count }, () => source.next().value);
  for (let done = 0; done < ACTIVE; done += 512) await store(take(512)); // each acct session is there
  const tookMs: number[] = [];
  const cpuBefore = process.cpuUsage();
  const beganAt = performance.now();
  const endsAt = beganAt + SECONDS * 1_000;
  const caller = async (): Promise<void> => {
    while (performance.now() < endsAt) {
      const batch = take(shape.batch);
      const sentAt = performance.now();
      await store(batch);
      tookMs.push(performance.now() - sentAt);
    }
  };
  await Promise.all(Array.from({ length: shape.calls }, caller));
  const { user, system } = process.cpuUsage(cpuBefore);
  const records = tookMs.length * shape.batch;
  const seconds = (performance.now() - beganAt) / 1_000;
  return {
    perSecond: records / seconds,
    p50: quantile(tookMs, 0.5),
    p99: quantile(tookMs, 0.99),
    cpu: (user + system) / records,
  };
}

function quantile(unsorted: readonly number[], share: number): number {
  const sorted = unsorted.toSorted((left, right) => left - right);
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? NaN;
}

const UPSERT = `INSERT INTO acct_session (base, generation, nas_key, acct_session_id, username, usernames, open,
  started_at_ms, counted_at_ms, heard_at_ms, stale_after_ms, check_at_ms, session_seconds, upload_octets, download_octets,
  gigawords_seen, start_seen, calling_station, framed_ip, nas_identifier, facts)
  VALUES (?, 0, ?, ?, ?, 1, 1, ?, ?, ?, ?, ?, ?, ?, ?, 1, 0, ?, ?, ?, ?)
  ON CONFLICT DO UPDATE SET counted_at_ms = excluded.counted_at_ms, heard_at_ms = excluded.heard_at_ms,
    session_seconds = excluded.session_seconds, upload_octets = excluded.upload_octets,
    download_octets = excluded.download_octets RETURNING session_row`;
const UPSERT_USAGE = `INSERT INTO usage VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT DO UPDATE SET
  upload_octets = upload_octets + excluded.upload_octets, download_octets = download_octets + excluded.download_octets,
  seconds = seconds + excluded.seconds`;

/** What a program without rules, threads and retransmissions would do. */
function bareUpserts(database: Database): (batch: AccountingRecord[]) => void {
  return (batch) => {
    database.exec("BEGIN IMMEDIATE");
    for (const { nasKey, acctSessionId, username, arrivedAtMs: at, sessionSeconds, input, output, facts } of batch) {
      const row = database.row(
        UPSERT,
        `${nasKey}/${acctSessionId}`,
        nasKey,
        acctSessionId,
        username,
        at,
        at,
        at,
        900_000,
        at,
        sessionSeconds,
        input?.octets,
        output?.octets,
        facts.callingStationId,
        facts.framedIp,
        facts.nasIdentifier,
        JSON.stringify(facts),
      );
      for (const period of PERIODS)
        database.run(UPSERT_USAGE, username, period, row?.["session_row"], 60_000, 540_000, 60);
    }
    database.exec("COMMIT");
  };
}

/** Half a million acct sessions a second would not do: SQLite makes them itself. */
function fill(database: Database, sessions: number): void {
  database.exec(`BEGIN IMMEDIATE;
    INSERT INTO acct_session (base, generation, nas_key, acct_session_id, username, usernames, open, close_cause, closed_at_ms,
      started_at_ms, counted_at_ms, heard_at_ms, stale_after_ms, check_at_ms, session_seconds, upload_octets, download_octets,
      gigawords_seen, start_seen, calling_station, framed_ip, nas_identifier, facts)
    WITH RECURSIVE number (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM number WHERE n < ${sessions})
    SELECT 'nas-' || (n % 1000) || '/' || n, 0, 'nas-' || (n % 1000), n, 'user-' || (n % 50000), 1, n % 10 = 0,
      iif(n % 10 = 0, NULL, 'stop'), iif(n % 10 = 0, NULL, n), n, n, n, 900000, n, 60, n, n, 0, 1,
      printf('AA-BB-CC-%02X-%02X-%02X', n >> 16 & 255, n >> 8 & 255, n & 255),
      printf('10.%d.%d.%d', n >> 16 & 255, n >> 8 & 255, n & 255), 'nas-' || (n % 1000), '{"nasPortId":"wlan1"}' FROM number;
    INSERT INTO usage SELECT username, 'total', session_row, upload_octets, download_octets, 60 FROM acct_session;
    COMMIT;`);
}

async function lookUps(store: SqliteStore): Promise<readonly (readonly [string, number, number])[]> {
  const page = { limit: 50 };
  const user = (): string => `user-${Math.floor(Math.random() * 50_000)}`;
  const number = (): number => Math.floor(Math.random() * SESSIONS);
  const questions: readonly (readonly [string, () => Promise<unknown>])[] = [
    ["open ones of a user", () => store.acctSessions.find({ username: user(), open: true }, page)],
    ["all of a user", () => store.acctSessions.find({ username: user() }, page)],
    ["by Acct-Session-Id", () => store.acctSessions.find({ acctSessionId: String(number()) }, page)],
    ["open ones of a NAS", () => store.acctSessions.find({ nasKey: `nas-${number() % 1_000}`, open: true }, page)],
    ["usage of a user in all", () => store.usage.totals([{ username: user(), periodKeys: ["total"] }])],
  ];
  const rows: (readonly [string, number, number])[] = [];
  for (const [name, ask] of questions) {
    const tookMs: number[] = [];
    for (let asked = 0; asked < 2_000; asked += 1) {
      const sentAt = performance.now();
      await ask();
      tookMs.push(performance.now() - sentAt);
    }
    rows.push([name, quantile(tookMs, 0.5), quantile(tookMs, 0.99)]);
  }
  return rows;
}

async function opened(file: string): Promise<SqliteStore> {
  const store = new SqliteStore({ clock: systemClock }, { file });
  store.start();
  await store.ready(60_000);
  return store;
}

function databaseAt(file: string): Database {
  return Database.open({ file, synchronous: "full", busyTimeoutMs: 5_000, checkBytesMax: 0 }, Date.now());
}

const folder = mkdtempSync(join(values.folder, "accounting-store-"));
try {
  console.log("batch x calls    store/s  p50 ms  p99 ms  cpu us     bare/s  p50 ms  p99 ms  cpu us   ratio");
  for (const [index, shape] of SHAPES.entries()) {
    const store = await opened(join(folder, `store-${index}.db`));
    const database = databaseAt(join(folder, `bare-${index}.db`));
    const rounds: { ours: Rate; bare: Rate }[] = [];
    const [ours, bare] = [interims(), interims()];
    for (let round = 0; round < ROUNDS; round += 1) {
      rounds.push({
        ours: await measured(shape, ours, (batch) => store.acctSessions.record(batch)),
        bare: await measured({ batch: shape.batch * shape.calls, calls: 1 }, bare, bareUpserts(database)),
      });
    }
    await store.stop();
    database.close();
    const cells = (of: (round: (typeof rounds)[number]) => Rate): string => {
      const median = (part: (rate: Rate) => number): number =>
        quantile(
          rounds.map((round) => part(of(round))),
          0.5,
        );
      const { length } = "p50 ms  ";
      return [
        median(({ perSecond }) => perSecond)
          .toFixed(0)
          .padStart(11),
        median(({ p50 }) => p50)
          .toFixed(2)
          .padStart(length),
        median(({ p99 }) => p99)
          .toFixed(2)
          .padStart(length),
        median(({ cpu }) => cpu)
          .toFixed(1)
          .padStart(length),
      ].join("");
    };
    const ratio = quantile(
      rounds.map((round) => round.ours.perSecond / round.bare.perSecond),
      0.5,
    );
    const name = `${shape.batch} x ${shape.calls}`.padEnd(13);
    console.log(
      `${name}${cells(({ ours: rate }) => rate)}${cells(({ bare: rate }) => rate)}${ratio.toFixed(2).padStart(8)}`,
    );
  }
  const file = join(folder, "many.db");
  const database = databaseAt(file);
  fill(database, SESSIONS);
  database.close();
  const store = await opened(file);
  console.log(`\namong ${SESSIONS} acct sessions          p50 ms  p99 ms`);
  for (const [name, p50, p99] of await lookUps(store)) {
    console.log(`${name.padEnd(32)}${p50.toFixed(3).padStart(10)}${p99.toFixed(3).padStart(8)}`);
  }
  await store.stop();
} finally {
  rmSync(folder, { recursive: true, force: true });
}
