import { hash, timingSafeEqual } from "node:crypto";
import { HubError } from "../errors.ts";
import { ATTRIBUTE, firstValue } from "./attribute.ts";
import type { SharedSecret } from "./authenticator.ts";
import type { Packet } from "./packet.ts";

// Values that are hidden with the secret of one hop and its Request Authenticator: a proxy reveals them with those of the
// inbound hop and hides them again for the outbound hop (CRY-15; RFC 2865 Section 2.3).

const BLOCK_BYTES = 16;
const USER_PASSWORD_BYTES_MAX = 128;
export const SALT_BYTES = 2;
/** 15 blocks are what fits into an attribute beside tag and salt; one octet of them tells the length. */
const SALTED_BYTES_MAX = 15 * BLOCK_BYTES - 1;

/** What a value is hidden with on one hop: its secret, and the Request Authenticator of the packet or of its request. */
export interface HidingHop {
  readonly secret: SharedSecret;
  readonly authenticator: Buffer;
}

/** Hidden blocks of one hop as those of another, padding and all; `salt` is empty where there is none. Undefined for what is
 *  not whole blocks. */
export function rehideBlocks(value: Buffer, from: HidingHop, to: HidingHop, salt: Buffer): Buffer | undefined {
  if (!isWholeBlocks(value)) return undefined;
  const padded = reveal(value, from.secret, Buffer.concat([from.authenticator, salt]));
  return hide(padded, to.secret, Buffer.concat([to.authenticator, salt]));
}

/** Hides a User-Password (RFC 2865 Section 5.2). `authenticator` is the request's.
 *  @throws {HubError} ERR_RADIUS_VALUE for more than 128 octets */
export function hideUserPassword(password: Buffer, secret: SharedSecret, authenticator: Buffer): Buffer {
  if (password.length > USER_PASSWORD_BYTES_MAX) {
    throw new HubError("ERR_RADIUS_VALUE", "a User-Password has at most 128 octets");
  }
  const blocks = Math.max(1, Math.ceil(password.length / BLOCK_BYTES));
  const padded = Buffer.alloc(blocks * BLOCK_BYTES);
  password.copy(padded);
  return hide(padded, secret, authenticator);
}

/** The password, without the NULs that pad it; undefined when the value is not 1..8 whole blocks.
 *  A wrong secret is not noticed: it yields other octets (RFC 2865 Section 5.2 has no check value). */
export function revealUserPassword(value: Buffer, secret: SharedSecret, authenticator: Buffer): Buffer | undefined {
  if (!isWholeBlocks(value) || value.length > USER_PASSWORD_BYTES_MAX) return undefined;
  const padded = reveal(value, secret, authenticator);
  let end = padded.length;
  while (end > 0 && padded[end - 1] === 0) end -= 1;
  return padded.subarray(0, end);
}

/** Whether the CHAP-Password of a request was made from `password` (RFC 2865 Sections 2.2 and 5.3); the challenge is
 *  CHAP-Challenge or, without one, the Request Authenticator. Undefined without a CHAP-Password of 17 octets. */
export function verifyChapPassword(
  request: Pick<Packet, "attributes" | "authenticator">,
  password: Buffer,
): boolean | undefined {
  const value = firstValue(request.attributes, ATTRIBUTE.chapPassword);
  if (value?.length !== 1 + BLOCK_BYTES) return undefined;
  const challenge = firstValue(request.attributes, ATTRIBUTE.chapChallenge) ?? request.authenticator;
  const expected = hash("md5", Buffer.concat([value.subarray(0, 1), password, challenge]), "buffer");
  return timingSafeEqual(expected, value.subarray(1)); // CRY-14
}

/** A value of Tunnel-Password. */
export interface TunnelPassword {
  /** 0 when the attribute belongs to no group, else 1..31. */
  readonly tag: number;
  readonly password: Buffer;
}

/** Hides a Tunnel-Password (RFC 2868 Section 3.5). `salt` must differ between the attributes of one packet; its highest
 *  bit is set here. @throws {HubError} ERR_RADIUS_VALUE for a tag over 31 or more than 239 octets */
