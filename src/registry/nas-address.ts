import ipaddr from "ipaddr.js";
import { ATTRIBUTE, type Attribute } from "../radius/attribute.ts";
import { canonicalAddress } from "../transport/networks.ts";

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

/** The attribute that carries an address: NAS-IP-Address or NAS-IPv6-Address; none for text that is no address. */
export function nasAddressAttributes(text: string): Attribute[] {
  const canonical = canonicalAddress(text);
  if (canonical === undefined) return [];
  const octets = Buffer.from(ipaddr.parse(canonical).toByteArray());
  return [{ type: octets.length === 4 ? ATTRIBUTE.nasIpAddress : ATTRIBUTE.nasIpv6Address, value: octets }];
}
