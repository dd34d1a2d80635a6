import { HubError } from "../errors.ts";
import { encodeRequest } from "../radius/authenticator.ts";
import { CODE, hasComputedAuthenticator } from "../radius/codes.ts";
import {
  AUTHENTICATOR_BYTES,
  decodeDatagram,
  HEADER_BYTES,
  type Packet,
  ZERO_AUTHENTICATOR,
} from "../radius/packet.ts";
import { type Correlation, IdentifierSpace } from "./correlation.ts";
import type { CloseReason, DropReason, LinkOutcome } from "./link.ts";
import { retransmitAfterMs } from "./retransmission.ts";
import { verifyReply } from "./sent-request.ts";
import type { SocketBudget } from "./socket-budget.ts";
import type { Timer } from "./timing-wheel.ts";
import type { UdpRequest, UdpRequesterDeps, UdpRequesterOptions } from "./udp-requester.ts";
import { UdpSocket, type UdpSocketOwner } from "./udp-socket.ts";

export interface UdpEndpoint {
  readonly address: string;
  readonly port: number;
  readonly localAddress: string | undefined;
}

/** A request on its way. */
export interface UdpPending {
  readonly request: UdpRequest;
  readonly settle: (outcome: LinkOutcome) => void;
  timer: Timer;
  /** Nobody waits for it any more; it keeps its Identifier until its end (UC-05). */
  abandoned: boolean;
  /** Undefined while it waits. */
  channel: UdpChannel | undefined;
  /** What follows is set with the first sending. */
  identifier: number;
  octets: Buffer;
  authenticator: Buffer;
  sendings: number;
  firstSentAt: number;
  waitMs: number;
  giveUpAt: number;
}

export interface UdpChannelOwner {
  /** An Identifier has become free. */
  freed(): void;
  closed(channel: UdpChannel): void;
}

/** Errors that say that nothing gets there; any other one costs a datagram, which the next sending makes up for. */
const UNREACHABLE: ReadonlyMap<string, CloseReason> = new Map([
  ["ECONNREFUSED", "port-unreachable"], // DP-29: ICMP of the host itself
  ["EHOSTUNREACH", "unreachable"],
  ["ENETUNREACH", "unreachable"],
  ["EADDRNOTAVAIL", "unreachable"],
]);

/** One source port towards one destination, with 255 requests in flight at most.
 *
 *  opening --connected--> open --close()--> closed
 *  (1) An Identifier is not used again before its reply or the end of its request; the least recently used goes first (UC-05). */
export class UdpChannel implements UdpSocketOwner {
  readonly #endpoint: UdpEndpoint;
  readonly #deps: UdpRequesterDeps;
  readonly #options: UdpRequesterOptions;
  readonly #owner: UdpChannelOwner;
  readonly #budget: SocketBudget;
  readonly #socket: UdpSocket;
  readonly #outstanding: Correlation<UdpPending> = new IdentifierSpace<UdpPending>();
  // Identifiers whose request was given up: a reply to one is late, not unexpected.
  readonly #givenUp = new Set<number>();
  #state: "opening" | "open" | "closed" = "opening";
  #idleTimer: Timer | undefined;
  #usedAt = 0;
  #repliedAt = Number.NEGATIVE_INFINITY;

  constructor(
    endpoint: UdpEndpoint,
    deps: UdpRequesterDeps,
    options: UdpRequesterOptions,
    budget: SocketBudget,
    owner: UdpChannelOwner,
  ) {
    this.#endpoint = endpoint;
    this.#deps = deps;
    this.#options = options;
    this.#budget = budget;
    this.#owner = owner;
    this.#socket = new UdpSocket(endpoint.address, this);
    this.#socket.connect(endpoint.port, endpoint.address, endpoint.localAddress, () => this.#opened());
  }

  get inFlight(): number {
    return this.#outstanding.size;
  }

  get full(): boolean {
    return this.#outstanding.size >= this.#outstanding.capacity;
  }

