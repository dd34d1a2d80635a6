import type { Clock, Random } from "../clock.ts";
import { HubError } from "../errors.ts";
import { ATTRIBUTE, type Attribute, firstValue, proxyStates } from "../radius/attribute.ts";
import { encodeResponse } from "../radius/authenticator.ts";
import { CODE } from "../radius/codes.ts";
import type { Packet } from "../radius/packet.ts";
import { Cancellable, type Cancellation } from "./cancellation.ts";
import type { DropReason, Link, Reply, RequestContext } from "./link.ts";
import { isOfReject } from "./reject-attributes.ts";
import { isSameRequest, type Known, ReplyCache } from "./reply-cache.ts";
import type { TimingWheel } from "./timing-wheel.ts";

/** Who asks, and how the answer gets back. */
export interface Asker {
  readonly link: Link;
  /** Name of the listener that hears it. */
  readonly listener: string;
  /** Old routers on UDP do not know Protocol-Error: it is silence there (PE-06). */
  readonly takesProtocolError: boolean;
  /** Status-Servers of this second. */
  readonly statusRate: PerSecond;
  /** Its requests that are worked on or whose Access-Reject waits, over all its ports. */
  readonly working: { count: number };
  serve(context: RequestContext): Reply | Promise<Reply>;
  write(response: Buffer): void;
  dropped(reason: DropReason): void;
}

export interface ResponderDeps {
  readonly clock: Clock;
  readonly random: Random;
  readonly wheel: TimingWheel;
}

export interface ResponderOptions {
  /** Requests that are worked on at once; one more is dropped with "handler-busy". */
  readonly requestsInHandlerMax: number;
  /** The same of one asker, so that one that floods leaves room for the others. */
  readonly requestsOfAskerMax: number;
  readonly statusServer: { readonly enabled: boolean; readonly perSecondMax: number };
  readonly duplicates: { readonly keepMs: number; readonly entriesMax: number };
  /** Delay of an Access-Reject that is the hub's own verdict; undefined is none (UL-18). */
  readonly rejectDelayMs?: { readonly min: number; readonly max: number } | undefined;
}

/** Access-Rejects that wait at once. One more is dropped: sent early it would help who guesses passwords. */
const DELAYED_MAX = 10_000;

/** Answers authentic requests: duplicates, the handler, the delay of Access-Reject, the reply. What transports share.
 *
 *  new --close()--> closed: no handler is called and nothing is written any more.
 *  (1) The handler sees each request once: its duplicates are dropped while it is worked on, and get the same octets after
 *      that (CON-12, UL-06).
 *  (2) A request that nobody can receive the reply of has its signal fired: the peer used its Identifier for another one
 *      (DP-08), or close() was called (CON-11). */
export class Responder {
  readonly #deps: ResponderDeps;
  readonly #replies: ReplyCache<RequestInProgress>;
  #options: ResponderOptions;
  #inHandler = 0;
  #delayed = 0;
  #closed = false;
  #draining: (() => void)[] = [];

  constructor(deps: ResponderDeps, options: ResponderOptions) {
    this.#deps = deps;
    this.#options = options;
    this.#replies = new ReplyCache(deps, options.duplicates);
  }

