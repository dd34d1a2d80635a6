import { HubError } from "../errors.ts";
import { ATTRIBUTE, type Attribute, attributesLength } from "./attribute.ts";

export const HEADER_BYTES = 20;
/** RFC 2865 Section 3, RFC 5176 Section 2.3. RFC 2866 Section 3 prints 4095 for accounting; 4096 is accepted (PKT-03). */
export const PACKET_BYTES_MAX = 4096;
export const AUTHENTICATOR_BYTES = 16;
/** Type, Length and value (RFC 3579 Section 3.2). */
export const MESSAGE_AUTHENTICATOR_BYTES = 18;
export const ZERO_AUTHENTICATOR: Buffer = Buffer.alloc(AUTHENTICATOR_BYTES);

/** One RADIUS packet, decoded as far as every reader needs; its authenticators are NOT verified here. */
export interface Packet {
  readonly code: number;
  /** The RADIUS Identifier, 0..255. */
  readonly identifier: number;
  /** 16 octets, a view. */
  readonly authenticator: Buffer;
  /** In wire order, views into `octets`. */
  readonly attributes: readonly Attribute[];
  /** The whole packet as received or sent. */
  readonly octets: Buffer;
  /** Offset of the value of the only Message-Authenticator; -1 without one, -2 when it is malformed or there are several. */
  readonly messageAuthenticatorOffset: number;
}

/** Decodes exactly one packet (RFC 2865 Section 3). The caller verifies authenticators (authenticator.ts).
 *  @throws {HubError} ERR_RADIUS_LENGTH, ERR_RADIUS_ATTRIBUTE */
export function decodePacket(octets: Buffer): Packet {
  if (octets.length < HEADER_BYTES || octets.length > PACKET_BYTES_MAX || octets.readUInt16BE(2) !== octets.length) {
    throw new HubError("ERR_RADIUS_LENGTH", `Length does not describe the packet of ${octets.length} octets`, {
      octets: octets.length,
    });
  }
  const attributes: Attribute[] = [];
  let messageAuthenticatorOffset = -1;
  let offset = HEADER_BYTES;
  while (offset < octets.length) {
    const type = octets[offset] as number;
    const length = offset + 1 < octets.length ? (octets[offset + 1] as number) : 0;
    // RFC 2865 Section 5: Length counts Type and Length, so 0 and 1 are impossible; 0 would also loop for ever.
    if (length < 2 || offset + length > octets.length) {
      throw new HubError("ERR_RADIUS_ATTRIBUTE", `attribute ${type} at octet ${offset} has Length ${length}`, {
        code: octets[0],
        identifier: octets[1],
        type,
        offset,
        length,
      });
    }
    attributes.push({ type, value: octets.subarray(offset + 2, offset + length) });
    if (type === ATTRIBUTE.messageAuthenticator) {
      // PKT-11: at most one, of 18 octets (RFC 3579 Section 3.2); anything else never verifies.
      messageAuthenticatorOffset =
        messageAuthenticatorOffset === -1 && length === MESSAGE_AUTHENTICATOR_BYTES ? offset + 2 : -2;
    }
    offset += length;
  }
  return {
    code: octets[0] as number,
    identifier: octets[1] as number,
    authenticator: octets.subarray(4, HEADER_BYTES),
    attributes,
    octets,
    messageAuthenticatorOffset,
  };
}

/** Decodes one UDP datagram: octets beyond Length are padding, fewer than Length is an error (PKT-01, PKT-02; RFC 2865 Section 3).
 *  @throws {HubError} ERR_RADIUS_LENGTH, ERR_RADIUS_ATTRIBUTE */
export function decodeDatagram(datagram: Buffer): Packet {
  const length = datagram.length >= 4 ? datagram.readUInt16BE(2) : 0;
  if (length < HEADER_BYTES || length > PACKET_BYTES_MAX || length > datagram.length) {
    throw new HubError("ERR_RADIUS_LENGTH", `datagram of ${datagram.length} octets, Length ${length}`, {
      octets: datagram.length,
      length,
    });
  }
  return decodePacket(length === datagram.length ? datagram : datagram.subarray(0, length));
}

/** Writes a packet with the attributes in the given order. Authenticators are filled in by authenticator.ts afterwards.
 *  @param toBeSigned a Message-Authenticator of zeros goes before all of them
 *  @throws {HubError} ERR_RADIUS_TOO_LONG beyond 4096 octets (UC-09) */
export function encodePacket(
  code: number,
  identifier: number,
  authenticator: Buffer,
  attributes: readonly Attribute[],
  toBeSigned = false,
): Buffer {
  const first = toBeSigned ? HEADER_BYTES + MESSAGE_AUTHENTICATOR_BYTES : HEADER_BYTES;
  const length = first + attributesLength(attributes);
  if (length > PACKET_BYTES_MAX) {
    throw new HubError("ERR_RADIUS_TOO_LONG", `the packet would have ${length} octets, at most 4096 are allowed`, {
      length,
    });
  }
  const octets = Buffer.allocUnsafe(length);
  octets[0] = code;
  octets[1] = identifier;
  octets.writeUInt16BE(length, 2);
  octets.set(authenticator, 4);
  if (toBeSigned) {
    octets[HEADER_BYTES] = ATTRIBUTE.messageAuthenticator;
    octets[HEADER_BYTES + 1] = MESSAGE_AUTHENTICATOR_BYTES;
    octets.set(ZERO_AUTHENTICATOR, HEADER_BYTES + 2);
  }
  let offset = first;
  for (const { type, value } of attributes) {
    octets[offset] = type;
    octets[offset + 1] = value.length + 2;
    octets.set(value, offset + 2);
    offset += value.length + 2;
  }
  return octets;
}
