import ipaddr from "ipaddr.js";
import { ATTRIBUTE, type Attribute, firstValue } from "../radius/attribute.ts";
import { nasIpAddressText, nasIpv6AddressText } from "../registry/nas-address.ts";

/** Four or sixteen octets of an address that canonicalAddress() accepted. */
export function addressOctets(address: string): Buffer {
  return Buffer.from(ipaddr.parse(address).toByteArray());
}

/** The canonical NAS-IP-Address or NAS-IPv6-Address among the attributes. */
export function nasAddressIn(attributes: readonly Attribute[]): string | undefined {
  const ipv4 = firstValue(attributes, ATTRIBUTE.nasIpAddress);
  if (ipv4 !== undefined) return nasIpAddressText(ipv4);
  const ipv6 = firstValue(attributes, ATTRIBUTE.nasIpv6Address);
  return ipv6 === undefined ? undefined : nasIpv6AddressText(ipv6);
}
