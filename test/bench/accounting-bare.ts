import type { AccountingRecord } from "../../src/store/accounting-record.ts";
import { Database } from "../../src/store/sqlite/database.ts";

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
/** What a hub without quota rules counts too. */
const PERIODS = ["total", "day/2026-11-22", "month/2026-11-01"];

export function openBare(file: string): Database {
  return Database.open({ file, synchronous: "full", busyTimeoutMs: 5_000, checkBytesMax: 0 }, Date.now());
}

/** What a program without rules, threads and retransmissions would do: each record upserts its acct session and its usage, and
 *  each batch is one commit. */
export function bareUpserts(database: Database): (batch: readonly AccountingRecord[]) => void {
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
