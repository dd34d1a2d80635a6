import { ATTRIBUTE, type Attribute, firstInteger, firstValue } from "../radius/attribute.ts";
import { type SharedSecret, verifyRequest } from "../radius/authenticator.ts";
import { CODE } from "../radius/codes.ts";
import type { Packet } from "../radius/packet.ts";
import { type AcctSession, type AcctSessions, SESSION_IDENTIFICATION } from "./acct-sessions.ts";
import { type AnswerPlan, errorCauseAttributes } from "./answer-plan.ts";

export type RequestVerdict =
  | "ok"
  | "bad-authenticator"
  | "bad-message-authenticator"
  | "stale-timestamp"
  | "unsupported-code";

/** Judges a request that came down the link: nothing of it is acted on unless this is "ok".
 *  @param windowMs how far Event-Timestamp may be from now, either way */
export function judgeRequest(packet: Packet, secret: SharedSecret, wallMs: number, windowMs: number): RequestVerdict {
  if (packet.code !== CODE.disconnectRequest && packet.code !== CODE.coaRequest) return "unsupported-code";
  const verdict = verifyRequest(packet, secret); // CRY-03, CRY-07
  if (verdict !== "ok") return verdict;
  const timestamp = firstInteger(packet.attributes, ATTRIBUTE.eventTimestamp);
  // RFC 5176 Section 6.3 (DP-04): a timestamp that is not current is dropped in silence.
  if (timestamp !== undefined && Math.abs(timestamp * 1000 - wallMs) > windowMs) return "stale-timestamp";
  return "ok";
}

/** Who the router is, where it says so: a request that names another one is refused. */
export interface NasIdentity {
  readonly nasIdentifier: Attribute | undefined;
  readonly nasIpAddress: Attribute | undefined;
}

export interface Answer {
  readonly code: number;
  readonly attributes: readonly Attribute[];
  readonly errorCause: number | undefined;
  readonly ended: readonly AcctSession[];
  readonly changed: readonly AcctSession[];
}

// RFC 5176 Section 3.5.
const UNSUPPORTED_ATTRIBUTE = 401;
const MISSING_ATTRIBUTE = 402;
const NAS_IDENTIFICATION_MISMATCH = 403;
const SESSION_CONTEXT_NOT_FOUND = 503;
const RESOURCES_UNAVAILABLE = 506;
const REQUEST_INITIATED = 507;

const AUTHORIZE_ONLY = 17;
const ORIGINAL_PACKET_CODE = 4;

const NAS_IDENTIFICATION: ReadonlySet<number> = new Set([
  ATTRIBUTE.nasIpAddress,
  ATTRIBUTE.nasIdentifier,
  ATTRIBUTE.nasIpv6Address,
]);
/** Neither identification nor change, in a CoA-Request. */
const CONTROL: ReadonlySet<number> = new Set([
  ATTRIBUTE.state,
  ATTRIBUTE.proxyState,
  ATTRIBUTE.eventTimestamp,
  ATTRIBUTE.messageAuthenticator,
]);
/** What a Disconnect-Request may carry beside identification (RC-11; RFC 5176 Section 3.6). */
const DISCONNECT_EXTRAS: ReadonlySet<number> = new Set([
  ATTRIBUTE.replyMessage,
  ATTRIBUTE.class,
  ATTRIBUTE.proxyState,
  ATTRIBUTE.acctTerminateCause,
  ATTRIBUTE.eventTimestamp,
  ATTRIBUTE.messageAuthenticator,
]);

/** Carries an authentic request out as the plan says and composes the answer; undefined is silence. */
export function answerRequest(
  packet: Packet,
  nas: NasIdentity,
  acctSessions: AcctSessions,
  plan: AnswerPlan,
): Answer | undefined {
  switch (plan.verdict) {
    case "none":
      return undefined;
    case "nak":
      return refusal(packet, plan.errorCause);
    case "protocol-error":
      return protocolError(packet, plan.errorCause);
    case "ack":
    case "acct-sessions": {
      const done = carryOut(packet, nas, acctSessions);
      const always = plan.verdict === "ack" && typeof done === "number";
      return always ? approval(packet, [], []) : typeof done === "number" ? refusal(packet, done) : done;
    }
  }
}

