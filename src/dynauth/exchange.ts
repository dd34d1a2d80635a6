import type { Clock } from "../clock.ts";
import { ATTRIBUTE, type Attribute, firstInteger, firstValue, integerAttribute } from "../radius/attribute.ts";
import { isPositive } from "../radius/codes.ts";
import type { Packet } from "../radius/packet.ts";
import type { CloseReason, Link, LinkOutcome, LinkRequest } from "../transport/link.ts";
import { CODE } from "../radius/codes.ts";
import { ERROR_CAUSE } from "./error-cause.ts";
import type { ExchangeRequest } from "./exchange-request.ts";
import type { Attempt, Outcome, Replied } from "./outcome.ts";
import { isAuthorizeOnly } from "./request-rules.ts";
import type { ResolvedTarget } from "./resolver.ts";
import type { ProxyMark } from "./trigger-attributes.ts";

export interface ExchangeDeps {
  readonly clock: Clock;
  /** What the hub itself asks carries it where it is passed on, so that loops end (DP-31). */
  readonly mark: ProxyMark;
}

/** How long to wait for the NAS, by the kind of link that it is tried on first. */
export interface ExchangeTimes {
  readonly timeoutMs: number;
  /** Over UDP, where the request is sent again meanwhile: as long as that goes on (UC-02). */
  readonly timeoutUdpMs: number;
}

/** Sends one request to one NAS and says how it ended, as the list of one that Dynauth.exchange() returns: no promise more is needed.
 *
 *  (1) Unwritten requests move on to another link of the NAS as often as there is one.
 *  (2) A written one moves once, and only after its link has closed (CON-08, CON-09; invariant 4). Another NAS never gets it (RC-20).
 *  (3) The deadline is that of the first try (CON-10).
 *  @param over told how it ended before the caller is; "refused": the request does not fit into a packet
 *  @throws {HubError} ERR_RADIUS_TOO_LONG, ERR_RADIUS_ATTRIBUTE */
export async function runExchange(
  exchangeId: string,
  request: ExchangeRequest,
  target: ResolvedTarget,
  times: ExchangeTimes,
  deps: ExchangeDeps,
  over: (outcome: Outcome | "refused") => void,
): Promise<readonly [Outcome]> {
  const course = new Course(exchangeId, request, target, deps.clock);
  let toSend: LinkRequest | undefined;
  let outcome: Outcome | undefined;
  try {
    do {
      const link = course.nextLink();
      if (link === undefined) outcome = course.exhausted();
      else {
        toSend ??= linkRequest(request, target, course.begun + timeoutOf(link, times), deps);
        const ended = await link.send(request.perLink === undefined ? toSend : { ...toSend, ...request.perLink(link) });
        outcome = course.tried(link, ended);
      }
    } while (outcome === undefined);
    return [outcome];
  } finally {
    over(outcome ?? "refused");
  }
}

function timeoutOf({ kind }: Link, { timeoutMs, timeoutUdpMs }: ExchangeTimes): number {
  return kind === "udp" ? timeoutUdpMs : timeoutMs;
}

const NONE: ReadonlySet<string> = new Set();

/** What has become of one exchange so far. */
class Course {
  /** Clock.now() */
  readonly begun: number;
  readonly #exchangeId: string;
  readonly #request: ExchangeRequest;
  readonly #target: ResolvedTarget;
  readonly #clock: Clock;
  readonly #attempts: Attempt[] = [];
  #now: number;
  #written = 0;
  #queuesFull = false;
  #why: CloseReason | undefined;

  constructor(exchangeId: string, request: ExchangeRequest, target: ResolvedTarget, clock: Clock) {
    this.#exchangeId = exchangeId;
    this.#request = request;
    this.#target = target;
    this.#clock = clock;
    this.begun = clock.now();
    this.#now = this.begun;
  }

  nextLink(): Link | undefined {
    return this.#target.pick(this.#attempts.length === 0 ? NONE : new Set(this.#attempts.map(({ linkId }) => linkId)));
  }

