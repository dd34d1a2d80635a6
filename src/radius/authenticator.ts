import { createHmac, createSecretKey, hash, type KeyObject, timingSafeEqual } from "node:crypto";
import { HubError } from "../errors.ts";
import { ATTRIBUTE, type Attribute, repeatedType } from "./attribute.ts";
import { CODE, hasComputedAuthenticator } from "./codes.ts";
import {
  AUTHENTICATOR_BYTES,
  encodePacket,
  HEADER_BYTES,
  PACKET_BYTES_MAX,
  type Packet,
  ZERO_AUTHENTICATOR,
} from "./packet.ts";

const INSPECT = Symbol.for("nodejs.util.inspect.custom");

/** A RADIUS shared secret, with its HMAC key made once: a Buffer key would cost 17 us a packet on Node 24, this costs 3. */
export class SharedSecret {
  readonly octets: Buffer;
  readonly key: KeyObject;

  /** @throws {HubError} ERR_SECRET for an empty secret (RFC 2865 Section 3, CRY-17) or one over 1,024 octets. */
  constructor(secret: string | Buffer) {
    const octets = Buffer.from(secret as string);
    if (octets.length === 0) throw new HubError("ERR_SECRET", "a shared secret must not be empty");
    if (octets.length > SECRET_BYTES_MAX) {
      throw new HubError("ERR_SECRET", `a shared secret has at most ${SECRET_BYTES_MAX} octets`);
    }
    this.octets = octets;
    this.key = createSecretKey(octets);
  }

  /** Never the secret: an object that ends up in a log or in JSON shows this. */
  toJSON(): string {
    return "[secret]";
  }

  /** The same where console.log, an assertion or a crash shows the object. */
  [INSPECT](): string {
    return "[secret]";
  }
}

const SECRET_BYTES_MAX = 1024;

/** The secret of RADIUS/TLS (RFC 6614 Section 2.3 (4), CRY-11). */
export const RADSEC_SECRET: SharedSecret = new SharedSecret("radsec");

export type Verdict = "ok" | "bad-authenticator" | "bad-message-authenticator";

/** The attribute to put first in a packet that is to be signed; its value is filled in by signRequest/signResponse. */
export const MESSAGE_AUTHENTICATOR_PLACEHOLDER: Attribute = {
  type: ATTRIBUTE.messageAuthenticator,
  value: ZERO_AUTHENTICATOR,
};

// Every digest is computed over this copy, so that the packet given by the caller is only ever written where it is signed.
const scratch = Buffer.allocUnsafe(PACKET_BYTES_MAX + SECRET_BYTES_MAX);

function md5OfScratch(packetLength: number, secret: SharedSecret): Buffer {
  secret.octets.copy(scratch, packetLength);
  return hash("md5", scratch.subarray(0, packetLength + secret.octets.length), "buffer");
}

/** HMAC-MD5 over the packet with `authenticator` in the header and the Message-Authenticator's value zeroed. */
function hmacOf(octets: Buffer, authenticator: Buffer, valueOffset: number, secret: SharedSecret): Buffer {
  octets.copy(scratch);
  authenticator.copy(scratch, 4);
  scratch.fill(0, valueOffset, valueOffset + AUTHENTICATOR_BYTES);
  return createHmac("md5", secret.key).update(scratch.subarray(0, octets.length)).digest();
}

/** Signs a request in place.
 *  Codes 4, 40 and 43: Message-Authenticator over a zero Authenticator, only then the Request Authenticator
 *  (CRY-02, CRY-07; RFC 2866 Section 3, RFC 5176 Sections 2.3 and 3.4). Other codes: `octets` already carries a random
 *  Authenticator and the Message-Authenticator covers it (CRY-05; RFC 3579 Section 3.2, RFC 5997 Section 3).
 *  @param valueOffset offset of the Message-Authenticator's value, or -1 without one */
export function signRequest(octets: Buffer, valueOffset: number, secret: SharedSecret): void {
  const computed = hasComputedAuthenticator(octets[0] as number);
  const header = computed ? ZERO_AUTHENTICATOR : octets.subarray(4, HEADER_BYTES);
  if (valueOffset >= 0) hmacOf(octets, header, valueOffset, secret).copy(octets, valueOffset);
  if (!computed) return;
  octets.copy(scratch);
  ZERO_AUTHENTICATOR.copy(scratch, 4);
  md5OfScratch(octets.length, secret).copy(octets, 4);
}

/** Signs a response in place: Message-Authenticator with the request's Authenticator in the header, then the Response
 *  Authenticator (CRY-01, CRY-06, CRY-08, CRY-09, CRY-10; RFC 2865 Section 3, RFC 3579 Section 3.2, RFC 5176 Section 3.4). */
