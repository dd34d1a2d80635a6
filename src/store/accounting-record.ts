/** What one Accounting-Request says, free of the wire. Texts that were octets are octetText() of octet-text.ts. */
export interface AccountingRecord {
  /** "on" and "off" are Accounting-On and -Off: they speak of the NAS, and `acctSessionId` is "". */
  readonly kind: AccountingKind;
  /** nasKeyOf() of acct-session-key.ts. */
  readonly nasKey: string;
  readonly acctSessionId: string;
  /** When the hub received it; wall clock, milliseconds, as are all times here. */
  readonly arrivedAtMs: number;
  /** Event-Timestamp as given (UL-20). */
  readonly eventAtMs?: number | undefined;
  /** Acct-Delay-Time; counts only where there is no Event-Timestamp. */
  readonly delaySeconds?: number | undefined;
  /** Acct-Session-Time. */
  readonly sessionSeconds?: number | undefined;
  readonly input?: OctetCounter | undefined;
  readonly output?: OctetCounter | undefined;
  /** This NAS counts Input and Output the other way round: Input is the user's download. */
  readonly swapped?: boolean | undefined;
  readonly username?: string | undefined;
  /** Acct-Terminate-Cause. */
  readonly terminateCause?: number | undefined;
  /** Silence after which the acct session is stale: the interim interval times the number that may be missed. */
  readonly staleAfterMs: number;
  /** An interim that opens the acct session again, also after its Stop: an HTTP API whose contract says so. */
  readonly reopens?: boolean | undefined;
  readonly facts: AcctSessionFacts;
}

export type AccountingKind = "start" | "interim" | "stop" | "on" | "off";

/** Acct-Input-Octets or Acct-Output-Octets with its Gigawords: cumulative since the start of the acct session (UL-12). */
export interface OctetCounter {
  /** 0..2^32-1 */
  readonly octets: number;
  /** Undefined where the attribute is absent: then the counter may wrap. */
  readonly gigawords?: number | undefined;
}

/** What a record tells besides counters. Each record replaces those that it has and leaves the others. */
export interface AcctSessionFacts {
  /** As the NAS wrote it: what goes back to the NAS. Found by callingStationKey() of calling-station.ts. */
  readonly callingStationId?: string | undefined;
  readonly calledStationId?: string | undefined;
  /** Canonical address. */
  readonly framedIp?: string | undefined;
  /** Canonical address. */
  readonly framedIpv6Address?: string | undefined;
  /** "2001:db8::/64", as prefixText() of framed-addresses.ts writes it. */
  readonly framedIpv6Prefix?: string | undefined;
  readonly delegatedIpv6Prefix?: string | undefined;
  readonly framedInterfaceId?: string | undefined;
  readonly nasIdentifier?: string | undefined;
  /** Canonical NAS-IP-Address or NAS-IPv6-Address. */
  readonly nasAddress?: string | undefined;
  readonly nasPort?: number | undefined;
  readonly nasPortId?: string | undefined;
  readonly multiSessionId?: string | undefined;
  /** Class, hexadecimal. */
  readonly class?: string | undefined;
  /** Chargeable-User-Identity. */
  readonly chargeableUserIdentity?: string | undefined;
  /** Namespace and name of the visited network (RFC 5580 Section 4.1), and its own word for the NAS there, hexadecimal: a CoA for
   *  the acct session that goes through other networks carries both again (DP-30, DP-21). */
  readonly operatorName?: string | undefined;
  readonly operatorNasIdentifier?: string | undefined;
  /** The way the record came: where a Disconnect for the acct session is tried first. */
  readonly linkId?: string | undefined;
  readonly peerKey?: string | undefined;
  /** Name of the `clients` entry. */
  readonly client?: string | undefined;
  readonly listener?: string | undefined;
  /** Source address of the record. */
  readonly address?: string | undefined;
  /** What an HTTP API told of the acct session beyond RADIUS, as JSON text of its own making. */
  readonly told?: string | undefined;
}
