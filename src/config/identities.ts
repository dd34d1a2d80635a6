import ipaddr from "ipaddr.js";
import { isIpAddress, refuse, text } from "./values.ts";

const DNS_LABEL = /^[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?$/;

/** A DNS name in lower case; its whole left-most label may be a wildcard (TLS-15). */
export function dnsName(description: string) {
  const expected = 'must be a DNS name; a "*" can only be its whole first label';
  return text(description, {}, expected).transform((value, context) => {
    const name = value.toLowerCase();
    return isDnsName(name) ? name : refuse(context, expected);
  });
}

/** A DNS name or an IP address, canonical. */
export function hostName(description: string) {
  const expected = "must be a DNS name or an IP address";
  return text(description, {}, expected).transform((value, context) => {
    if (isIpAddress(value)) return ipaddr.parse(value).toString();
    const name = value.toLowerCase();
    return isDnsName(name) ? name : refuse(context, expected);
  });
}

/** An IP address as ipaddr.js writes it. */
export function ipAddress(description: string) {
  const expected = "must be an IP address";
  return text(description, {}, expected).transform((value, context) =>
    isIpAddress(value) ? ipaddr.parse(value).toString() : refuse(context, expected),
  );
}

/** A SHA-256 fingerprint, with or without colons -> upper case with colons, as openssl prints it. */
export function fingerprint(description: string) {
  const expected = "must be a SHA-256 fingerprint: 32 octets in hexadecimal, with or without colons";
  return text(description, {}, expected).transform((value, context) => {
    const digits = /^[0-9A-F]{2}(:[0-9A-F]{2}){31}$/i.test(value) ? value.replaceAll(":", "") : value;
    if (!/^[0-9A-F]{64}$/i.test(digits)) return refuse(context, expected);
    return (digits.toUpperCase().match(/../g) as string[]).join(":");
  });
}

function isDnsName(lowerCase: string): boolean {
  const labels = lowerCase.split(".");
  if (labels[0] === "*" && labels.length > 2) labels.shift();
  // A top-level domain is never all digits: four decimal labels would be an IPv4 address.
  const top = labels.at(-1) as string;
  return lowerCase.length <= 253 && labels.every((label) => DNS_LABEL.test(label)) && !/^\d+$/.test(top);
}
