import { hash } from "node:crypto";
import type { AcctSession } from "../../store/acct-session.ts";
import type { CompatDeps } from "./deps.ts";
import { type Told, toldOf } from "./told.ts";

const TERMINATE_CAUSE = 49;

/** An acct session as GET accounting/ of django-freeradius shows it. */
export function djangoItem(acctSession: AcctSession, dictionary: CompatDeps["dictionary"]) {
  return { id: numberOf(acctSession.key), ...commonFields(acctSession, dictionary) };
}

/** As djangoItem(), of openwisp-radius: there unique_id is the key, and each belongs to an organization. */
export function openwispItem(acctSession: AcctSession, dictionary: CompatDeps["dictionary"]) {
  const { closedAtMs, facts } = acctSession;
  return {
    ...commonFields(acctSession, dictionary),
    organization: toldOf(facts.told)?.organization ?? null,
    start_time_display: display(startMsOf(acctSession)),
    stop_time_display: closedAtMs === undefined ? null : display(closedAtMs),
  };
}

/** As the API told it, else as the accounting knows it. */
export function startMsOf({ facts, startedAtMs }: AcctSession): number {
  return toldOf(facts.told)?.startMs ?? startedAtMs;
}

function commonFields(acctSession: AcctSession, dictionary: CompatDeps["dictionary"]) {
  const { facts, closedAtMs, heardAtMs } = acctSession;
  const told: Partial<Told> = toldOf(facts.told) ?? {};
  const text = (name: string, value: string | undefined) => value ?? (told.blank?.includes(name) === true ? "" : null);
  return {
    session_id: acctSession.acctSessionId,
    unique_id: told.unique_id ?? null,
    username: text("username", acctSession.username),
    groupname: text("groupname", told.groupname),
    realm: text("realm", told.realm),
    nas_ip_address: facts.nasAddress ?? null,
    nas_port_id: text("nas_port_id", facts.nasPortId),
    nas_port_type: text("nas_port_type", told.nas_port_type),
    start_time: time(startMsOf(acctSession)),
    update_time: told.updated === true ? time(heardAtMs) : null,
    stop_time: closedAtMs === undefined ? null : time(closedAtMs),
    interval: told.interval ?? null,
    session_time: acctSession.sessionSeconds ?? 0,
    authentication: text("authentication", told.authentication),
    connection_info_start: text("connection_info_start", told.connection_info_start),
    connection_info_stop: text("connection_info_stop", told.connection_info_stop),
    input_octets: acctSession.uploadOctets,
    output_octets: acctSession.downloadOctets,
    called_station_id: text("called_station_id", facts.calledStationId),
    calling_station_id: text("calling_station_id", facts.callingStationId),
    terminate_cause: text("terminate_cause", terminateCause(acctSession, told, dictionary)),
    service_type: text("service_type", told.service_type),
    framed_protocol: text("framed_protocol", told.framed_protocol),
    framed_ip_address: facts.framedIp ?? null,
    framed_ipv6_address: facts.framedIpv6Address ?? null,
    framed_ipv6_prefix: facts.framedIpv6Prefix ?? null,
    framed_interface_id: facts.framedInterfaceId?.replaceAll(/(?!^)(?=(?:.{4})+$)/g, ":") ?? null,
    delegated_ipv6_prefix: facts.delegatedIpv6Prefix ?? null,
  };
}

function terminateCause(
  { closeCause, terminateCause: number }: AcctSession,
  told: Partial<Told>,
  dictionary: CompatDeps["dictionary"],
): string | undefined {
  if (closeCause === "nas-on") return "NAS-Reboot";
  if (told.terminate_cause !== undefined || number === undefined) return told.terminate_cause;
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
