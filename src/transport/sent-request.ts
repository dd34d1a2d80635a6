import type { Clock } from "../clock.ts";
import { HubError } from "../errors.ts";
import { ATTRIBUTE, type Attribute, attributesLength, firstInteger, repeatedType } from "../radius/attribute.ts";
import { type SharedSecret, verifyResponse } from "../radius/authenticator.ts";
import { CODE, isReplyTo } from "../radius/codes.ts";
import { HEADER_BYTES, MESSAGE_AUTHENTICATOR_BYTES, PACKET_BYTES_MAX, type Packet } from "../radius/packet.ts";

/** Whatever encodeRequest() would refuse is refused here, where the caller hears it, before the request waits for anything.
 *  @throws {HubError} ERR_RADIUS_TOO_LONG, ERR_RADIUS_ATTRIBUTE */
export function assertEncodable(attributes: readonly Attribute[]): void {
  const length = HEADER_BYTES + MESSAGE_AUTHENTICATOR_BYTES + attributesLength(attributes);
  if (length > PACKET_BYTES_MAX) {
    throw new HubError("ERR_RADIUS_TOO_LONG", `the request would have ${length} octets, at most 4096 are allowed`, {
      length,
    });
  }
  const type = repeatedType(attributes);
  if (type !== undefined) {
    throw new HubError("ERR_RADIUS_ATTRIBUTE", `a packet has at most one attribute ${type}`, { type }); // PKT-11
  }
}

/** What a reply is held against. */
export interface SentRequest {
  readonly code: number;
  readonly authenticator: Buffer;
}

export interface ReplyRules {
  readonly secret: SharedSecret;
  readonly requireMessageAuthenticator: boolean;
  readonly clock: Pick<Clock, "wallMs">;
  readonly timestampWindowMs: number;
}

export type ReplyVerdict =
  | "ok"
  | "reply-wrong-code"
  | "reply-no-message-authenticator"
  | "reply-bad-authenticator"
  | "bad-message-authenticator"
  | "reply-stale-timestamp";

/** Whether a packet with the Identifier of a request answers it: code, authenticators and, in the answer to a Disconnect
 *  or CoA, Event-Timestamp must fit. */
export function verifyReply(reply: Packet, request: SentRequest, rules: ReplyRules): ReplyVerdict {
  if (!isReplyTo(request.code, reply.code)) return "reply-wrong-code"; // RC-04
  if (reply.code === CODE.protocolError && !refersTo(reply, request.code)) return "reply-wrong-code"; // RC-18
  // BR-08: before the Response Authenticator, which is what BlastRADIUS forges.
  if (rules.requireMessageAuthenticator && reply.messageAuthenticatorOffset === -1) {
    return "reply-no-message-authenticator";
  }
  const verdict = verifyResponse(reply, request.authenticator, rules.secret);
  if (verdict === "bad-authenticator") return "reply-bad-authenticator";
  if (verdict !== "ok") return verdict;
  return isStale(reply, request, rules) ? "reply-stale-timestamp" : "ok";
}

/** RC-15; RFC 5176 Section 6.3. In an Access-Accept it is what the server says of the user's session, and no proof of anything. */
function isStale(reply: Packet, { code }: SentRequest, { clock, timestampWindowMs }: ReplyRules): boolean {
  if (code !== CODE.disconnectRequest && code !== CODE.coaRequest) return false;
  const timestamp = firstInteger(reply.attributes, ATTRIBUTE.eventTimestamp);
  return timestamp !== undefined && Math.abs(timestamp * 1_000 - clock.wallMs()) > timestampWindowMs;
}

/** Whether a Protocol-Error speaks of a request with this code: Original-Packet-Code, 241.4, says so or is absent (RFC 7930 Section 4). */
function refersTo(packet: Packet, code: number): boolean {
  for (const { type, value } of packet.attributes) {
    if (type === ATTRIBUTE.extended1 && value.length === 5 && value[0] === ORIGINAL_PACKET_CODE) {
      return value.readUInt32BE(1) === code;
    }
  }
  return true;
}

const ORIGINAL_PACKET_CODE = 4;
