import type { Attribute } from "../radius/attribute.ts";
import type { Packet } from "../radius/packet.ts";
import type { Cancellation } from "./cancellation.ts";
import type { ClientEntry } from "./client-entry.ts";
import type { Peer } from "./peer.ts";

/** One live connection of a NAS. It knows its peer and its octets, and nothing of the registry, of HTTP or of other links. */
export interface Link {
  /** Opaque, unique over all nodes and restarts: it starts with the node's prefix. */
  readonly linkId: string;
  readonly kind: "tls" | "tcp" | "udp" | "remote";
  /** Name of the listener that accepted it. */
  readonly listener: string;
  readonly peer: Peer;
  /** Stable identity of the peer: survives renewal of its certificate (DESIGN invariant 1). A change of the configuration that
   *  puts the peer under another entry may replace it, together with `client`. */
  readonly peerKey: string;
  /** What the peer may do; replaced when the configuration changes. */
  readonly client: ClientEntry;
  readonly address: string;
  readonly port: number;
  /** Wall clock, milliseconds. */
  readonly connectedAtMs: number;
  /** Facts for display ("TLSv1.3", cipher). */
  readonly protocol: string;
  readonly open: boolean;
  /** Taken only while its peer has no other link: the UDP port of a router that dials in over TLS. */
  readonly fallback?: boolean;
  /** Requests written and not answered. */
  readonly inFlight: number;
  /** Requests not written yet. */
  readonly queued: number;
  /** Sends one request and settles with how it ended; the promise never rejects.
   *  @throws {HubError} ERR_RADIUS_TOO_LONG, ERR_RADIUS_ATTRIBUTE, at once, when the request can not be a packet. */
  send(request: LinkRequest): Promise<LinkOutcome>;
  close(reason: CloseReason, detail?: string): void;
}

/** A request before it has an Identifier: the link adds Message-Authenticator, Identifier and Authenticator. */
export interface LinkRequest {
  readonly code: number;
  readonly attributes: readonly Attribute[];
  /** Clock.now() after which the request is given up. */
  readonly deadline: number;
  /** The caller has gone: an unwritten request is taken back. */
  readonly signal?: Cancellation | undefined;
  /** Request Authenticator of a code whose Authenticator is random: 16 unpredictable octets, new for each send (CRY-04). For
   *  attributes that are hidden with it; without one the link takes its own. */
  readonly authenticator?: Buffer;
  /** Runs on the attributes just before signing, once for each link the request is tried on. */
  readonly rewrite?: (attributes: readonly Attribute[], link: Link) => readonly Attribute[];
}

/** How one request on one link ended. */
export type LinkOutcome =
  | { readonly kind: "reply"; readonly reply: Packet; readonly roundTripMs: number }
  /** Written, and no valid reply by the deadline: the NAS may have acted (invariant 5). */
  | { readonly kind: "timeout" }
  /** Never written: the queue was full, or the deadline came first. */
  | { readonly kind: "busy"; readonly why: "queue-full" | "deadline" }
  /** The link ended first. */
  | { readonly kind: "closed"; readonly written: boolean; readonly reason: CloseReason }
  /** The caller's signal fired. */
  | { readonly kind: "aborted"; readonly written: boolean };

/** Why a link ended: the label in the log, the event feed and the metric. */
export const CLOSE_REASONS = [
  "peer-closed", // the peer ended TLS or TCP in order
  "transport-error", // reset, keepalive failed, TLS alert
  "bad-length", // CON-04
  "bad-attribute", // CON-04
  "bad-authenticator", // CON-04
  "bad-message-authenticator", // CON-04
  "internal-error", // a fault of the hub while it read a packet of this link
  "operator", // DELETE /v1/links/{linkId}
  "limit", // replaced or refused by a configured limit
  "write-backlog", // a reader that does not read
  "watchdog", // WD-04: no sign of life from the server that the hub dialled
  "certificate-expired", // TLS-12
  "certificate-revoked", // TLS-11
  "ca-removed", // TLS-11: no CA of now leads to its certificate
  "client-removed", // no `clients` entry matches any more, or its PSK has changed
  "stopped", // the hub stops
  "port-unreachable", // UDP: nobody listens there, says ICMP (DP-29); the link stays
  "unreachable", // UDP: no way leads there; the link stays
  "idle", // UDP: a router without a packet for too long
] as const;
export type CloseReason = (typeof CLOSE_REASONS)[number];

