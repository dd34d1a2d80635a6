/** What happens in the hub, as plain data: the log, the metrics and every later subscriber read the same feed.
 *  No event carries a secret, a password or a whole packet (invariant 10). */
export type HubEvent =
  | LinkUp
  | LinkDown
  | HandshakeRefused
  | PacketDropped
  | BindingChanged
  | ExchangeEnded
  | CertificateExpiring
  | ConfigApplied
  | UpstreamChanged
  | HeartbeatChanged
  | QuotaReached
  | QuotaActed
  | UserTold
  | ModuleMisbehaved
  | WorkDropped
  | ListenerMoved;

interface Stamped {
  /** Wall clock, milliseconds since 1970 UTC. */
  readonly atMs: number;
}

export interface LinkUp extends Stamped {
  readonly type: "link.up";
  readonly linkId: string;
  readonly listener: string;
  readonly client: string;
  readonly peer: string;
  readonly address: string;
  readonly port: number;
  readonly protocol: string;
}

export interface LinkDown extends Stamped {
  readonly type: "link.down";
  readonly linkId: string;
  readonly listener: string;
  readonly client: string;
  readonly peer: string;
  readonly address: string;
  readonly nasIdentifiers: readonly string[];
  /** CloseReason of transport/link.ts. */
  readonly reason: string;
  readonly detail: string | undefined;
  readonly livedMs: number;
}

/** A connection that did not become a link. */
export interface HandshakeRefused extends Stamped {
  readonly type: "handshake.refused";
  readonly listener: string;
  readonly address: string;
  readonly port: number;
  /** RefusalReason of transport. */
  readonly reason: string;
  readonly detail: string | undefined;
}

export interface PacketDropped extends Stamped {
  readonly type: "packet.dropped";
  /** Undefined for a datagram whose source may be forged. */
  readonly linkId: string | undefined;
  readonly listener: string;
  readonly peer: string;
  /** Of a datagram: the entry of `clients` that has its source address. */
  readonly client?: string | undefined;
  /** DropReason of transport/link.ts. */
  readonly reason: string;
}

export interface BindingChanged extends Stamped {
  readonly type: "binding";
  readonly change: "bound" | "refused" | "lapsed" | "released" | "not-indexed";
  /** As nasName() of the registry shows it: printable text, "0x…" for other octets. */
  readonly nasIdentifier: string;
  /** Peer that holds the name. */
  readonly holder: string | undefined;
  /** Peer that asked for it. */
  readonly claimant: string | undefined;
  readonly linkId: string | undefined;
}

export interface ExchangeEnded extends Stamped {
  readonly type: "exchange.ended";
  readonly exchangeId: string;
  readonly code: number;
  readonly trigger: string;
  readonly requestId: string | undefined;
  /** OutcomeKind of dynauth. */
  readonly outcome: string;
  /** Of no-route, busy and closed: why; "abandoned" where whoever asked did not wait. */
  readonly why?: string | undefined;
  readonly replyCode: number | undefined;
  readonly errorCause: number | undefined;
  readonly linkId: string | undefined;
  readonly nas: string | undefined;
  readonly attempts: number;
  readonly durationMs: number;
}

export interface CertificateExpiring extends Stamped {
  readonly type: "certificate.expiring";
  readonly what: string;
  readonly notAfterMs: number;
  readonly daysLeft: number;
}

export interface ConfigApplied extends Stamped {
  readonly type: "config.applied";
  readonly changed: readonly string[];
  readonly needsRestart: readonly string[];
}

/** A server that requests are forwarded to came or went; said once for each change. */
export interface UpstreamChanged extends Stamped {
  readonly type: "upstream.up" | "upstream.down";
  readonly upstream: string;
  readonly transport: "udp" | "radsec";
  /** What was seen last: "no answer to 3 probes", "connection refused". */
  readonly detail: string;
}

/** The hub's own Access-Request through its whole pipeline stayed unanswered, or is answered again. */
export interface HeartbeatChanged extends Stamped {
  readonly type: "heartbeat.failed" | "heartbeat.recovered";
  readonly detail: string;
}