  /** Sends a request for the first time. The caller has seen that the channel is not full. */
  begin(pending: UdpPending): void {
    const { clock, random, wheel } = this.#deps;
    const { request } = pending;
    const now = clock.now();
    const identifier = this.#outstanding.allocate(pending) as number;
    this.#givenUp.delete(identifier);
    this.#budget.busy(this);
    const seed = hasComputedAuthenticator(request.code)
      ? ZERO_AUTHENTICATOR
      : (request.authenticator ?? random.bytes(AUTHENTICATOR_BYTES)); // CRY-04
    pending.identifier = identifier;
    pending.octets = encodeRequest(request.code, identifier, request.attributes, seed, request.secret);
    pending.authenticator = pending.octets.subarray(4, HEADER_BYTES);
    pending.firstSentAt = now;
    pending.giveUpAt = Math.min(request.deadline, request.plan.mrdMs > 0 ? now + request.plan.mrdMs : request.deadline);
    pending.timer.cancel();
    pending.timer = wheel.schedule(pending.giveUpAt, () => this.#tick(pending));
    if (this.#state === "open") this.#transmit(pending);
  }

  /** The caller has gone: nothing is sent any more (DP-08). */
  abandon(pending: UdpPending): void {
    pending.abandoned = true;
    pending.settle({ kind: "aborted", written: pending.sendings > 0 });
    pending.timer.cancel();
    pending.timer = this.#deps.wheel.schedule(pending.giveUpAt, () => this.#tick(pending));
  }

  received(datagram: Buffer): void {
    const packet = decoded(datagram);
    const reason = packet === undefined ? "malformed" : this.#judge(packet);
    if (reason !== undefined) this.#deps.dropped(reason, this.#endpoint); // UC-06: the timers run on
  }

  failed(error: NodeJS.ErrnoException): void {
    if (this.#state === "opening") return this.close("transport-error");
    const reason = UNREACHABLE.get(error.code ?? "");
    if (reason === undefined) return;
    for (const pending of this.#outstanding.entries()) {
      this.#release(pending);
      // What was sent once, with no sign of life since, met the closed port too; anything else may have been carried out.
      const written = pending.sendings > 1 || pending.firstSentAt <= this.#repliedAt;
      pending.settle({ kind: "closed", written, reason });
    }
    this.#freed();
  }

  close(reason: CloseReason): void {
    if (this.#state === "closed") return;
    this.#state = "closed";
    this.#idleTimer?.cancel();
    this.#socket.close();
    for (const pending of this.#outstanding.entries()) {
      this.#release(pending);
      pending.settle({ kind: "closed", written: pending.sendings > 0, reason });
    }
    this.#owner.closed(this);
    this.#budget.release(this);
  }

  #opened(): void {
    if (this.#state !== "opening") return;
    this.#state = "open";
    for (const pending of this.#outstanding.entries()) if (!pending.abandoned) this.#transmit(pending);
  }

  /** @returns why the packet settles nothing */
  #judge(reply: Packet): DropReason | undefined {
    const pending = this.#outstanding.match(reply.identifier);
    if (pending === undefined) return this.#givenUp.delete(reply.identifier) ? "late-reply" : "unexpected-reply";
    const { code, secret, requireMessageAuthenticator } = pending.request;
    const { clock } = this.#deps;
    const verdict = verifyReply(
      reply,
      { code, authenticator: pending.authenticator },
      {
        secret,
        requireMessageAuthenticator: requireMessageAuthenticator && code === CODE.accessRequest, // BR-05
        clock,
        timestampWindowMs: this.#options.timestampWindowMs,
      },
    );
    if (verdict !== "ok") return verdict === "bad-message-authenticator" ? "reply-bad-message-authenticator" : verdict;
    const now = clock.now();
    this.#repliedAt = now;
    this.#release(pending);
    pending.settle({ kind: "reply", reply, roundTripMs: now - pending.firstSentAt });
    this.#freed();
    return undefined;
  }

  #tick(pending: UdpPending): void {
    const now = this.#deps.clock.now();
    if (now < pending.giveUpAt) return this.#transmit(pending);
    this.#release(pending);
    this.#givenUp.add(pending.identifier);
    // A channel that never opened has sent nothing.
    pending.settle(pending.sendings > 0 ? { kind: "timeout" } : { kind: "busy", why: "deadline" });
    this.#freed();
  }

  /** UC-03: each time the same octets from the same port. */
  #transmit(pending: UdpPending): void {
    const { random, wheel, clock } = this.#deps;
    const { plan } = pending.request;
    const now = clock.now();
    this.#socket.send(pending.octets);
    pending.waitMs = retransmitAfterMs(plan, pending.sendings === 0 ? undefined : pending.waitMs, random);
    pending.sendings += 1;
    const nextAt = now + pending.waitMs;
    if (pending.sendings === plan.mrc) pending.giveUpAt = Math.min(pending.giveUpAt, nextAt);
    pending.timer.cancel();
    pending.timer = wheel.schedule(Math.min(nextAt, pending.giveUpAt), () => this.#tick(pending));
  }

  #release(pending: UdpPending): void {
    pending.timer.cancel();
    this.#outstanding.release(pending.identifier);
  }

  #freed(): void {
    this.#owner.freed();
    if (this.#outstanding.size > 0 || this.#state === "closed") return;
    this.#usedAt = this.#deps.clock.now();
    this.#idleTimer ??= this.#watchIdle();
    this.#budget.idle(this);
  }

  /** One timer for the life of the channel, and not one for each time that it falls idle. */
  #watchIdle(): Timer {
    return this.#deps.wheel.schedule(this.#usedAt + this.#options.idleMs, () => {
      const busy = this.#outstanding.size > 0;
      if (!busy && this.#deps.clock.now() >= this.#usedAt + this.#options.idleMs) return this.close("idle");
      this.#idleTimer = busy ? undefined : this.#watchIdle();
    });
  }
}

function decoded(datagram: Buffer): Packet | undefined {
  try {
    return decodeDatagram(datagram);
  } catch (error) {
    if (error instanceof HubError) return undefined;
    throw error;
  }
}