/** @returns the approval, or the Error-Cause for which nothing was done */
function carryOut(packet: Packet, nas: NasIdentity, acctSessions: AcctSessions): Answer | number {
  const isDisconnect = packet.code === CODE.disconnectRequest;
  const identifies = (type: number) =>
    SESSION_IDENTIFICATION.has(type) || (isDisconnect && type === ATTRIBUTE.vendorSpecific);
  const identification = packet.attributes.filter(({ type }) => identifies(type));
  const rest = packet.attributes.filter(({ type }) => !identifies(type) && !NAS_IDENTIFICATION.has(type));
  if (isDisconnect && rest.some(({ type }) => !DISCONNECT_EXTRAS.has(type))) return UNSUPPORTED_ATTRIBUTE;
  if (contradicts(packet, nas.nasIdentifier) || contradicts(packet, nas.nasIpAddress)) {
    return NAS_IDENTIFICATION_MISMATCH;
  }
  const namesNas = packet.attributes.some(({ type }) => NAS_IDENTIFICATION.has(type));
  if (identification.length === 0 && !namesNas) return MISSING_ATTRIBUTE;
  // RC-10: what names only the router means all of its acct sessions.
  const matching = acctSessions.match(identification);
  if (matching.length === 0) return SESSION_CONTEXT_NOT_FOUND;
  if (isDisconnect) {
    for (const acctSession of matching) acctSessions.end(acctSession);
    return approval(packet, matching, []);
  }
  return changeAll(packet, rest, matching, acctSessions);
}

function changeAll(
  packet: Packet,
  rest: readonly Attribute[],
  matching: readonly AcctSession[],
  acctSessions: AcctSessions,
): Answer | number {
  if (firstInteger(rest, ATTRIBUTE.serviceType) === AUTHORIZE_ONLY) {
    // RC-12; RFC 5176 Section 3.2: State is mandatory, and the answer is a NAK that means "started".
    return firstValue(rest, ATTRIBUTE.state) === undefined ? MISSING_ATTRIBUTE : REQUEST_INITIATED;
  }
  const changes = rest.filter(({ type }) => !CONTROL.has(type));
  const changed: AcctSession[] = [];
  for (const acctSession of matching) {
    const now = acctSessions.change(acctSession, changes);
    if (now === undefined) {
      // RFC 5176 Section 2.2: all of it or nothing of it.
      for (const earlier of matching.slice(0, changed.length)) acctSessions.restore(earlier);
      return RESOURCES_UNAVAILABLE;
    }
    changed.push(now);
  }
  return approval(packet, [], changed);
}

function approval(packet: Packet, ended: readonly AcctSession[], changed: readonly AcctSession[]): Answer {
  return { code: packet.code + 1, attributes: echoed(packet), errorCause: undefined, ended, changed };
}

function refusal(packet: Packet, errorCause: number | undefined): Answer {
  const attributes = [...errorCauseAttributes(errorCause), ...echoed(packet)];
  return { code: packet.code + 2, attributes, errorCause, ended: [], changed: [] };
}

/** RFC 7930 Section 4 (PE-02): Original-Packet-Code (241.4) and Error-Cause. */
function protocolError(packet: Packet, errorCause: number | undefined): Answer {
  const original = Buffer.of(ORIGINAL_PACKET_CODE, 0, 0, 0, packet.code);
  const attributes = [
    ...errorCauseAttributes(errorCause),
    { type: ATTRIBUTE.extended1, value: original },
    ...echoed(packet),
  ];
  return { code: CODE.protocolError, attributes, errorCause, ended: [], changed: [] };
}

/** Proxy-State goes back as it came, and State of a CoA-Request too (RC-13; RFC 5176 Sections 3.1 and 3.3). */
function echoed(packet: Packet): readonly Attribute[] {
  const withState = packet.code === CODE.coaRequest;
  return packet.attributes.filter(
    ({ type }) => type === ATTRIBUTE.proxyState || (withState && type === ATTRIBUTE.state),
  );
}

function contradicts(packet: Packet, own: Attribute | undefined): boolean {
  if (own === undefined) return false;
  const named = firstValue(packet.attributes, own.type);
  return named !== undefined && !named.equals(own.value);
}
