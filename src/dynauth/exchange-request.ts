import type { Attribute } from "../radius/attribute.ts";
import type { Cancellation } from "../transport/cancellation.ts";
import type { Link, LinkRequest } from "../transport/link.ts";
import type { Outcome } from "./outcome.ts";

/** Which NAS is meant; several keys must all hold. */
export interface Target {
  readonly linkId?: string;
  /** Exact octets as latin1 text (registry/types.ts). */
  readonly nasIdentifier?: string;
  /** Canonical text of NAS-IP-Address or NAS-IPv6-Address. */
  readonly nasAddress?: string;
}

/** One Disconnect, CoA or other request that somebody wants sent to a NAS. */
export interface ExchangeRequest {
  readonly code: number;
  readonly target: Target;
  /** AcctSession.key of the one that is meant, instead of a target: it goes to its NAS by its own link if that is open. The
   *  attributes still identify it for the NAS. */
  readonly acctSessionKey?: string;
  /** What the caller gave, in order; Message-Authenticator, Event-Timestamp and the NAS identity are added. */
  readonly attributes: readonly Attribute[];
  /** How long to wait for the NAS in all, milliseconds; default and upper bound come from the configuration. */
  readonly timeoutMs?: number;
  /** Send although the attributes may fit many acct sessions (RC-10). */
  readonly force?: boolean;
  /** Who asked: "http", "udp", "quota", "cli", "test". */
  readonly trigger: string;
  /** Name of the token, `clients` entry or quota rule that asked. */
  readonly caller?: string | undefined;
  readonly requestId?: string;
  readonly signal?: Cancellation | undefined;
  /** The link that made somebody ask, for `linkId: current` in a selection rule. */
  readonly currentLinkId?: string | undefined;
  /** Runs just before signing, for each link the request is tried on. */
  readonly rewrite?: LinkRequest["rewrite"] | undefined;
  /** What is different on each link that the request is tried on, in place of `rewrite`: for a code whose Authenticator is random. */
  readonly perLink?: ((link: Link) => Pick<LinkRequest, "authenticator" | "rewrite">) | undefined;
  /** It came as RADIUS and is passed on as it is: the rules for what the hub itself may send are its sender's (DP-18). */
  readonly proxied?: boolean;
  /** Links that must not get it: the one it came on (DP-31), those its sender may not reach (DP-09).
   *  @param nas the NAS meant, which a link of a proxy may be one of many ways to */
  readonly refuses?: (link: Link, nas: Pick<Target, "nasIdentifier" | "nasAddress">) => boolean;
}

/** One exchange that is over, for whoever keeps books. */
export interface EndedExchange {
  readonly exchangeId: string;
  /** Wall clock at the end of the turn in which it ended. */
  readonly atMs: number;
  readonly durationMs: number;
  readonly request: ExchangeRequest;
  /** "refused": the request does not fit into a packet. */
  readonly outcome: Outcome | "refused";
}
