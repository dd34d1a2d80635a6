import { join } from "node:path";
import { systemClock } from "../../src/clock.ts";
import type { Database } from "../../src/store/sqlite/database.ts";
import { SqliteStore } from "../../src/store/sqlite/sqlite-store.ts";
import { openBare } from "./accounting-bare.ts";
import { Durations } from "./gauge.ts";

/** How long one kind of question took, from the call to the answer. */
export interface LookUp {
  readonly what: string;
  readonly p50Ms: number;
  readonly p99Ms: number;
}

const USERS = 50_000;
const NASES = 1_000;
const ASKED = 2_000;
const PAGE = { limit: 50 };

/** Finds acct sessions among so many: a tenth of them open, 20 a user in a million. */
export async function measureLookUps(folder: string, acctSessions: number): Promise<readonly LookUp[]> {
  const file = join(folder, "many.db");
  const database = openBare(file);
  fill(database, acctSessions);
  database.close();
  const store = new SqliteStore({ clock: systemClock }, { file });
  store.start();
  await store.ready(60_000);
  const lookUps: LookUp[] = [];
  for (const [what, ask] of questions(store, acctSessions)) {
    const durations = new Durations();
    for (let asked = 0; asked < ASKED; asked += 1) {
      const began = performance.now();
      await ask();
      durations.add(performance.now() - began);
    }
    lookUps.push({ what, ...durations.percentiles() });
  }
  await store.stop();
  return lookUps;
}

function questions(store: SqliteStore, acctSessions: number): readonly (readonly [string, () => Promise<unknown>])[] {
  const user = (): string => `user-${Math.floor(Math.random() * USERS)}`;
  const number = (): number => Math.floor(Math.random() * acctSessions);
  return [
    ["open ones of a user", () => store.acctSessions.find({ username: user(), open: true }, PAGE)],
    ["all of a user", () => store.acctSessions.find({ username: user() }, PAGE)],
    ["by Acct-Session-Id", () => store.acctSessions.find({ acctSessionId: String(number()) }, PAGE)],
    ["open ones of a NAS", () => store.acctSessions.find({ nasKey: `nas-${number() % NASES}`, open: true }, PAGE)],
    ["usage of a user in all", () => store.usage.totals([{ username: user(), periodKeys: ["total"] }])],
  ];
}

/** Record by record it would take minutes: SQLite makes them itself. */
function fill(database: Database, acctSessions: number): void {
  database.exec(`BEGIN IMMEDIATE;
    INSERT INTO acct_session (base, generation, nas_key, acct_session_id, username, usernames, open, close_cause, closed_at_ms,
      started_at_ms, counted_at_ms, heard_at_ms, stale_after_ms, check_at_ms, session_seconds, upload_octets, download_octets,
      gigawords_seen, start_seen, calling_station, framed_ip, nas_identifier, facts)
    WITH RECURSIVE number (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM number WHERE n < ${acctSessions})
    SELECT 'nas-' || (n % ${NASES}) || '/' || n, 0, 'nas-' || (n % ${NASES}), n, 'user-' || (n * 31 % ${USERS}), 1, n % 10 = 0,
      iif(n % 10 = 0, NULL, 'stop'), iif(n % 10 = 0, NULL, n), n, n, n, 900000, n, 60, n, n, 0, 1,
      printf('AA-BB-CC-%02X-%02X-%02X', n >> 16 & 255, n >> 8 & 255, n & 255),
      printf('10.%d.%d.%d', n >> 16 & 255, n >> 8 & 255, n & 255), 'nas-' || (n % ${NASES}), '{"nasPortId":"wlan1"}' FROM number;
    INSERT INTO usage SELECT username, 'total', session_row, upload_octets, download_octets, 60 FROM acct_session;
    COMMIT;`);
}
