import { HubError } from "../errors.ts";

/** Types the hub itself reads or writes; everything else goes by the dictionary. */
export const ATTRIBUTE = {
  userName: 1,
  userPassword: 2,
  chapPassword: 3,
  nasIpAddress: 4,
  nasPort: 5,
  serviceType: 6,
  framedIpAddress: 8,
  replyMessage: 18,
  state: 24,
  class: 25,
  vendorSpecific: 26,
  calledStationId: 30,
  callingStationId: 31,
  nasIdentifier: 32,
  proxyState: 33,
  acctStatusType: 40,
  acctSessionId: 44,
  acctTerminateCause: 49,
  acctMultiSessionId: 50,
  eventTimestamp: 55,
  chapChallenge: 60,
  tunnelPassword: 69,
  eapMessage: 79,
  messageAuthenticator: 80,
  nasPortId: 87,
  chargeableUserIdentity: 89,
  nasIpv6Address: 95,
  framedInterfaceId: 96,
  framedIpv6Prefix: 97,
  errorCause: 101,
  delegatedIpv6Prefix: 123,
  operatorName: 126,
  framedIpv6Address: 168,
  extended1: 241,
} as const;

/** One attribute as it stands on the wire: the octets of its value, undecoded. */
export interface Attribute {
  readonly type: number;
  /** Without Type and Length; 0..253 octets. A view into the packet it came from: copy before keeping it. */
  readonly value: Buffer;
}

export const ATTRIBUTE_VALUE_BYTES_MAX = 253;

/** @throws {HubError} ERR_RADIUS_VALUE when the value does not fit into one attribute. */
export function attribute(type: number, value: Buffer): Attribute {
  if (type < 1 || type > 255) throw new HubError("ERR_RADIUS_VALUE", `attribute type ${type} is not 1..255`, { type });
  if (value.length > ATTRIBUTE_VALUE_BYTES_MAX) {
    throw new HubError("ERR_RADIUS_VALUE", `attribute ${type} has ${value.length} octets, at most 253 fit`, { type });
  }
  return { type, value };
}

/** An attribute with UTF-8 text. */
export function textAttribute(type: number, text: string): Attribute {
  return attribute(type, Buffer.from(text, "utf8"));
}

/** An attribute with an unsigned 32-bit number, network order (RFC 2865 Section 5). */
export function integerAttribute(type: number, value: number): Attribute {
  const octets = Buffer.allocUnsafe(4);
  octets.writeUInt32BE(value >>> 0);
  return { type, value: octets };
}

/** The value of the first attribute of a type, or undefined. */
export function firstValue(attributes: readonly Attribute[], type: number): Buffer | undefined {
  for (const each of attributes) if (each.type === type) return each.value;
  return undefined;
}

/** The first attribute of a type as a number; one that has not four octets is no attribute at all (PKT-07, RFC 6929 Section 2.8). */
export function firstInteger(attributes: readonly Attribute[], type: number): number | undefined {
  const value = firstValue(attributes, type);
  return value !== undefined && value.length === 4 ? value.readUInt32BE() : undefined;
}

/** The Proxy-States, in order: a reply has those of its request, unchanged (DP-22, UL-15; RFC 2865 Section 5.33). */
export function proxyStates(attributes: readonly Attribute[]): Attribute[] {
  return attributes.filter(({ type }) => type === ATTRIBUTE.proxyState);
}

/** By type: a bit for each of which a packet has at most one, 0 for the others. */
const AT_MOST_ONCE = new Uint8Array(256);
AT_MOST_ONCE[ATTRIBUTE.serviceType] = 1;
AT_MOST_ONCE[ATTRIBUTE.state] = 2;
AT_MOST_ONCE[ATTRIBUTE.eventTimestamp] = 4;
AT_MOST_ONCE[ATTRIBUTE.messageAuthenticator] = 8;

/** The type of the first attribute that repeats one of which a packet has at most one (PKT-11; RFC 2865 Section 5.24,
 *  RFC 5176 Sections 3.3 and 3.6), or undefined. The one Message-Authenticator is put in, or left out, when the packet is signed:
 *  any among the attributes is one too many. */
export function repeatedType(attributes: readonly Attribute[]): number | undefined {
  let seen = AT_MOST_ONCE[ATTRIBUTE.messageAuthenticator] ?? 0; // this runs for every packet
  for (const { type } of attributes) {
    const bit = AT_MOST_ONCE[type] ?? 0;
    if ((seen & bit) !== 0) return type;
    seen |= bit;
  }
  return undefined;
}

/** Total octets that the attributes take on the wire. */
export function attributesLength(attributes: readonly Attribute[]): number {
  let length = 0;
  for (const each of attributes) length += 2 + each.value.length;
  return length;
}
