import { ATTRIBUTE, type Attribute, firstInteger, firstValue } from "../../radius/attribute.ts";
import type { Packet } from "../../radius/packet.ts";
import { operatorNasIdentifier } from "../../radius/operator.ts";
import { nasKeyOf } from "../../store/acct-session-key.ts";
import type {
  AccountingKind,
  AccountingRecord,
  AcctSessionFacts,
  OctetCounter,
} from "../../store/accounting-record.ts";
import { addressText, prefixText } from "../../store/framed-addresses.ts";
import { octetText } from "../../store/octet-text.ts";
import type { Link, ToldByApi } from "../../transport/link.ts";

/** Accounting attributes (RFC 2866 Section 5, RFC 2869 Section 5). */
const ACCT = {
  delayTime: 41,
  inputOctets: 42,
  outputOctets: 43,
  sessionTime: 46,
  inputGigawords: 52,
  outputGigawords: 53,
};

/** Acct-Status-Type (RFC 2866 Section 5.1). */
const KINDS: ReadonlyMap<number, AccountingKind> = new Map([
  [1, "start"],
  [2, "stop"],
  [3, "interim"],
  [7, "on"],
  [8, "off"],
]);

/** What an Accounting-Request must not carry (UL-11, RFC 2866 Section 4.1). */
const FORBIDDEN: ReadonlySet<number> = new Set<number>([
  ATTRIBUTE.userPassword,
  ATTRIBUTE.chapPassword,
  ATTRIBUTE.replyMessage,
  ATTRIBUTE.state,
]);

/** Why an Accounting-Request is no record: it can not be stored, so it is not answered. */
export type AccountingFault =
  | "acct-forbidden-attribute"
  | "acct-no-status-type"
  | "acct-unknown-status-type"
  | "acct-no-session-id"
  | "acct-no-nas";

export interface ReadOptions {
  /** Silence after which an acct session is stale, milliseconds. */
  readonly staleAfterMs: number;
  readonly arrivedAtMs: number;
  /** Name of the listener that it came in by; without it the link's. */
  readonly listener?: string | undefined;
  /** What an HTTP API told beyond RADIUS. */
  readonly byApi?: Pick<ToldByApi, "told" | "nasKey" | "reopens"> | undefined;
}

/** Reads what an authentic Accounting-Request says (UL-11, UL-12, UL-20). A value of the wrong size is no attribute (PKT-07). */
export function readAccounting(packet: Packet, link: Link, options: ReadOptions): AccountingRecord | AccountingFault {
  const { attributes } = packet;
  if (attributes.some(({ type }) => FORBIDDEN.has(type))) return "acct-forbidden-attribute";
  const statusType = firstInteger(attributes, ATTRIBUTE.acctStatusType);
  if (statusType === undefined) return "acct-no-status-type";
  const kind = KINDS.get(statusType);
  if (kind === undefined) return "acct-unknown-status-type";
  const ofNas = kind === "on" || kind === "off";
  const acctSessionId = firstValue(attributes, ATTRIBUTE.acctSessionId);
  if (!ofNas && (acctSessionId === undefined || acctSessionId.length === 0)) return "acct-no-session-id";
  const facts = factsOf(attributes, link, options);
  if (facts.nasIdentifier === undefined && facts.nasAddress === undefined) return "acct-no-nas";
  const userName = firstValue(attributes, ATTRIBUTE.userName);
  const eventTimestamp = firstInteger(attributes, ATTRIBUTE.eventTimestamp);
  return {
    kind,
    nasKey:
      options.byApi?.nasKey ??
      nasKeyOf({
        nasIdentifier: facts.nasIdentifier,
        nasAddress: facts.nasAddress,
        peerKey: link.peerKey,
        shared: isShared(attributes, link),
      }),
    acctSessionId: ofNas || acctSessionId === undefined ? "" : octetText(acctSessionId),
    arrivedAtMs: options.arrivedAtMs,
    eventAtMs: eventTimestamp === undefined ? undefined : eventTimestamp * 1_000,
    delaySeconds: firstInteger(attributes, ACCT.delayTime),
    sessionSeconds: firstInteger(attributes, ACCT.sessionTime),
    input: counter(attributes, ACCT.inputOctets, ACCT.inputGigawords),
    output: counter(attributes, ACCT.outputOctets, ACCT.outputGigawords),
    swapped: link.client.swapOctets,
    username: userName === undefined || userName.length === 0 ? undefined : octetText(userName),
    terminateCause: firstInteger(attributes, ATTRIBUTE.acctTerminateCause),
    staleAfterMs: options.staleAfterMs,
    reopens: options.byApi?.reopens === true && kind === "interim" ? true : undefined,
    facts,
  };
}

function isShared(attributes: readonly Attribute[], { client: { sharedNasIdentifiers } }: Link): boolean {
  if (sharedNasIdentifiers.size === 0) return false;
  return sharedNasIdentifiers.has(firstValue(attributes, ATTRIBUTE.nasIdentifier)?.toString("latin1") ?? "");
}

function factsOf(attributes: readonly Attribute[], link: Link, { listener, byApi }: ReadOptions): AcctSessionFacts {
  const text = (type: number): string | undefined => {
    const value = firstValue(attributes, type);
    return value === undefined || value.length === 0 ? undefined : octetText(value);
  };
  const operatorName = text(ATTRIBUTE.operatorName);
  return {
    callingStationId: text(ATTRIBUTE.callingStationId),
    calledStationId: text(ATTRIBUTE.calledStationId),
    framedIp: addressText(firstValue(attributes, ATTRIBUTE.framedIpAddress), 4),
    framedIpv6Address: addressText(firstValue(attributes, ATTRIBUTE.framedIpv6Address), 16),
    framedIpv6Prefix: prefixText(firstValue(attributes, ATTRIBUTE.framedIpv6Prefix)),
    delegatedIpv6Prefix: prefixText(firstValue(attributes, ATTRIBUTE.delegatedIpv6Prefix)),
    framedInterfaceId: firstValue(attributes, ATTRIBUTE.framedInterfaceId)?.toString("hex"),
    nasIdentifier: text(ATTRIBUTE.nasIdentifier),
    nasAddress:
      addressText(firstValue(attributes, ATTRIBUTE.nasIpAddress), 4) ??
      addressText(firstValue(attributes, ATTRIBUTE.nasIpv6Address), 16),
    nasPort: firstInteger(attributes, ATTRIBUTE.nasPort),
    nasPortId: text(ATTRIBUTE.nasPortId),
    multiSessionId: text(ATTRIBUTE.acctMultiSessionId),
    class: firstValue(attributes, ATTRIBUTE.class)?.toString("hex"),
    chargeableUserIdentity: text(ATTRIBUTE.chargeableUserIdentity),
    operatorName,
    // DP-20: never without the other.
    operatorNasIdentifier: operatorName === undefined ? undefined : operatorNasIdentifier(attributes)?.toString("hex"),
    linkId: link.linkId,
    peerKey: link.peerKey,
    client: link.client.name,
    listener: listener ?? link.listener,
    address: link.address,
    told: byApi?.told,
  };
}

function counter(attributes: readonly Attribute[], low: number, high: number): OctetCounter | undefined {
  const octets = firstInteger(attributes, low);
  if (octets === undefined) return undefined;
  return { octets, gigawords: firstInteger(attributes, high) };
}
