import { ATTRIBUTE, type Attribute, firstValue } from "../radius/attribute.ts";
import type { AcctSession } from "../store/acct-session.ts";
import type { AcctSessionFacts } from "../store/accounting-record.ts";
import { callingStationKey } from "../store/calling-station.ts";
import { addressText, prefixText } from "../store/framed-addresses.ts";
import { octetText } from "../store/octet-text.ts";

interface Comparison {
  readonly type: number;
  /** What a request says; undefined for octets that say nothing. */
  readonly said: (value: Buffer) => string | undefined;
  /** The same of a record; undefined where it does not tell. */
  readonly recorded: (acctSession: AcctSession) => string | undefined;
}

/** The visited network; realms are the same in every case, as trigger-route.ts reads them. */
const OPERATOR = fact(
  ATTRIBUTE.operatorName,
  (value) => octetText(value).toLowerCase(),
  ({ operatorName }) => operatorName?.toLowerCase(),
);

/** What identifies an acct session (RFC 5176 Section 3) and is recorded, and the network that it is in (RFC 8559 Section 3.1). */
const COMPARISONS: readonly Comparison[] = [
  {
    type: ATTRIBUTE.userName,
    said: octetText,
    // Of several names only the latest is known, and the NAS may go by another.
    recorded: ({ username, usernames }) => (usernames > 1 ? undefined : username),
  },
  fact(ATTRIBUTE.callingStationId, station, ({ callingStationId }) => stationKey(callingStationId)),
  fact(ATTRIBUTE.calledStationId, station, ({ calledStationId }) => stationKey(calledStationId)),
  fact(
    ATTRIBUTE.framedIpAddress,
    (value) => addressText(value, 4),
    ({ framedIp }) => framedIp,
  ),
  fact(
    ATTRIBUTE.framedIpv6Address,
    (value) => addressText(value, 16),
    ({ framedIpv6Address }) => framedIpv6Address,
  ),
  fact(ATTRIBUTE.framedIpv6Prefix, prefixText, ({ framedIpv6Prefix }) => framedIpv6Prefix),
  fact(ATTRIBUTE.delegatedIpv6Prefix, prefixText, ({ delegatedIpv6Prefix }) => delegatedIpv6Prefix),
  fact(
    ATTRIBUTE.framedInterfaceId,
    (value) => value.toString("hex"),
    ({ framedInterfaceId }) => framedInterfaceId,
  ),
  fact(ATTRIBUTE.nasPort, port, ({ nasPort }) => nasPort?.toString()),
  fact(ATTRIBUTE.nasPortId, octetText, ({ nasPortId }) => nasPortId),
  fact(ATTRIBUTE.acctMultiSessionId, octetText, ({ multiSessionId }) => multiSessionId),
  fact(ATTRIBUTE.chargeableUserIdentity, octetText, ({ chargeableUserIdentity }) => chargeableUserIdentity),
  OPERATOR,
];

/** Whether a request speaks of another acct session than the one on record: one value at least is another (DP-30). What only one
 *  of the two has says nothing. */
export function contradicts(attributes: readonly Attribute[], acctSession: AcctSession): boolean {
  return COMPARISONS.some((comparison) => differs(comparison, attributes, acctSession));
}

/** Whether a request names another visited network than the record does (DP-30). */
export function isOfAnotherOperator(attributes: readonly Attribute[], acctSession: AcctSession): boolean {
  return differs(OPERATOR, attributes, acctSession);
}

function differs({ type, said, recorded }: Comparison, attributes: readonly Attribute[], of: AcctSession): boolean {
  const value = firstValue(attributes, type);
  const saidNow = value === undefined || value.length === 0 ? undefined : said(value);
  if (saidNow === undefined) return false;
  const known = recorded(of);
  return known !== undefined && known !== saidNow;
}

function fact(type: number, said: Comparison["said"], of: (facts: AcctSessionFacts) => string | undefined): Comparison {
  return { type, said, recorded: ({ facts }) => of(facts) };
}

/** A MAC address is one in every notation. */
function station(value: Buffer): string {
  return callingStationKey(octetText(value));
}

function stationKey(text: string | undefined): string | undefined {
  return text === undefined ? undefined : callingStationKey(text);
}

function port(value: Buffer): string | undefined {
  return value.length === 4 ? String(value.readUInt32BE()) : undefined;
}