  /** Resolves once no request is worked on and no Access-Reject waits. */
  drained(): Promise<void> {
    if (this.#inHandler + this.#delayed === 0) return Promise.resolve();
    return new Promise((resolve) => this.#draining.push(resolve));
  }

  /** Responses that are kept, and how many were forgotten early because of the bound. */
  get replies(): { readonly size: number; readonly pushedOut: number } {
    return this.#replies;
  }

  apply(options: ResponderOptions): void {
    this.#options = options;
    this.#replies.apply(options.duplicates);
  }

  close(): void {
    this.#closed = true;
    for (const request of this.#replies.clear()) request.cancel();
  }

  /** Answers by the handler, once.
   *  @param key the same for packets of one source with one Identifier */
  answer(packet: Packet, asker: Asker, key: number): void {
    if (this.#closed || this.#resend(packet, asker, key)) return;
    const { requestsInHandlerMax, requestsOfAskerMax } = this.#options;
    if (this.#inHandler >= requestsInHandlerMax || asker.working.count >= requestsOfAskerMax) {
      return asker.dropped("handler-busy");
    }
    const request = new RequestInProgress(packet, asker);
    const known = this.#replies.begin(key, packet, request);
    if (known === undefined) return asker.dropped("handler-busy");
    this.#inHandler += 1;
    asker.working.count += 1;
    try {
      const reply = asker.serve(request);
      if (!(reply instanceof Promise)) return this.#served(known, request, reply);
      void reply.then(
        (late) => this.#served(known, request, late),
        () => this.#served(known, request, HANDLER_FAILED),
      );
    } catch {
      this.#served(known, request, HANDLER_FAILED);
    }
  }

  /** Answers without a handler. @returns false when it was a duplicate, or there is no room */
  answerWith(reply: Reply, packet: Packet, asker: Asker, key: number): boolean {
    if (this.#closed || this.#resend(packet, asker, key)) return false;
    const request = new RequestInProgress(packet, asker);
    const known = this.#replies.begin(key, packet, request);
    if (known === undefined) asker.dropped("handler-busy");
    else this.#decided(known, request, reply);
    return known !== undefined;
  }

  /** Answers a Status-Server whose Message-Authenticator, if it has one, is right.
   *  @param code Access-Accept or Accounting-Response, as the port wants (ST-04) @returns whether it was answered anew */
  answerStatus(code: number, packet: Packet, asker: Asker, key: number): boolean {
    const { enabled, perSecondMax } = this.#options.statusServer;
    const fault = this.#statusFault(packet, asker, asker.link.client.statusServer ?? enabled, perSecondMax);
    if (fault === undefined) return this.answerWith({ kind: "reply", code, attributes: [] }, packet, asker, key);
    asker.dropped(fault);
    return false;
  }

  #statusFault(packet: Packet, asker: Asker, enabled: boolean, perSecondMax: number): DropReason | undefined {
    if (packet.messageAuthenticatorOffset < 0) return "status-no-message-authenticator"; // ST-02
    if (!enabled) return "status-disabled"; // ST-10
    return asker.statusRate.count(this.#deps.clock.now()) > perSecondMax ? "status-rate-limited" : undefined; // ST-11
  }

  /** The same request again gets the same octets, or nothing while it is worked on (CON-12, UL-06). */
  #resend(packet: Packet, asker: Asker, key: number): boolean {
    const known = this.#replies.find(key);
    if (known === undefined) return false;
    if (!isSameRequest(known, packet)) {
      known.work?.cancel(); // begin() puts the new request in its place
      return false;
    }
    if (this.#replies.isDue(known)) return false;
    if (known.response === undefined) asker.dropped("duplicate");
    else asker.write(known.response);
    return true;
  }

  #served(known: Known<RequestInProgress>, request: RequestInProgress, reply: Reply): void {
    this.#inHandler -= 1;
    request.asker.working.count -= 1;
    this.#decided(known, request, reply);
    this.#tellDrained();
  }

  #decided(known: Known<RequestInProgress>, request: RequestInProgress, reply: Reply): void {
    if (!this.#replies.holds(known)) return request.ended(); // CON-11: nobody can receive it any more
    const { packet, asker } = request;
    const response = responseTo(reply, packet, asker);
    if (typeof response === "string") {
      this.#replies.forget(known);
      asker.dropped(response);
      return request.ended();
    }
    const { rejectDelayMs } = this.#options;
    const own = response[0] === CODE.accessReject && reply.kind === "reply" && reply.proxied !== true;
    if (own && rejectDelayMs !== undefined) this.#delay(known, request, response, rejectDelayMs);
    else this.#send(known, request, response);
  }

  /** UL-18: who guesses passwords has to wait, and can not tell by the time what was wrong. Its duplicates are dropped meanwhile. */
  #delay(
    known: Known<RequestInProgress>,
    request: RequestInProgress,
    response: Buffer,
    { min, max }: { readonly min: number; readonly max: number },
  ): void {
    const { working } = request.asker;
    if (this.#delayed >= DELAYED_MAX || working.count >= this.#options.requestsOfAskerMax) {
      this.#replies.forget(known);
      return request.asker.dropped("reject-backlog");
    }
    const { clock, random, wheel } = this.#deps;
    this.#delayed += 1;
    working.count += 1;
    wheel.schedule(clock.now() + min + random.fraction() * (max - min), () => {
      this.#delayed -= 1;
      working.count -= 1;
      if (this.#replies.holds(known)) this.#send(known, request, response);
      this.#tellDrained();
    });
  }

  #tellDrained(): void {
    if (this.#draining.length === 0 || this.#inHandler + this.#delayed > 0) return;
    for (const tell of this.#draining.splice(0)) tell();
  }

  #send(known: Known<RequestInProgress>, request: RequestInProgress, response: Buffer): void {
    this.#replies.answer(known, response);
    request.asker.write(response);
    request.ended();
  }
}

/** A request from its arrival to its reply, as a handler sees it. */
class RequestInProgress extends Cancellable implements RequestContext {
  readonly packet: Packet;
  readonly asker: Asker;
  #after: (() => void)[] | undefined;

  constructor(packet: Packet, asker: Asker) {
    super();
    this.packet = packet;
    this.asker = asker;
  }

  get link(): Link {
    return this.asker.link;
  }

  get listener(): string {
    return this.asker.listener;
  }

  /** Fires when nobody can receive the reply any more. */
  get signal(): Cancellation {
    return this;
  }

  afterReply(action: () => void): void {
    (this.#after ??= []).push(action);
  }

  /** It has its reply, or never will. */
  ended(): void {
    for (const action of this.#after ?? []) action();
  }
}

/** Counts events of the current second. */
export class PerSecond {
  #second = -1;
  #count = 0;

  /** @returns how many there were in this second, this one included */
  count(nowMs: number): number {
    const second = Math.floor(nowMs / 1_000);
    if (second !== this.#second) {
      this.#second = second;
      this.#count = 0;
    }
    this.#count += 1;
    return this.#count;
  }
}

const HANDLER_FAILED: Reply = { kind: "discard", reason: "handler-failed" };

/** The signed response, or why there is none. */
function responseTo(reply: Reply, packet: Packet, asker: Asker): Buffer | DropReason {
  if (reply.kind === "discard") return reply === HANDLER_FAILED ? "handler-failed" : "handler-discard";
  const { code } = reply;
  if (code === CODE.protocolError && !asker.takesProtocolError) return "handler-discard";
  // UL-14; RFC 2866 Section 5.13. Every Access-* has one, and has it first (BR-01).
  const bare = code === CODE.accountingResponse && packet.messageAuthenticatorOffset === -1;
  try {
    const own = code === CODE.accessReject && reply.proxied !== true;
    const said = own ? reply.attributes.filter(isOfReject) : reply.attributes;
    return encodeResponse(packet, code, withProxyStates(said, packet), asker.link.client.secret, bare);
  } catch (error) {
    if (error instanceof HubError) return "handler-failed"; // it does not fit into a packet
    throw error;
  }
}

/** UL-15: a reply has the Proxy-States of its request, in order and unchanged. A handler that put some in has put in all. */
function withProxyStates(attributes: readonly Attribute[], packet: Packet): readonly Attribute[] {
  const states = proxyStates(packet.attributes);
  if (states.length === 0 || firstValue(attributes, ATTRIBUTE.proxyState) !== undefined) return attributes;
  return [...attributes, ...states];
}
