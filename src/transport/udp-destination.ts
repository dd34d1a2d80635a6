import { ZERO_AUTHENTICATOR } from "../radius/packet.ts";
import type { CloseReason, LinkOutcome } from "./link.ts";
import type { SocketBudget } from "./socket-budget.ts";
import { UdpChannel, type UdpChannelOwner, type UdpEndpoint, type UdpPending } from "./udp-channel.ts";
import type { UdpRequest, UdpRequesterDeps, UdpRequesterOptions } from "./udp-requester.ts";

/** What goes to one address and port: one source port at first, more of them beyond 255 requests in flight (UC-05).
 *  Requests wait in order while there is no Identifier for them. */
export class UdpDestination implements UdpChannelOwner {
  readonly #endpoint: UdpEndpoint;
  readonly #deps: UdpRequesterDeps;
  readonly #options: UdpRequesterOptions;
  readonly #budget: SocketBudget;
  readonly #ended: () => void;
  readonly #channels = new Set<UdpChannel>();
  // A Set keeps arrival order and forgets any member in O(1).
  readonly #queue = new Set<UdpPending>();

  /** @param ended nothing is left of it: the next request finds a new one */
  constructor(
    endpoint: UdpEndpoint,
    deps: UdpRequesterDeps,
    options: UdpRequesterOptions,
    budget: SocketBudget,
    ended: () => void,
  ) {
    this.#endpoint = endpoint;
    this.#deps = deps;
    this.#options = options;
    this.#budget = budget;
    this.#ended = ended;
  }

  get inFlight(): number {
    let count = 0;
    for (const channel of this.#channels) count += channel.inFlight;
    return count;
  }

  get queued(): number {
    return this.#queue.size;
  }

  send(request: UdpRequest): Promise<LinkOutcome> {
    if (this.#queue.size >= this.#options.queueMax) return Promise.resolve({ kind: "busy", why: "queue-full" });
    const { promise, resolve } = Promise.withResolvers<LinkOutcome>();
    const { signal, deadline } = request;
    const onAbort = (): void => this.#abort(pending);
    const pending: UdpPending = {
      request,
      settle: (outcome) => {
        signal?.removeEventListener("abort", onAbort);
        resolve(outcome);
      },
      timer: this.#deps.wheel.schedule(deadline, () => this.#expire(pending)),
      abandoned: false,
      channel: undefined,
      identifier: 0,
      octets: ZERO_AUTHENTICATOR,
      authenticator: ZERO_AUTHENTICATOR,
      sendings: 0,
      firstSentAt: 0,
      waitMs: 0,
      giveUpAt: 0,
    };
    signal?.addEventListener("abort", onAbort, { once: true });
    const channel = this.#queue.size === 0 ? this.#channelWithRoom() : undefined;
    if (channel === undefined) this.#queue.add(pending);
    else this.#begin(channel, pending);
    return promise;
  }

  /** Sends what waits, as far as Identifiers and sockets allow. */
  pump(): void {
    for (const pending of this.#queue) {
      const channel = this.#channelWithRoom();
      if (channel === undefined) return;
      this.#queue.delete(pending);
      this.#begin(channel, pending);
    }
  }

  #begin(channel: UdpChannel, pending: UdpPending): void {
    pending.channel = channel;
    channel.begin(pending);
  }

  close(reason: CloseReason): void {
    const unsent = [...this.#queue];
    this.#queue.clear();
    for (const pending of unsent) {
      pending.timer.cancel();
      pending.settle({ kind: "closed", written: false, reason });
    }
    for (const channel of this.#channels) channel.close(reason);
  }

  freed(): void {
    if (this.#queue.size > 0) this.pump();
  }

  closed(channel: UdpChannel): void {
    this.#channels.delete(channel);
    if (this.#queue.size > 0) this.pump();
    else if (this.#channels.size === 0) this.#ended();
  }

  #channelWithRoom(): UdpChannel | undefined {
    for (const channel of this.#channels) if (!channel.full) return channel;
    if (this.#channels.size >= this.#options.socketsPerDestinationMax) return undefined;
    const channel = this.#budget.take(
      this,
      () => new UdpChannel(this.#endpoint, this.#deps, this.#options, this.#budget, this),
    );
    if (channel !== undefined) this.#channels.add(channel);
    return channel;
  }

  #expire(pending: UdpPending): void {
    this.#queue.delete(pending);
    pending.settle({ kind: "busy", why: "deadline" });
    this.#leaveIfEmpty();
  }

  #abort(pending: UdpPending): void {
    if (!this.#queue.delete(pending)) return pending.channel?.abandon(pending);
    pending.timer.cancel();
    pending.settle({ kind: "aborted", written: false });
    this.#leaveIfEmpty();
  }

  /** Without a socket there is nobody else who would say that it is over. */
  #leaveIfEmpty(): void {
    if (this.#channels.size > 0 || this.#queue.size > 0) return;
    this.#budget.forget(this);
    this.#ended();
  }
}
