import type { Attribute } from "../radius/attribute.ts";
import type { AcctSession } from "./acct-sessions.ts";
import type { RequestVerdict } from "./reverse-answer.ts";

/** What one link of a simulated router tells. */
export type NasLinkEvent =
  | { readonly type: "connected"; readonly localPort: number; readonly protocol: string }
  /** A connection ended or was never made; `retryInMs` is undefined after stop(). */
  | {
      readonly type: "closed";
      readonly reason: NasCloseReason;
      readonly detail: string | undefined;
      /** Whether TLS had been up. */
      readonly wasConnected: boolean;
      readonly retryInMs: number | undefined;
    }
  | { readonly type: "status-sent" }
  | { readonly type: "status-answered"; readonly code: number; readonly roundTripMs: number }
  /** A request of the hub; `attributes` are views, to be copied by who keeps them. */
  | {
      readonly type: "received";
      readonly code: number;
      readonly identifier: number;
      readonly attributes: readonly Attribute[];
      readonly verdict: RequestVerdict | "duplicate";
    }
  | {
      readonly type: "answered";
      readonly code: number;
      readonly identifier: number;
      readonly errorCause: number | undefined;
    }
  | { readonly type: "acct-ended"; readonly acctSession: AcctSession }
  | { readonly type: "acct-changed"; readonly acctSession: AcctSession }
  /** A reply that fits no outstanding request, or a forged one: dropped, the connection stays (CON-05). */
  | { readonly type: "dropped"; readonly code: number; readonly identifier: number };

/** An event with its origin. */
export type NasEvent = NasLinkEvent & {
  readonly nasIdentifier: string;
  /** 1 for the first link of the router. */
  readonly linkNumber: number;
};

export type NasCloseReason =
  | "connect-failed"
  | "peer-closed"
  | "transport-error"
  | "bad-length"
  | "bad-attribute"
  | "bad-authenticator"
  | "bad-message-authenticator"
  | "watchdog"
  | "write-backlog"
  | "stopped";

/** How a request of the router to the hub ended. */
export type NasRequestOutcome =
  | { readonly kind: "reply"; readonly code: number; readonly attributes: readonly Attribute[] }
  | { readonly kind: "timeout" }
  /** No link is open, or all Identifiers of the link are in use: nothing was sent. */
  | { readonly kind: "not-sent" }
  | { readonly kind: "closed" };
