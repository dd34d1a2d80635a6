/** node test/bench/accounting-store.ts [--sessions 1000000] [--folder DIR]: what the embedded store costs. Records a second that
 *  are on disk (synchronous FULL) before the caller knows, beside bare batched upserts into the same schema on the same disk
 *  in the same run; and how long it takes to find the acct sessions of a user among many. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { systemClock } from "../../src/clock.ts";
import type { AccountingRecord } from "../../src/store/accounting-record.ts";
import { SqliteStore } from "../../src/store/sqlite/sqlite-store.ts";
import { bareUpserts, openBare } from "./accounting-bare.ts";
import { interimRecords } from "./accounting-interims.ts";
import { measureLookUps } from "./accounting-look-ups.ts";

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
const NASES = 100;
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

async function opened(file: string): Promise<SqliteStore> {
  const store = new SqliteStore({ clock: systemClock }, { file });
  store.start();
  await store.ready(60_000);
  return store;
}

const folder = mkdtempSync(join(values.folder, "accounting-store-"));
try {
  console.log("batch x calls    store/s  p50 ms  p99 ms  cpu us     bare/s  p50 ms  p99 ms  cpu us   ratio");
  for (const [index, shape] of SHAPES.entries()) {
    const store = await opened(join(folder, `store-${index}.db`));
    const database = openBare(join(folder, `bare-${index}.db`));
    const rounds: { ours: Rate; bare: Rate }[] = [];
    const [ours, bare] = [interimRecords(ACTIVE, NASES, NOON_MS), interimRecords(ACTIVE, NASES, NOON_MS)];
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
  console.log(`\namong ${SESSIONS} acct sessions          p50 ms  p99 ms`);
  for (const { what, p50Ms, p99Ms } of await measureLookUps(folder, SESSIONS)) {
    console.log(`${what.padEnd(32)}${p50Ms.toFixed(3).padStart(10)}${p99Ms.toFixed(3).padStart(8)}`);
  }
} finally {
  rmSync(folder, { recursive: true, force: true });
}
