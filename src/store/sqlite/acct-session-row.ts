import type { AcctSessionFacts } from "../accounting-record.ts";
import { acctSessionKey } from "../acct-session-key.ts";
import type { AcctSession, CloseCause } from "../acct-session.ts";
import { callingStationKey } from "../calling-station.ts";
import type { Row } from "./database.ts";

export function acctSessionOf(row: Row): AcctSession {
  const nasKey = row["nas_key"] as string;
  const acctSessionId = row["acct_session_id"] as string;
  const generation = row["generation"] as number;
  return {
    key: acctSessionKey(nasKey, acctSessionId, generation),
    nasKey,
    acctSessionId,
    generation,
    username: optional<string>(row["username"]),
    open: row["open"] === 1,
    closeCause: optional<CloseCause>(row["close_cause"]),
    closedAtMs: optional<number>(row["closed_at_ms"]),
    terminateCause: optional<number>(row["terminate_cause"]),
    startedAtMs: row["started_at_ms"] as number,
    countedAtMs: row["counted_at_ms"] as number,
    heardAtMs: row["heard_at_ms"] as number,
    staleAfterMs: row["stale_after_ms"] as number,
    sessionSeconds: optional<number>(row["session_seconds"]),
    uploadOctets: row["upload_octets"] as number,
    downloadOctets: row["download_octets"] as number,
    gigawordsSeen: row["gigawords_seen"] === 1,
    startSeen: row["start_seen"] === 1,
    usernames: row["usernames"] as number,
    facts: JSON.parse(row["facts"] as string) as AcctSessionFacts,
  };
}

/** Columns that an index holds or that are derived from the facts: written when they change, not with each interim. */
export function identityValues(acctSession: AcctSession): (string | number | undefined)[] {
  const { username, usernames, facts } = acctSession;
  const calling = facts.callingStationId;
  return [
    username,
    usernames,
    calling === undefined ? undefined : callingStationKey(calling),
    facts.framedIp,
    facts.nasIdentifier,
    JSON.stringify(facts),
  ];
}

export function stateValues(acctSession: AcctSession): (string | number | boolean | undefined)[] {
  return [acctSession.open, acctSession.closeCause, acctSession.closedAtMs, acctSession.terminateCause];
}

/** Counters and marks: what every record changes. */
export function counterValues(acctSession: AcctSession): (number | boolean | undefined)[] {
  return [
    acctSession.startedAtMs,
    acctSession.countedAtMs,
    acctSession.heardAtMs,
    acctSession.staleAfterMs,
    acctSession.sessionSeconds,
    acctSession.uploadOctets,
    acctSession.downloadOctets,
    acctSession.gigawordsSeen,
    acctSession.startSeen,
  ];
}

export function optional<Type extends string | number>(value: string | number | null | undefined): Type | undefined {
  return value === null ? undefined : (value as Type | undefined);
}
