import type { Attribute } from "../../radius/attribute.ts";
import type { HidingHop } from "../../radius/hidden.ts";
import type { Packet } from "../../radius/packet.ts";
import type { Cancellation } from "../../transport/cancellation.ts";

/** A request for an upstream server, before it has an Identifier and an Authenticator. */
export interface UpstreamQuestion {
  readonly code: number;
  /** The attributes as they are on the hop to the server; called for each sending under a new Authenticator (CRY-15). */
  readonly seal: (hop: HidingHop) => readonly Attribute[];
  /** Clock.now() after which no answer is of use. */
  readonly deadline: number;
  /** Nobody can receive the answer any more: retransmission stops (CON-11, DP-08). */
  readonly signal: Cancellation;
}

export type UpstreamAnswer =
  | { readonly kind: "reply"; readonly reply: Packet; readonly hop: HidingHop }
  /** It may have got the request, and has not answered. */
  | { readonly kind: "silent" }
  /** It has not got the request. */
  | { readonly kind: "unsent" }
  | { readonly kind: "aborted" };

/** alive -> suspect (UDP only: asked when nobody is alive) -> dead: gets nothing but probes. */
export type UpstreamState = "alive" | "suspect" | "dead";

/** One RADIUS server that requests are forwarded to. */
export interface UpstreamServer {
  readonly name: string;
  readonly transport: "udp" | "radsec";
  readonly state: UpstreamState;
  /** Questions without an answer. */
  readonly outstanding: number;
  /** @throws {HubError} ERR_PKI */
  start(): void;
  stop(): Promise<void>;
  /** Looks whether it is alive; what it finds shows in `state`. */
  probe(): void;
  /** @throws {HubError} ERR_RADIUS_TOO_LONG, ERR_RADIUS_ATTRIBUTE for what can not be a packet */
  ask(question: UpstreamQuestion): Promise<UpstreamAnswer>;
}
