import type { Attribute } from "../radius/attribute.ts";
import type { CloseReason, LinkOutcome } from "../transport/link.ts";

/** How one exchange ended. A closed union: a new kind fails to compile until every table has it. */
export type Outcome = Replied | TimedOut | NoRoute | Busy | Closed;
export type OutcomeKind = Outcome["kind"];
/** Every one of them, for schemas. */
export const OUTCOME_KINDS = ["ack", "nak", "timeout", "no-route", "busy", "closed"] as const satisfies OutcomeKind[];

interface Common {
  readonly exchangeId: string;
  /** Each link the request was tried on, in order. */
  readonly attempts: readonly Attempt[];
  /** Whether a NAS may have carried the request out although no ACK came (invariant 5). */
  readonly mayHaveActed: boolean;
  readonly durationMs: number;
  /** NAS-Identifier or address of the NAS meant, when known. */
  readonly nas: string | undefined;
  /** AcctSession.key, where the exchange was about one acct session. */
  readonly acctSessionKey?: string | undefined;
}

export interface Attempt {
  readonly linkId: string;
  readonly kind: LinkOutcome["kind"];
  readonly tookMs: number;
}

export interface Replied extends Common {
  readonly kind: "ack" | "nak";
  readonly linkId: string;
  readonly replyCode: number;
  /** Copies, Message-Authenticator left out. */
  readonly replyAttributes: readonly Attribute[];
  /** Error-Cause of the reply (RFC 5176 Section 3.5). Its class changes nothing (RC-17). */
  readonly errorCause: number | undefined;
  /** The NAS answered Protocol-Error (RC-18, RFC 7930 Section 4). */
  readonly protocolError: boolean;
  /** CoA-NAK 507 to an Authorize-Only request: the NAS has begun to re-authorise, which is what was asked (RC-12). */
  readonly requestInitiated: boolean;
  readonly roundTripMs: number;
}

export interface TimedOut extends Common {
  readonly kind: "timeout";
  readonly linkId: string;
}

export interface NoRoute extends Common {
  readonly kind: "no-route";
  /** "unknown": nobody ever proved that name. "offline": known, but no link now. "not-permitted": `reverse` forbids the code.
   *  "no-session": no open acct session fits. "nas-unnamed": a DAC's request, and nobody has said what the NAS is called (DP-16). */
  readonly why: "unknown" | "offline" | "not-permitted" | "no-session" | "nas-unnamed";
}

export interface Busy extends Common {
  readonly kind: "busy";
  readonly why: "queue-full" | "deadline" | "stopping";
}

export interface Closed extends Common {
  readonly kind: "closed";
  /** Whether the request had been written to a link that then closed. */
  readonly written: boolean;
  /** What ended the last link that was tried; "abandoned": whoever asked did not wait for the outcome. */
  readonly why?: CloseReason | "abandoned" | undefined;
}
