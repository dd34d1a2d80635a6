import ipaddr from "ipaddr.js";
import { ATTRIBUTE, type Attribute } from "../radius/attribute.ts";

/** Canonical text of NAS-IP-Address. Undefined unless it has four octets (PKT-07), and for 0.0.0.0, which names nobody. */
export function nasIpAddressText(value: Buffer): string | undefined {
  if (value.length !== 4 || value.readUInt32BE(0) === 0) return undefined;
  return `${value[0]}.${value[1]}.${value[2]}.${value[3]}`;
}

/** Canonical text of NAS-IPv6-Address (RFC 5952). Undefined unless it has sixteen octets (PKT-07), and for `::`. */
export function nasIpv6AddressText(value: Buffer): string | undefined {
  if (value.length !== 16 || value.every((octet) => octet === 0)) return undefined;
  const address = new ipaddr.IPv6([...value]);
  return (address.isIPv4MappedAddress() ? address.toIPv4Address() : address).toString();
}

// Neither "10.1" nor "010.0.0.1" nor "0x0a000001", which other parsers read in ways that nobody means.
const IPV4 = /^(?:(?:25[0-5]|2[0-4]\d|1\d\d|[1-9]?\d)(?:\.(?!$)|$)){4}$/;

/** One text for each address, whichever way it was written; an IPv4 address inside IPv6 becomes the IPv4 address.
 *  Undefined when the text is no address. */
export function canonicalAddress(text: string): string | undefined {
  if (!text.includes(":")) return IPV4.test(text) ? text : undefined;
  return ipaddr.isValid(text) ? ipaddr.process(text).toString() : undefined;
}

/** The attribute that carries an address: NAS-IP-Address or NAS-IPv6-Address; none for text that is no address. */
export function nasAddressAttributes(text: string): Attribute[] {
  if (canonicalAddress(text) === undefined) return [];
  const octets = Buffer.from(ipaddr.process(text).toByteArray());
  return [{ type: octets.length === 4 ? ATTRIBUTE.nasIpAddress : ATTRIBUTE.nasIpv6Address, value: octets }];
}
