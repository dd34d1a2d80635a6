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

/** Sends one request to one NAS and says how it ended.
 *
 *  (1) Unwritten requests move on to another link of the NAS as often as there is one.
 *  (2) A written one moves once, and only after its link has closed (CON-08, CON-09; invariant 4). Another NAS never gets it (RC-20).
 *  (3) The deadline is that of the first try (CON-10). */
export async function runExchange(
  exchangeId: string,
  request: ExchangeRequest,
  target: ResolvedTarget,
  times: ExchangeTimes,
  deps: ExchangeDeps,
): Promise<Outcome> {
  const { clock } = deps;
  const begun = clock.now();
  let toSend: LinkRequest | undefined;
  const tried = new Set<string>();
  const attempts: Attempt[] = [];
  let now = begun;
  let written = 0;
  let queuesFull = false;
  let why: CloseReason | undefined;
  for (;;) {
    const link = target.pick(tried);
    const { nas, acctSessionKey } = target;
    const soFar = () => ({ exchangeId, attempts, durationMs: now - begun, nas, acctSessionKey });
    if (link === undefined) {
      if (queuesFull) return { ...soFar(), kind: "busy", why: "queue-full", mayHaveActed: written > 0 };
      if (attempts.length === 0) return { ...soFar(), kind: "no-route", why: "offline", mayHaveActed: false };
      return { ...soFar(), kind: "closed", why, written: written > 0, mayHaveActed: written > 0 };
    }
    tried.add(link.linkId);
    toSend ??= linkRequest(request, target, begun + (link.kind === "udp" ? times.timeoutUdpMs : times.timeoutMs), deps);
    const sentAt = now;
    const ended = await link.send(request.perLink === undefined ? toSend : { ...toSend, ...request.perLink(link) });
    now = clock.now();
    attempts.push({ linkId: link.linkId, kind: ended.kind, tookMs: now - sentAt });
    switch (ended.kind) {
      case "reply":
        return replied(soFar(), ended, link, written > 0, request);
      case "timeout":
        return { ...soFar(), kind: "timeout", linkId: link.linkId, mayHaveActed: true };
      case "busy":
        if (ended.why === "deadline") return { ...soFar(), kind: "busy", why: "deadline", mayHaveActed: written > 0 };
        queuesFull = true;
        break;
      case "aborted":
        if (ended.written) written += 1;
        return { ...soFar(), kind: "closed", why: "abandoned", written: written > 0, mayHaveActed: written > 0 };
      case "closed":
        why = ended.reason;
        if (ended.written) written += 1;
        if (written > 1) return { ...soFar(), kind: "closed", why, written: true, mayHaveActed: true };
        break;
    }
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
