import type { Clock } from "../clock.ts";
import { Cancellable } from "./cancellation.ts";
import type { ClientEntry } from "./client-entry.ts";
import type { CloseReason, Link, LinkObserver, LinkOutcome, LinkRequest } from "./link.ts";
import { canonicalAddress } from "./networks.ts";
import type { AddressPeer } from "./peer.ts";
import { PerSecond } from "./responder.ts";
import { RETRANSMIT_DEFAULT } from "./retransmission.ts";
import type { UdpRequester } from "./udp-requester.ts";

export interface UdpLinkDeps {
  readonly clock: Clock;
  readonly observer: LinkObserver;
  readonly requester: Pick<UdpRequester, "request" | "load">;
}

export interface UdpLinkFacts {
  readonly linkId: string;
  /** Different for each link of this process, below 2^28. */
  readonly number: number;
  readonly listener: string;
  readonly client: ClientEntry;
  /** As the socket writes it, with a zone where it has one. */
  readonly source: string;
  /** It is the UDP port of this peer, which dials in over TLS. */
  readonly fallbackOf?: string;
}

/** A router that speaks only UDP: its requests come to a listener, and what the hub asks of it goes to its dynauthPort.
 *
 *  unproven --prove()--> open --close()--> closed
 *  (1) Only an open link has been reported; what becomes of an unproven one interests nobody.
 *  (2) After close() nothing is sent again, and every request has its outcome. */
export class UdpLink implements Link {
  readonly kind = "udp";
  readonly protocol = "UDP";
  readonly linkId: string;
  readonly number: number;
  readonly listener: string;
  readonly peer: AddressPeer;
  readonly peerKey: string;
  readonly address: string;
  /** As the sockets write the address. */
  readonly source: string;
  readonly fallback: boolean;
  readonly connectedAtMs: number;
  readonly statusRate = new PerSecond();
  /** Its requests that are worked on, over all listeners. */
  readonly working = { count: 0 };
  /** Clock.now() of the latest authentic packet. */
  seenAt: number;
  readonly #deps: UdpLinkDeps;
  readonly #leave: (link: UdpLink) => void;
  /** Requests without an outcome; the requester bounds them. */
  readonly #underWay = new Set<Cancellable>();
  #client: ClientEntry;
  #state: "unproven" | "open" | CloseReason = "unproven";
  /** The address of ours that the router speaks to: many take Disconnect and CoA from that one alone. */
  #localAddress: string | undefined;

  constructor(facts: UdpLinkFacts, deps: UdpLinkDeps, leave: (link: UdpLink) => void) {
    this.linkId = facts.linkId;
    this.number = facts.number;
    this.listener = facts.listener;
    this.source = facts.source;
    this.address = canonicalAddress(facts.source) ?? facts.source;
    this.peer = { kind: "address", address: this.address };
    this.peerKey = facts.fallbackOf ?? udpPeerKey(facts.client, this.address);
    this.fallback = facts.fallbackOf !== undefined;
    this.connectedAtMs = deps.clock.wallMs();
    this.seenAt = deps.clock.now();
    this.#client = facts.client;
    this.#deps = deps;
    this.#leave = leave;
  }

  get client(): ClientEntry {
    return this.#client;
  }

  get port(): number {
    return this.#client.dynauthPort;
  }

  get open(): boolean {
    return this.#state === "open";
  }

  get inFlight(): number {
    return this.#deps.requester.load(this.source, this.port, this.#localAddress).inFlight;
  }

  get queued(): number {
    return this.#deps.requester.load(this.source, this.port, this.#localAddress).queued;
  }

  setClient(entry: ClientEntry): void {
    this.#client = entry;
  }

  /** An authentic packet came to this address of ours; undefined where the configuration alone says that there is a router. */
  prove(localAddress: string | undefined): void {
    this.seenAt = this.#deps.clock.now();
    this.#localAddress = localAddress ?? this.#localAddress;
    if (this.#state !== "unproven") return;
    this.#state = "open";
    this.#deps.observer.opened(this);
  }

  send(request: LinkRequest): Promise<LinkOutcome> {
    const closed = this.#closed();
    if (closed !== undefined) return Promise.resolve({ kind: "closed", written: false, reason: closed });
    const { code, attributes, authenticator, deadline, signal, rewrite } = request;
    const underWay = new Cancellable();
    const answer = this.#deps.requester.request({
      address: this.source,
      port: this.port,
      localAddress: this.#localAddress,
      secret: this.#client.secret,
      code,
      attributes: rewrite?.(attributes, this) ?? attributes,
      authenticator,
      plan: RETRANSMIT_DEFAULT,
      deadline,
      signal: underWay,
      requireMessageAuthenticator: this.#client.requireMessageAuthenticator,
    });
    const cancel = (): void => underWay.cancel();
    if (signal?.aborted === true) cancel();
    signal?.addEventListener("abort", cancel, { once: true });
    this.#underWay.add(underWay);
    return answer.then((outcome) => {
      this.#underWay.delete(underWay);
      signal?.removeEventListener("abort", cancel);
      return this.#ended(outcome);
    });
  }

  close(reason: CloseReason, detail?: string): void {
    const was = this.#state;
    if (was !== "unproven" && was !== "open") return;
    this.#state = reason;
    this.#leave(this);
    for (const each of this.#underWay) each.cancel();
    if (was === "open") this.#deps.observer.closed(this, reason, detail);
  }

  #ended(outcome: LinkOutcome): LinkOutcome {
    const reason = this.#closed();
    if (reason !== undefined) {
      return outcome.kind === "aborted" ? { kind: "closed", written: outcome.written, reason } : outcome;
    }
    if (outcome.kind === "reply") {
      this.seenAt = this.#deps.clock.now();
      this.#deps.observer.replied(this);
    }
    return outcome;
  }

  #closed(): CloseReason | undefined {
    return this.#state === "unproven" || this.#state === "open" ? undefined : this.#state;
  }
}

/** The stable identity of a router that is known by its address. */
export function udpPeerKey(entry: ClientEntry, address: string): string {
  return `udp:${entry.name}:${address}`;
}