  /** There is no further link. */
  exhausted(): Outcome {
    const mayHaveActed = this.#written > 0;
    if (this.#queuesFull) return { ...this.#soFar(), kind: "busy", why: "queue-full", mayHaveActed };
    if (this.#attempts.length === 0) return { ...this.#soFar(), kind: "no-route", why: "offline", mayHaveActed };
    return { ...this.#soFar(), kind: "closed", why: this.#why, written: mayHaveActed, mayHaveActed };
  }

  /** @returns undefined when another link may be tried */
  tried(link: Link, ended: LinkOutcome): Outcome | undefined {
    const sentAt = this.#now;
    this.#now = this.#clock.now();
    this.#attempts.push({ linkId: link.linkId, kind: ended.kind, tookMs: this.#now - sentAt });
    if ((ended.kind === "aborted" || ended.kind === "closed") && ended.written) this.#written += 1;
    const mayHaveActed = this.#written > 0;
    switch (ended.kind) {
      case "reply":
        return replied(this.#soFar(), ended, link, mayHaveActed, this.#request);
      case "timeout":
        return { ...this.#soFar(), kind: "timeout", linkId: link.linkId, mayHaveActed: true };
      case "busy":
        if (ended.why === "deadline") return { ...this.#soFar(), kind: "busy", why: "deadline", mayHaveActed };
        this.#queuesFull = true;
        return undefined;
      case "aborted":
        return { ...this.#soFar(), kind: "closed", why: "abandoned", written: mayHaveActed, mayHaveActed };
      case "closed":
        this.#why = ended.reason;
        if (this.#written < 2) return undefined;
        return { ...this.#soFar(), kind: "closed", why: this.#why, written: true, mayHaveActed: true };
    }
  }

  #soFar(): SoFar {
    const { nas, acctSessionKey } = this.#target;
    const durationMs = this.#now - this.begun;
    return { exchangeId: this.#exchangeId, attempts: this.#attempts, durationMs, nas, acctSessionKey };
  }
}

function linkRequest(
  request: ExchangeRequest,
  target: ResolvedTarget,
  deadline: number,
  { clock, mark }: ExchangeDeps,
): LinkRequest {
  const { code, rewrite = mark.putOn, signal } = request;
  let attributes = target.identify(request.attributes);
  // RC-14, UC-04: the time of the first sending, kept when the request moves.
  const dated = code === CODE.disconnectRequest || code === CODE.coaRequest;
  if (dated && firstValue(attributes, ATTRIBUTE.eventTimestamp) === undefined) {
    attributes = [...attributes, integerAttribute(ATTRIBUTE.eventTimestamp, Math.floor(clock.wallMs() / 1_000))];
  }
  return { code, attributes, deadline, rewrite, signal };
}

type SoFar = Pick<Replied, "exchangeId" | "attempts" | "durationMs" | "nas" | "acctSessionKey">;

function replied(
  soFar: SoFar,
  ended: Extract<LinkOutcome, { kind: "reply" }>,
  link: Link,
  writtenBefore: boolean,
  request: ExchangeRequest,
): Replied {
  const { reply } = ended;
  const positive = isPositive(reply.code);
  const errorCause = firstInteger(reply.attributes, ATTRIBUTE.errorCause);
  return {
    ...soFar,
    kind: positive ? "ack" : "nak",
    linkId: link.linkId,
    replyCode: reply.code,
    replyAttributes: copyAttributes(reply),
    errorCause,
    protocolError: reply.code === CODE.protocolError,
    requestInitiated:
      reply.code === CODE.coaNak && errorCause === ERROR_CAUSE.requestInitiated && isAuthorizeOnly(request.attributes),
    roundTripMs: ended.roundTripMs,
    // "no such acct session" may be the echo of a first copy that was carried out on a link that closed.
    mayHaveActed: !positive && writtenBefore,
  };
}

/** The reply lies in the network's buffer: what is kept is copied. Proxy-State is of this hop alone, our mark come back (DP-23). */
function copyAttributes(reply: Packet): Attribute[] {
  const kept: Attribute[] = [];
  for (const { type, value } of reply.attributes) {
    if (type !== ATTRIBUTE.messageAuthenticator && type !== ATTRIBUTE.proxyState) {
      kept.push({ type, value: Buffer.from(value) });
    }
  }
  return kept;
}
