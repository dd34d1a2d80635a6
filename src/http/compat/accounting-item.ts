import { hash } from "node:crypto";
import type { AcctSession } from "../../store/acct-session.ts";
import { type Told, toldOf } from "./accounting-fields.ts";
import type { CompatDeps } from "./deps.ts";

const TERMINATE_CAUSE = 49;

/** An acct session as GET accounting/ of django-freeradius shows it. */
export function djangoItem(acctSession: AcctSession, dictionary: CompatDeps["dictionary"]) {
  return { id: numberOf(acctSession.key), ...commonFields(acctSession, dictionary) };
}

/** As djangoItem(), of openwisp-radius: there unique_id is the key, and each belongs to an organization. */
export function openwispItem(acctSession: AcctSession, dictionary: CompatDeps["dictionary"]) {
  const { startedAtMs, closedAtMs, facts } = acctSession;
  return {
    ...commonFields(acctSession, dictionary),
    organization: toldOf(facts.told)?.organization ?? null,
    start_time_display: display(startedAtMs),
    stop_time_display: closedAtMs === undefined ? null : display(closedAtMs),
  };
}

function commonFields(acctSession: AcctSession, dictionary: CompatDeps["dictionary"]) {
  const { facts, startedAtMs, closedAtMs, heardAtMs } = acctSession;
  const told: Partial<Told> = toldOf(facts.told) ?? {};
  return {
    session_id: acctSession.acctSessionId,
    unique_id: told.unique_id ?? null,
    username: acctSession.username ?? "",
    groupname: told.groupname ?? null,
    realm: told.realm ?? "",
    nas_ip_address: facts.nasAddress ?? null,
    nas_port_id: facts.nasPortId ?? null,
    nas_port_type: told.nas_port_type ?? null,
    start_time: time(startedAtMs),
    update_time: told.updated === true ? time(heardAtMs) : null,
    stop_time: closedAtMs === undefined ? null : time(closedAtMs),
    interval: told.interval ?? null,
    session_time: acctSession.sessionSeconds ?? 0,
    authentication: told.authentication ?? null,
    connection_info_start: told.connection_info_start ?? null,
    connection_info_stop: told.connection_info_stop ?? null,
    input_octets: acctSession.uploadOctets,
    output_octets: acctSession.downloadOctets,
    called_station_id: facts.calledStationId ?? "",
    calling_station_id: facts.callingStationId ?? "",
    terminate_cause: terminateCause(acctSession, told, dictionary),
    service_type: told.service_type ?? null,
    framed_protocol: told.framed_protocol ?? null,
    framed_ip_address: facts.framedIp ?? null,
    framed_ipv6_address: facts.framedIpv6Address ?? null,
    framed_ipv6_prefix: facts.framedIpv6Prefix ?? null,
    framed_interface_id: facts.framedInterfaceId ?? null,
    delegated_ipv6_prefix: facts.delegatedIpv6Prefix ?? null,
  };
}

function terminateCause(
  { open, closeCause, terminateCause: number }: AcctSession,
  told: Partial<Told>,
  dictionary: CompatDeps["dictionary"],
): string | null {
  if (open) return null;
  if (closeCause === "nas-on") return "NAS-Reboot";
  if (told.terminate_cause !== undefined) return told.terminate_cause;
  if (number === undefined) return null;
  const octets = Buffer.alloc(4);
  octets.writeUInt32BE(number);
  return String(dictionary.decode([{ type: TERMINATE_CAUSE, value: octets }])[0]?.value ?? number);
}

function time(atMs: number): string {
  return new Date(atMs).toISOString();
}

/** For people, in UTC: "2026-11-22 10:38:46". */
function display(atMs: number): string {
  return time(atMs).slice(0, 19).replace("T", " ");
}

/** A number that always is the same for an acct session, where the original has a primary key: 48 bits of its key's hash. */
function numberOf(key: string): number {
  return hash("sha256", key, "buffer").readUIntBE(0, 6);
}