export function signResponse(
  octets: Buffer,
  requestAuthenticator: Buffer,
  valueOffset: number,
  secret: SharedSecret,
): void {
  if (valueOffset >= 0) hmacOf(octets, requestAuthenticator, valueOffset, secret).copy(octets, valueOffset);
  octets.copy(scratch);
  requestAuthenticator.copy(scratch, 4);
  md5OfScratch(octets.length, secret).copy(octets, 4);
}

/** Whether a request is authentic (CRY-03, CRY-05, CRY-07; a present Message-Authenticator is always checked).
 *  A Status-Server or Access-Request without one is "ok" here: whether it must have one is the caller's rule. */
export function verifyRequest(packet: Packet, secret: SharedSecret): Verdict {
  const computed = hasComputedAuthenticator(packet.code);
  if (computed) {
    packet.octets.copy(scratch);
    ZERO_AUTHENTICATOR.copy(scratch, 4);
    if (!timingSafeEqual(md5OfScratch(packet.octets.length, secret), packet.authenticator)) return "bad-authenticator";
  }
  return verifyMessageAuthenticator(packet, computed ? ZERO_AUTHENTICATOR : packet.authenticator, secret);
}

/** Whether a response answers the request with this Authenticator (RC-03, CRY-01, CRY-08). */
export function verifyResponse(packet: Packet, requestAuthenticator: Buffer, secret: SharedSecret): Verdict {
  packet.octets.copy(scratch);
  requestAuthenticator.copy(scratch, 4);
  if (!timingSafeEqual(md5OfScratch(packet.octets.length, secret), packet.authenticator)) return "bad-authenticator";
  return verifyMessageAuthenticator(packet, requestAuthenticator, secret);
}

function verifyMessageAuthenticator(packet: Packet, header: Buffer, secret: SharedSecret): Verdict {
  const offset = packet.messageAuthenticatorOffset;
  if (offset === -1) return "ok";
  if (offset === -2) return "bad-message-authenticator"; // PKT-11
  const expected = hmacOf(packet.octets, header, offset, secret);
  const got = packet.octets.subarray(offset, offset + AUTHENTICATOR_BYTES);
  return timingSafeEqual(expected, got) ? "ok" : "bad-message-authenticator";
}

/** Offset of the value of a Message-Authenticator that stands first. */
export const FIRST_VALUE_OFFSET: number = HEADER_BYTES + 2;

/** A signed response whose first attribute is the Message-Authenticator (ST-07, BR-01).
 *  @throws {HubError} ERR_RADIUS_TOO_LONG, ERR_RADIUS_ATTRIBUTE for a second State, Message-Authenticator ... (PKT-11) */
export function encodeResponse(
  request: Pick<Packet, "identifier" | "authenticator">,
  code: number,
  attributes: readonly Attribute[],
  secret: SharedSecret,
): Buffer {
  const signed = [MESSAGE_AUTHENTICATOR_PLACEHOLDER, ...attributes];
  refuseRepeated(signed);
  const octets = encodePacket(code, request.identifier, request.authenticator, signed);
  signResponse(octets, request.authenticator, FIRST_VALUE_OFFSET, secret);
  return octets;
}

/** A signed request, Message-Authenticator first except in Accounting-Request, where RFC 3579 Section 3.3 forbids it (CRY-13).
 *  @param authenticator random octets for codes whose Authenticator is not computed (CRY-04)
 *  @throws {HubError} ERR_RADIUS_TOO_LONG, ERR_RADIUS_ATTRIBUTE for a second State, Message-Authenticator ... (PKT-11) */
export function encodeRequest(
  code: number,
  identifier: number,
  attributes: readonly Attribute[],
  authenticator: Buffer,
  secret: SharedSecret,
): Buffer {
  const withMessageAuthenticator = code !== CODE.accountingRequest;
  const signed = [MESSAGE_AUTHENTICATOR_PLACEHOLDER, ...attributes];
  refuseRepeated(signed); // also where the placeholder stays out: nobody else may put one into Accounting-Request
  const octets = encodePacket(code, identifier, authenticator, withMessageAuthenticator ? signed : attributes);
  signRequest(octets, withMessageAuthenticator ? FIRST_VALUE_OFFSET : -1, secret);
  return octets;
}

function refuseRepeated(attributes: readonly Attribute[]): void {
  const type = repeatedType(attributes);
  if (type === undefined) return;
  throw new HubError("ERR_RADIUS_ATTRIBUTE", `a packet has at most one attribute ${type}`, { type });
}
