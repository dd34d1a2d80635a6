import type { Attribute } from "../radius/attribute.ts";
import { encodeRequest } from "../radius/authenticator.ts";
import { CODE, hasComputedAuthenticator } from "../radius/codes.ts";
import { AUTHENTICATOR_BYTES, HEADER_BYTES, type Packet, ZERO_AUTHENTICATOR } from "../radius/packet.ts";
import { type Correlation, IdentifierSpace } from "./correlation.ts";
import type { CloseReason, DropReason, Link, LinkOutcome, LinkRequest } from "./link.ts";
import { assertEncodable, verifyReply } from "./sent-request.ts";
import type { StreamLinkDeps } from "./stream-link.ts";
import type { Timer } from "./timing-wheel.ts";

export interface ReverseRequestsOptions {
  readonly link: Link;
  readonly deps: Pick<StreamLinkDeps, "clock" | "random" | "wheel">;
  readonly queueMax: number;
  readonly timestampWindowMs: number;
  /** Hands one whole signed packet to the transport. */
  readonly write: (octets: Buffer) => void;
  /** Whether the transport takes more now. */
  readonly writable: () => boolean;
}

interface Pending {
  readonly code: number;
  readonly attributes: readonly Attribute[];
  /** Undefined: random octets. */
  readonly seed: Buffer | undefined;
  readonly timer: Timer;
  readonly settle: (outcome: LinkOutcome) => void;
  /** Set when written. */
  identifier: number | undefined;
  authenticator: Buffer;
  sentAt: number;
}

/** Requests that the hub sends on one link, and their replies.
 *
 *  queued --pump()--> written --receive()--> settled; each of them --deadline, abort, close()--> settled.
 *  (1) A request is written once, whole, and never again on this link (CON-07, invariant 4).
 *  (2) Its Identifier is not reused before its reply, its deadline or the end of the link (CON-14, invariant 3).
 *  (3) A reply settles it only if Identifier, code, authenticators and Event-Timestamp fit; the first that does wins (RC-04).
 *  (4) What was not written by its deadline is "busy", what was is "timeout": the NAS may have acted (invariant 5). */
export class ReverseRequests {
  readonly #options: ReverseRequestsOptions;
  readonly #outstanding: Correlation<Pending> = new IdentifierSpace<Pending>();
  // A Set keeps arrival order and forgets any member in O(1).
  readonly #queue = new Set<Pending>();
  // Identifiers whose request was given up: a reply to one is late, not unexpected.
  readonly #givenUp = new Set<number>();
  #pumping = false;

  constructor(options: ReverseRequestsOptions) {
    this.#options = options;
  }

  get inFlight(): number {
    return this.#outstanding.size;
  }

  get queued(): number {
    return this.#queue.size;
  }

  /** @throws {HubError} ERR_RADIUS_TOO_LONG, ERR_RADIUS_ATTRIBUTE */
  send(request: LinkRequest): Promise<LinkOutcome> {
    const attributes = request.rewrite?.(request.attributes, this.#options.link) ?? request.attributes;
    assertEncodable(attributes);
    if (request.signal?.aborted === true) return Promise.resolve({ kind: "aborted", written: false });
    if (!this.#hasRoom()) return Promise.resolve({ kind: "busy", why: "queue-full" });
    const { promise, pending } = this.#pend(request, attributes);
    const identifier = this.#queue.size === 0 ? this.#allocate(pending) : undefined;
    if (identifier === undefined) this.#queue.add(pending);
    else this.#write(pending, identifier);
    return promise;
  }

  /** Writes a watchdog at once, past everything that waits, with the Identifier that nothing else has (WD-01). */
  sendWatchdog(request: LinkRequest): Promise<LinkOutcome> {
    assertEncodable(request.attributes);
    const { promise, pending } = this.#pend(request, request.attributes);
    const identifier = this.#outstanding.allocateReserved(pending);
    if (identifier !== undefined) this.#write(pending, identifier);
    else {
      pending.timer.cancel();
      pending.settle({ kind: "busy", why: "queue-full" });
    }
    return promise;
  }

  #pend(request: LinkRequest, attributes: readonly Attribute[]): { promise: Promise<LinkOutcome>; pending: Pending } {
    const { promise, resolve } = Promise.withResolvers<LinkOutcome>();
    const onAbort = () => this.#abort(pending);
    const pending: Pending = {
      code: request.code,
      attributes,
      seed: request.authenticator,
      timer: this.#options.deps.wheel.schedule(request.deadline, () => this.#expire(pending)),
      settle: (outcome) => {
        request.signal?.removeEventListener("abort", onAbort);
        resolve(outcome);
      },
      identifier: undefined,
      authenticator: ZERO_AUTHENTICATOR,
      sentAt: 0,
    };
    request.signal?.addEventListener("abort", onAbort, { once: true });
    return { promise, pending };
  }

  /** Writes what waits, as far as Identifiers and the transport allow. */
  pump(): void {
    if (this.#queue.size === 0) return;
    for (const pending of this.#queue) {
      const identifier = this.#allocate(pending);
      if (identifier === undefined) return;
      this.#queue.delete(pending);
      this.#write(pending, identifier);
    }
  }

  /** In the queue, or, where nothing waits, on the link itself: a queue of 0 is one that nothing waits in. */
  #hasRoom(): boolean {
    if (this.#queue.size < this.#options.queueMax) return true;
    const { size, capacity } = this.#outstanding;
    return this.#queue.size === 0 && size < capacity && this.#options.writable();
  }

  /** @returns undefined when it has to wait (CON-13) */
  #allocate(pending: Pending): number | undefined {
    return this.#options.writable() ? this.#outstanding.allocate(pending) : undefined;
  }

  #write(pending: Pending, identifier: number): void {
    this.#givenUp.delete(identifier);
    const { deps, link, write } = this.#options;
    const seed = hasComputedAuthenticator(pending.code)
      ? ZERO_AUTHENTICATOR
      : (pending.seed ?? deps.random.bytes(AUTHENTICATOR_BYTES));
    const octets = encodeRequest(pending.code, identifier, pending.attributes, seed, link.client.secret);
    pending.identifier = identifier;
    pending.authenticator = octets.subarray(4, HEADER_BYTES);
    pending.sentAt = deps.clock.now();
    write(octets);
  }