export function hideTunnelPassword(
  { tag, password }: TunnelPassword,
  salt: number,
  secret: SharedSecret,
  authenticator: Buffer,
): Buffer {
  if (tag < 0 || tag > 0x1f) throw new HubError("ERR_RADIUS_VALUE", `tag ${tag} is not 0..31`, { tag });
  return Buffer.concat([Buffer.of(tag), hideSalted(password, salt, secret, authenticator)]);
}

/** Undefined when the value is malformed, which a wrong secret makes likely. */
export function revealTunnelPassword(
  value: Buffer,
  secret: SharedSecret,
  authenticator: Buffer,
): TunnelPassword | undefined {
  const password = revealSalted(value.subarray(1), secret, authenticator);
  return password === undefined ? undefined : { tag: value[0] as number, password };
}

/** Hides MS-MPPE-Send-Key or MS-MPPE-Recv-Key (RFC 2548 Sections 2.4.2 and 2.4.3): salt and blocks, as a vendor's value.
 *  @throws {HubError} ERR_RADIUS_VALUE for more than 239 octets */
export function hideMppeKey(key: Buffer, salt: number, secret: SharedSecret, authenticator: Buffer): Buffer {
  return hideSalted(key, salt, secret, authenticator);
}

/** Undefined when the value is malformed, which a wrong secret makes likely. */
export function revealMppeKey(value: Buffer, secret: SharedSecret, authenticator: Buffer): Buffer | undefined {
  return revealSalted(value, secret, authenticator);
}

function hideSalted(plain: Buffer, salt: number, secret: SharedSecret, authenticator: Buffer): Buffer {
  if (plain.length > SALTED_BYTES_MAX) {
    throw new HubError("ERR_RADIUS_VALUE", `a salted value has at most ${SALTED_BYTES_MAX} octets`);
  }
  const saltOctets = Buffer.alloc(SALT_BYTES);
  saltOctets.writeUInt16BE((salt & 0xffff) | 0x8000);
  const padded = Buffer.alloc(Math.ceil((1 + plain.length) / BLOCK_BYTES) * BLOCK_BYTES);
  padded[0] = plain.length;
  plain.copy(padded, 1);
  return Buffer.concat([saltOctets, hide(padded, secret, Buffer.concat([authenticator, saltOctets]))]);
}

function revealSalted(value: Buffer, secret: SharedSecret, authenticator: Buffer): Buffer | undefined {
  const hidden = value.subarray(SALT_BYTES);
  if (!isWholeBlocks(hidden)) return undefined;
  const padded = reveal(hidden, secret, Buffer.concat([authenticator, value.subarray(0, SALT_BYTES)]));
  const length = padded[0] as number;
  return length < padded.length ? padded.subarray(1, 1 + length) : undefined;
}

function isWholeBlocks(value: Buffer): boolean {
  return value.length > 0 && value.length % BLOCK_BYTES === 0;
}

/** Each block is XORed with MD5(secret, the hidden block before it), the first with MD5(secret, `first`). */
function hide(padded: Buffer, secret: SharedSecret, first: Buffer): Buffer {
  const hidden = Buffer.alloc(padded.length);
  let previous = first;
  for (let offset = 0; offset < padded.length; offset += BLOCK_BYTES) {
    previous = xorBlock(padded, hidden, offset, secret, previous);
  }
  return hidden;
}

function reveal(hidden: Buffer, secret: SharedSecret, first: Buffer): Buffer {
  const padded = Buffer.alloc(hidden.length);
  let previous = first;
  for (let offset = 0; offset < hidden.length; offset += BLOCK_BYTES) {
    xorBlock(hidden, padded, offset, secret, previous);
    previous = hidden.subarray(offset, offset + BLOCK_BYTES);
  }
  return padded;
}

function xorBlock(from: Buffer, to: Buffer, offset: number, secret: SharedSecret, previous: Buffer): Buffer {
  // As text in between: a digest in a Buffer of its own takes node three times as long (see authenticator.ts).
  const mask = hash("md5", Buffer.concat([secret.octets, previous]), "binary");
  for (let at = 0; at < BLOCK_BYTES; at++) to[offset + at] = (from[offset + at] as number) ^ mask.charCodeAt(at);
  return to.subarray(offset, offset + BLOCK_BYTES);
}