/** A user has used so much of a quota; once for each threshold and period. */
export interface QuotaReached extends Stamped {
  readonly type: "quota.reached";
  readonly username: string;
  readonly rule: string;
  /** Percent of the amount. */
  readonly threshold: number;
  readonly periodKey: string;
  /** Octets, or seconds. */
  readonly used: number;
  /** Undefined where an operator's endpoint decided. */
  readonly amount: number | undefined;
  /** Whether a webhook tells of it. */
  readonly notify: boolean;
}

/** The router of an acct session was told of a change of its user or plan. */
export interface UserTold extends Stamped {
  readonly type: "user.told";
  readonly username: string | undefined;
  /** AcctSession.key */
  readonly acctSessionKey: string;
  readonly nas: string | undefined;
  /** What was wanted; a change that the router refuses becomes a disconnect. */
  readonly action: "change" | "disconnect";
  /** gone: the router does not know the acct session. again: to be repeated. away: to be repeated when the router is back. */
  readonly told: "done" | "gone" | "again" | "away" | "given-up";
}

/** One attempt to throttle or disconnect an acct session, or to take a throttle back. */
export interface QuotaActed extends Stamped {
  readonly type: "quota.acted";
  readonly username: string;
  readonly rule: string;
  readonly threshold: number;
  readonly periodKey: string;
  readonly action: "throttle" | "disconnect" | "un-throttle";
  /** AcctSession.key */
  readonly acctSessionKey: string;
  readonly nas: string | undefined;
  /** OutcomeKind of dynauth, or "refused" for a request that can not be sent. */
  readonly outcome: string;
  readonly errorCause: number | undefined;
  /** done; again: to be repeated at a time; waits: for the next record of the acct session; given-up. */
  readonly next: "done" | "again" | "waits" | "given-up";
  readonly attempts: number;
  readonly used: number;
  readonly amount: number | undefined;
  /** What was used beyond the threshold's share of the amount. */
  readonly overshoot: number;
}

/** Work beside accounting that was given up because its bound was reached or the store refused it; said at most once a minute. */
export interface WorkDropped extends Stamped {
  readonly type: "work.dropped";
  readonly work: "quota" | "webhook" | "audit";
  readonly why: string;
  /** Since the last such event. */
  readonly count: number;
}

/** A module of the AAA pipeline did what it must not; its own packet got `fail`. */
export interface ModuleMisbehaved extends Stamped {
  readonly type: "module.fault";
  /** blocked: it held the event loop. bad-code: it answered what is no return code. */
  readonly fault: "threw" | "timed-out" | "blocked" | "bad-code";
  /** "instance.component"; several where the event loop stood still while several calls were awaited. */
  readonly modules: readonly string[];
  readonly tookMs?: number | undefined;
  /** What it threw, and where. */
  readonly detail?: string | undefined;
}

/** An address behind the wildcard of a UDP listener came or went, and the sockets on it. */
export interface ListenerMoved extends Stamped {
  readonly type: "listener.moved";
  readonly listener: string;
  readonly address: string;
  /** failed: its sockets could not be opened; it is tried again, and not said again. */
  readonly change: "opened" | "closed" | "failed";
  readonly detail: string | undefined;
}

export type HubEventOf<Type extends HubEvent["type"]> = Extract<HubEvent, { readonly type: Type }>;

/** Delivers each event to every subscriber, in order and synchronously. A subscriber that throws is reported to `onFault`
 *  and stops nobody (invariant 9). */
export class EventFeed {
  readonly #subscribers = new Set<(event: HubEvent) => void>();
  readonly #onFault: (error: unknown) => void;

  constructor(onFault: (error: unknown) => void) {
    this.#onFault = onFault;
  }

  /** @returns a function that ends the subscription */
  subscribe(subscriber: (event: HubEvent) => void): () => void {
    this.#subscribers.add(subscriber);
    return () => this.#subscribers.delete(subscriber);
  }

  emit(event: HubEvent): void {
    for (const subscriber of this.#subscribers) {
      try {
        subscriber(event);
      } catch (error) {
        this.#onFault(error);
      }
    }
  }
}