  /** Judges a packet that is not a request. "bad-message-authenticator" ends the link (CON-04), a DropReason does not (CON-05). */
  receive(packet: Packet): "settled" | "bad-message-authenticator" | DropReason {
    const pending = this.#outstanding.match(packet.identifier);
    if (pending === undefined) {
      if (this.#givenUp.delete(packet.identifier)) return "late-reply"; // RC-05
      return REPLY_CODES.has(packet.code) ? "unexpected-reply" : "unknown-code"; // CON-05, PKT-04
    }
    const { link, deps, timestampWindowMs } = this.#options;
    const { secret, requireMessageAuthenticator } = link.client;
    const { clock } = deps;
    const verdict = verifyReply(packet, pending, { secret, requireMessageAuthenticator, clock, timestampWindowMs });
    if (verdict !== "ok") return verdict;
    const roundTripMs = clock.now() - pending.sentAt;
    this.#release(pending);
    pending.settle({ kind: "reply", reply: packet, roundTripMs });
    this.pump();
    return "settled";
  }

  /** The link has ended: every request gets its outcome. */
  close(reason: CloseReason): void {
    const unwritten = [...this.#queue];
    this.#queue.clear();
    for (const pending of unwritten) {
      pending.timer.cancel();
      pending.settle({ kind: "closed", written: false, reason });
    }
    for (const pending of this.#outstanding.entries()) {
      this.#release(pending);
      pending.settle({ kind: "closed", written: true, reason });
    }
  }

  #expire(pending: Pending): void {
    if (this.#queue.delete(pending)) {
      pending.settle({ kind: "busy", why: "deadline" });
      return;
    }
    const identifier = pending.identifier;
    if (identifier === undefined) return;
    this.#release(pending);
    this.#givenUp.add(identifier);
    pending.settle({ kind: "timeout" });
    this.#pumpLater();
  }

  /** After everything that is due in this tick has expired: else a request would take the freed Identifier at its own deadline. */
  #pumpLater(): void {
    if (this.#pumping) return;
    this.#pumping = true;
    queueMicrotask(() => {
      this.#pumping = false;
      this.pump();
    });
  }

  /** A written request keeps its Identifier until its reply or its deadline, although nobody waits for it (2). */
  #abort(pending: Pending): void {
    if (this.#queue.delete(pending)) {
      pending.timer.cancel();
      pending.settle({ kind: "aborted", written: false });
    } else pending.settle({ kind: "aborted", written: true });
  }

  #release(pending: Pending): void {
    pending.timer.cancel();
    if (pending.identifier !== undefined) this.#outstanding.release(pending.identifier);
  }
}

const REPLY_CODES: ReadonlySet<number> = new Set<number>([
  CODE.accessAccept,
  CODE.accessReject,
  CODE.accountingResponse,
  CODE.accessChallenge,
  CODE.disconnectAck,
  CODE.disconnectNak,
  CODE.coaAck,
  CODE.coaNak,
  CODE.protocolError,
]);
