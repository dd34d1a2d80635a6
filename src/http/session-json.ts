import type { AcctSession } from "../store/acct-session.ts";

export type Cell = string | number | boolean | null;

/** An acct session as the API shows it: flat, so that JSON, NDJSON and CSV have the same members in the same order. */
const COLUMNS: readonly (readonly [name: string, read: (each: AcctSession) => Cell | undefined])[] = [
  ["key", (each) => each.key],
  ["session_id", (each) => each.acctSessionId],
  ["generation", (each) => each.generation],
  ["username", (each) => each.username],
  ["open", (each) => each.open],
  ["close_cause", (each) => each.closeCause],
  ["terminate_cause", (each) => each.terminateCause],
  ["started_at", (each) => time(each.startedAtMs)],
  ["closed_at", (each) => time(each.closedAtMs)],
  ["counted_at", (each) => time(each.countedAtMs)],
  ["heard_at", (each) => time(each.heardAtMs)],
  ["session_seconds", (each) => each.sessionSeconds],
  ["upload_octets", (each) => each.uploadOctets],
  ["download_octets", (each) => each.downloadOctets],
  ["calling_station_id", (each) => each.facts.callingStationId],
  ["called_station_id", (each) => each.facts.calledStationId],
  ["framed_ip", (each) => each.facts.framedIp],
  ["framed_ipv6_address", (each) => each.facts.framedIpv6Address],
  ["framed_ipv6_prefix", (each) => each.facts.framedIpv6Prefix],
  ["delegated_ipv6_prefix", (each) => each.facts.delegatedIpv6Prefix],
  ["framed_interface_id", (each) => each.facts.framedInterfaceId],
  ["acct_multi_session_id", (each) => each.facts.multiSessionId],
  ["chargeable_user_identity", (each) => each.facts.chargeableUserIdentity],
  ["class", (each) => each.facts.class],
  ["operator_name", (each) => each.facts.operatorName],
  ["operator_nas_identifier", (each) => each.facts.operatorNasIdentifier],
  ["nas_key", (each) => each.nasKey],
  ["nas_identifier", (each) => each.facts.nasIdentifier],
  ["nas_ip_address", (each) => each.facts.nasAddress],
  ["nas_port", (each) => each.facts.nasPort],
  ["nas_port_id", (each) => each.facts.nasPortId],
  ["link_id", (each) => each.facts.linkId],
  ["peer_key", (each) => each.facts.peerKey],
  ["client", (each) => each.facts.client],
  ["listener", (each) => each.facts.listener],
  ["address", (each) => each.facts.address],
];

export const SESSION_COLUMNS: readonly string[] = COLUMNS.map(([name]) => name);

/** Always all members, null where there is nothing to say. */
export function sessionJson(acctSession: AcctSession): Readonly<Record<string, Cell>> {
  return Object.fromEntries(COLUMNS.map(([name, read]) => [name, read(acctSession) ?? null]));
}

function time(ms: number | undefined): string | undefined {
  return ms === undefined ? undefined : new Date(ms).toISOString();
}
