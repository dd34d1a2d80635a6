import { hash, timingSafeEqual } from "node:crypto";
import { HubError } from "../errors.ts";
import { type Attribute, repeatedType } from "./attribute.ts";
import { CODE, hasComputedAuthenticator } from "./codes.ts";
import { MD5_BLOCK_BYTES, MD5_BYTES, Md5, type Md5State } from "./md5.ts";
import {
  AUTHENTICATOR_BYTES,
  encodePacket,
  HEADER_BYTES,
  PACKET_BYTES_MAX,
  type Packet,
  ZERO_AUTHENTICATOR,
} from "./packet.ts";

const INSPECT = Symbol.for("nodejs.util.inspect.custom");

/** A RADIUS shared secret, with the two key blocks of HMAC-MD5 digested once. */
export class SharedSecret {
  readonly octets: Buffer;
  /** The states of MD5 after the key XOR ipad, and after the key XOR opad (RFC 2104 Sections 2 and 4). */
  readonly inner: Md5State;
  readonly outer: Md5State;

  /** @throws {HubError} ERR_SECRET for an empty secret (RFC 2865 Section 3, CRY-17) or one over 1,024 octets. */
  constructor(secret: string | Buffer) {
    const octets = Buffer.from(secret as string);
    if (octets.length === 0) throw new HubError("ERR_SECRET", "a shared secret must not be empty");
    if (octets.length > SECRET_BYTES_MAX) {
      throw new HubError("ERR_SECRET", `a shared secret has at most ${SECRET_BYTES_MAX} octets`);
    }
    this.octets = octets;
    const key = octets.length > MD5_BLOCK_BYTES ? hash("md5", octets, "buffer") : octets;
    this.inner = stateAfterKey(key, 0x36);
    this.outer = stateAfterKey(key, 0x5c);
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

// A copy of the packet, then the secret: every digest is computed over this copy, so that the packet given by the caller is only
// ever written where it is signed.
const staged = new Md5(PACKET_BYTES_MAX + SECRET_BYTES_MAX);
const innerDigest = new Md5(MD5_BYTES);

/** Copies a packet with `authenticator` in its header to where the next digests read it. */
function stage(octets: Buffer, authenticator: Buffer): void {
  staged.message.set(octets);
  staged.message.set(authenticator, 4);
}

/** MD5 over the staged packet and the secret. @returns 16 octets that the next digest overwrites */
function md5OfStaged(packetBytes: number, { octets }: SharedSecret): Buffer {
  staged.message.set(octets, packetBytes);
  return staged.digest(packetBytes + octets.length);
}

/** HMAC-MD5 over the staged packet with the Message-Authenticator's value zeroed. @returns 16 octets that the next digest overwrites */
function hmacOfStaged(packetBytes: number, valueOffset: number, { inner, outer }: SharedSecret): Buffer {
  staged.message.set(ZERO_AUTHENTICATOR, valueOffset);
  innerDigest.message.set(staged.digest(packetBytes, inner));
  return innerDigest.digest(MD5_BYTES, outer);
}

function stateAfterKey(key: Buffer, pad: number): Md5State {
  const block = new Md5(MD5_BLOCK_BYTES);
  for (let at = 0; at < MD5_BLOCK_BYTES; at += 1) block.message[at] = pad ^ (key[at] ?? 0);
  return block.stateAfterBlock();
}

/** Signs a request in place.
 *  Codes 4, 40 and 43: Message-Authenticator over a zero Authenticator, only then the Request Authenticator
 *  (CRY-02, CRY-07; RFC 2866 Section 3, RFC 5176 Sections 2.3 and 3.4). Other codes: `octets` already carries a random
 *  Authenticator and the Message-Authenticator covers it (CRY-05; RFC 3579 Section 3.2, RFC 5997 Section 3).
 *  @param valueOffset offset of the Message-Authenticator's value, or -1 without one */
export function signRequest(octets: Buffer, valueOffset: number, secret: SharedSecret): void {
  const computed = hasComputedAuthenticator(octets[0] as number);
  stage(octets, computed ? ZERO_AUTHENTICATOR : octets.subarray(4, HEADER_BYTES));
  if (valueOffset >= 0) signValue(octets, valueOffset, secret);
  if (computed) octets.set(md5OfStaged(octets.length, secret), 4);
}

/** Signs a response in place: Message-Authenticator with the request's Authenticator in the header, then the Response
 *  Authenticator (CRY-01, CRY-06, CRY-08, CRY-09, CRY-10; RFC 2865 Section 3, RFC 3579 Section 3.2, RFC 5176 Section 3.4). */
export function signResponse(
  octets: Buffer,
  requestAuthenticator: Buffer,
  valueOffset: number,
  secret: SharedSecret,
): void {
  stage(octets, requestAuthenticator);
  if (valueOffset >= 0) signValue(octets, valueOffset, secret);
  octets.set(md5OfStaged(octets.length, secret), 4);
}

/** Fills in the Message-Authenticator, also in the staged copy: the Authenticator covers it. */
function signValue(octets: Buffer, valueOffset: number, secret: SharedSecret): void {
  const value = hmacOfStaged(octets.length, valueOffset, secret);
  octets.set(value, valueOffset);
  staged.message.set(value, valueOffset);
}

/** Whether a request is authentic (CRY-03, CRY-05, CRY-07; a present Message-Authenticator is always checked).
 *  A Status-Server or Access-Request without one is "ok" here: whether it must have one is the caller's rule. */
export function verifyRequest(packet: Packet, secret: SharedSecret): Verdict {
  const computed = hasComputedAuthenticator(packet.code);
  stage(packet.octets, computed ? ZERO_AUTHENTICATOR : packet.authenticator);
  if (computed && !timingSafeEqual(md5OfStaged(packet.octets.length, secret), packet.authenticator)) {
    return "bad-authenticator";
  }
  return verifyMessageAuthenticator(packet, secret);
}

/** Whether a response answers the request with this Authenticator (RC-03, CRY-01, CRY-08). */
export function verifyResponse(packet: Packet, requestAuthenticator: Buffer, secret: SharedSecret): Verdict {
  stage(packet.octets, requestAuthenticator);
  if (!timingSafeEqual(md5OfStaged(packet.octets.length, secret), packet.authenticator)) return "bad-authenticator";
  return verifyMessageAuthenticator(packet, secret);
}

/** @param packet is staged, with the Authenticator in its header that the Message-Authenticator covers */
function verifyMessageAuthenticator(packet: Packet, secret: SharedSecret): Verdict {
  const offset = packet.messageAuthenticatorOffset;
  if (offset === -1) return "ok";
  if (offset === -2) return "bad-message-authenticator"; // PKT-11
  const got = packet.octets.subarray(offset, offset + AUTHENTICATOR_BYTES);
  return timingSafeEqual(hmacOfStaged(packet.octets.length, offset, secret), got) ? "ok" : "bad-message-authenticator";
}

/** Offset of the value of a Message-Authenticator that stands first. */
export const FIRST_VALUE_OFFSET: number = HEADER_BYTES + 2;

/** A signed response whose first attribute is the Message-Authenticator (ST-07, BR-01).
 *  @param bare without a Message-Authenticator
 *  @throws {HubError} ERR_RADIUS_TOO_LONG, ERR_RADIUS_ATTRIBUTE for a second State, Message-Authenticator ... (PKT-11) */
export function encodeResponse(
  request: Pick<Packet, "identifier" | "authenticator">,
  code: number,
  attributes: readonly Attribute[],
  secret: SharedSecret,
  bare = false,
): Buffer {
  refuseRepeated(attributes);
  const octets = encodePacket(code, request.identifier, request.authenticator, attributes, !bare);
  signResponse(octets, request.authenticator, bare ? -1 : FIRST_VALUE_OFFSET, secret);
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
  refuseRepeated(attributes);
  const octets = encodePacket(code, identifier, authenticator, attributes, withMessageAuthenticator);
  signRequest(octets, withMessageAuthenticator ? FIRST_VALUE_OFFSET : -1, secret);
  return octets;
}

function refuseRepeated(attributes: readonly Attribute[]): void {
  const type = repeatedType(attributes);
  if (type === undefined) return;
  throw new HubError("ERR_RADIUS_ATTRIBUTE", `a packet has at most one attribute ${type}`, { type });
}
