import { z } from "zod";
import { ATTRIBUTE, type Attribute, integerAttribute, textAttribute } from "../../radius/attribute.ts";
import { HubError } from "../../errors.ts";
import type { CompatDeps } from "./deps.ts";
import {
  addressField,
  charField,
  choiceField,
  dateTimeField,
  filledField,
  integerField,
  optional,
  prefixField,
} from "./fields.ts";

/** Acct-Status-Type (RFC 2866 Section 5.1) of those that are stored. */
const STATUS_NUMBERS = { Start: 1, "Interim-Update": 3, Stop: 2 } as const;
const STATUS_TYPES = ["Start", "Interim-Update", "Stop", "Accounting-On", "Accounting-Off"] as const;
export const statusTypeField: ReturnType<typeof choiceField<typeof STATUS_TYPES>> = choiceField(STATUS_TYPES);

const ACCT = {
  inputOctets: 42,
  outputOctets: 43,
  authentic: 45,
  sessionTime: 46,
  inputGigawords: 52,
  outputGigawords: 53,
};
const GIGAWORD = 2 ** 32;
const STATION_MAX = 253;

/** What both APIs take for one acct session; what else is sent is passed over. What is "" says nothing: rlm_rest writes that for an
 *  attribute that is not there. */
export const accountingFields = z.object({
  status_type: statusTypeField,
  session_id: filledField(64),
  unique_id: filledField(32),
  username: optional(charField(64)),
  groupname: optional(charField(64)),
  realm: optional(charField(64)),
  nas_ip_address: addressField(),
  /** Not of the original: which NAS it is, where many have the same address behind NAT. */
  nas_identifier: optional(charField(STATION_MAX)),
  nas_port_id: optional(charField(15)),
  nas_port_type: optional(charField(32)),
  start_time: optional(dateTimeField),
  update_time: optional(dateTimeField),
  stop_time: optional(dateTimeField),
  interval: optional(integerField(2 ** 31)),
  session_time: optional(integerField(2 ** 32 - 1)),
  authentication: optional(charField(32)),
  connection_info_start: optional(charField(50)),
  connection_info_stop: optional(charField(50)),
  input_octets: optional(integerField(Number.MAX_SAFE_INTEGER)),
  output_octets: optional(integerField(Number.MAX_SAFE_INTEGER)),
  /** Not of the original: without them what passes 4 GiB is known from wraps alone. */
  input_gigawords: optional(integerField(2 ** 21 - 1)),
  output_gigawords: optional(integerField(2 ** 21 - 1)),
  called_station_id: optional(charField(STATION_MAX)),
  calling_station_id: optional(charField(STATION_MAX)),
  terminate_cause: optional(charField(32)),
  service_type: optional(charField(32)),
  framed_protocol: optional(charField(32)),
  framed_ip_address: optional(addressField()),
  framed_ipv6_address: optional(addressField("IPv6")),
  framed_ipv6_prefix: optional(prefixField(44)),
  framed_interface_id: optional(charField(19)),
  delegated_ipv6_prefix: optional(prefixField(44)),
});
export type AccountingFields = z.output<typeof accountingFields>;

/** The Accounting-Request that the NAS has sent, as far as the API tells of it. NAS-IP-Address and NAS-Identifier are added by
 *  whoever sends it. */
export function accountingAttributes(
  fields: AccountingFields,
  status: keyof typeof STATUS_NUMBERS,
  dictionary: CompatDeps["dictionary"],
): Attribute[] {
  const text = (type: number, value: string | undefined) => (value === undefined ? [] : [textAttribute(type, value)]);
  const named = (name: string, value: string | number | undefined) => encoded(dictionary, name, value);
  const { nas_port_id: port, start_time: startMs } = fields;
  return [
    integerAttribute(ATTRIBUTE.acctStatusType, STATUS_NUMBERS[status]),
    textAttribute(ATTRIBUTE.acctSessionId, fields.session_id),
    ...text(ATTRIBUTE.userName, fields.username),
    ...text(ATTRIBUTE.nasPortId, port),
    ...(port !== undefined && /^\d{1,9}$/.test(port) ? [integerAttribute(ATTRIBUTE.nasPort, Number(port))] : []),
    ...text(ATTRIBUTE.calledStationId, fields.called_station_id),
    ...text(ATTRIBUTE.callingStationId, fields.calling_station_id),
    ...seconds(ACCT.sessionTime, fields.session_time),
    ...octets(fields.input_octets, fields.input_gigawords, [ACCT.inputOctets, ACCT.inputGigawords]),
    ...octets(fields.output_octets, fields.output_gigawords, [ACCT.outputOctets, ACCT.outputGigawords]),
    ...named("NAS-Port-Type", fields.nas_port_type),
    ...named("Acct-Authentic", fields.authentication),
    ...named("Service-Type", fields.service_type),
    ...named("Framed-Protocol", fields.framed_protocol),
    ...named("Acct-Terminate-Cause", fields.terminate_cause?.replaceAll("_", "-")),
    ...named(
      fields.framed_ip_address?.includes(":") ? "Framed-IPv6-Address" : "Framed-IP-Address",
      fields.framed_ip_address,
    ),
    ...named("Framed-IPv6-Address", fields.framed_ipv6_address),
    ...named("Framed-IPv6-Prefix", fields.framed_ipv6_prefix),
    ...named("Framed-Interface-Id", fields.framed_interface_id),
    ...named("Delegated-IPv6-Prefix", fields.delegated_ipv6_prefix),
    ...(status === "Start" && startMs !== undefined
      ? seconds(ATTRIBUTE.eventTimestamp, Math.floor(startMs / 1_000))
      : []),
  ];
}

/** A word that the dictionary does not know is kept as it was told and goes into no attribute. */
function encoded(dictionary: CompatDeps["dictionary"], name: string, value: string | number | undefined): Attribute[] {
  if (value === undefined) return [];
  try {
    return dictionary.encode(name, value);
  } catch (error) {
    if (error instanceof HubError) return [];
    throw error;
  }
}

function seconds(type: number, value: number | undefined): Attribute[] {
  return value === undefined ? [] : [integerAttribute(type, value)];
}

function octets(
  total: number | undefined,
  gigawords: number | undefined,
  [low, high]: readonly [number, number],
): Attribute[] {
  if (total === undefined) return [];
  const above = gigawords ?? (total >= GIGAWORD ? Math.floor(total / GIGAWORD) : undefined);
  return [integerAttribute(low, total % GIGAWORD), ...(above === undefined ? [] : [integerAttribute(high, above)])];
}