/** Called for each authentic request that a peer sends, Status-Server excepted. */
export type RequestHandler = (context: RequestContext) => Reply | Promise<Reply>;

export interface RequestContext {
  readonly packet: Packet;
  readonly link: Link;
  /** Name of the listener that it came in by, where that may be another than the link's: a router over UDP speaks to any. */
  readonly listener?: string | undefined;
  /** Fires when the link closes: nobody can receive the reply any more (CON-11). */
  readonly signal: Cancellation;
  /** The hub asks itself whether it is alive: no trace in audit, rate limits or accounting. */
  readonly heartbeat?: true;
  /** An HTTP API tells of it: there is no NAS behind `link` that could be answered. */
  readonly byApi?: ToldByApi | undefined;
  /** Runs once the reply has been handed to the transport, or there will be none: what was done for it counts all the same. */
  afterReply(action: () => void): void;
}

export interface ToldByApi {
  /** What is kept with the acct session beyond RADIUS. */
  readonly told: string;
  /** The key that tells its acct sessions apart, in place of NAS-Identifier and address. */
  readonly nasKey?: string | undefined;
  /** AccountingRecord.reopens. */
  readonly reopens?: boolean | undefined;
  /** The record is stored durably. @param effect RecordEffect of the store */
  stored(effect: string): void;
}

export type Reply =
  | {
      readonly kind: "reply";
      readonly code: number;
      readonly attributes: readonly Attribute[];
      /** Somebody else's verdict, passed on: an Access-Reject of this kind is not delayed (UL-18). */
      readonly proxied?: true;
    }
  | { readonly kind: "discard"; readonly reason: string };

/** What the owner of a link is told. hub.ts connects it to the registry, the event feed and the request handler. */
export interface LinkObserver {
  opened(link: Link): void;
  /** An authentic Status-Server, already answered (ST-12: bookkeeping only). */
  statusServer(link: Link, packet: Packet): void;
  /** An authentic request other than Status-Server, before the handler sees it. */
  request(link: Link, packet: Packet): void;
  /** A reply settled a request of the hub: the link is alive. */
  replied(link: Link): void;
  /** A packet was dropped and the link stays (CON-05). */
  dropped(link: Link, reason: DropReason): void;
  closed(link: Link, reason: CloseReason, detail: string | undefined): void;
}

export const DROP_REASONS = [
  "malformed", // UDP: no packet at all (PKT-02, PKT-03, PKT-06)
  "unknown-source", // UDP: no entry of `clients` has the address (DP-02, UL-01)
  "no-source-port", // UDP: from port 0, which nothing can be sent to (RFC 768)
  "unknown-code",
  "wrong-port", // UDP: a request that this port does not take (UL-03, ST-16)
  "unexpected-reply", // no outstanding request (CON-05)
  "late-reply", // its request timed out a while ago
  "reply-bad-authenticator", // CON-05: the requester keeps the link
  "reply-bad-message-authenticator", // UDP (UC-06); on TLS it ends the link
  "reply-no-message-authenticator", // the client entry requires one
  "reply-wrong-code", // RC-04
  "reply-stale-timestamp", // RC-15
  "status-no-message-authenticator", // ST-02
  "status-rate-limited", // ST-11
  "status-disabled", // ST-10
  "request-no-message-authenticator", // BR-02, CRY-12
  "request-proxy-state", // BR-03: Proxy-State and no Message-Authenticator
  "request-bad-authenticator", // UDP (UL-09, DP-03); on TLS it ends the link, as does the next
  "request-bad-message-authenticator",
  "request-stale-timestamp", // DP-04
  "request-no-timestamp", // DP-05
  "request-invalid", // UL-11; an Access-Request is rejected besides (UL-05, UL-17)
  "duplicate", // CON-12: the same request again while it is worked on
  "handler-busy", // too many requests of this link are being worked on
  "handler-failed", // the handler threw
  "handler-discard",
  "reject-backlog", // too many Access-Rejects wait for their time (UL-18)
  "stopping",
] as const;
export type DropReason = (typeof DROP_REASONS)[number];
