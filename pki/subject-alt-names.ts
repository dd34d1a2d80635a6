import ipaddr from "ipaddr.js";
import { HubError } from "../src/errors.ts";

/** The names a certificate speaks for (RFC 5280 Section 4.2.1.6), in the order in which they are written. */
export interface SubjectAltNames {
  readonly dns?: readonly string[];
  readonly ip?: readonly string[];
  readonly uri?: readonly string[];
  readonly email?: readonly string[];
  /** NAIRealm otherNames (RFC 7585 Section 2.2): what a router that is configured by realm looks for (TLS-24). */
  readonly naiRealm?: readonly string[];
}

/** RFC 5280 upper bound ub-common-name. */
const COMMON_NAME_CHARACTERS_MAX = 64;
const DNS_LABEL = /^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/i;
const PRINTABLE_ASCII = /^[\x21-\x7e]+$/;

/** True for a host name; its whole left-most label may be a wildcard (TLS-15). */
export function isDnsName(text: string): boolean {
  const labels = text.split(".");
  if (labels[0] === "*" && labels.length > 2) labels.shift();
  // Four decimal labels would be an IPv4 address written as a name; no top-level domain is all digits.
  return text.length <= 253 && labels.every((label) => DNS_LABEL.test(label)) && !/^\d+$/.test(labels.at(-1) ?? "");
}

function isIpAddress(text: string): boolean {
  return ipaddr.IPv4.isValidFourPartDecimal(text) || (ipaddr.IPv6.isValid(text) && !text.includes("%"));
}

/** Sorts host names given by a person into `dns` and `ip`, without duplicates.
 *  @throws {HubError} ERR_INPUT for what is neither */
export function hostNames(names: readonly string[]): SubjectAltNames {
  const unique = [...new Set(names.map((name) => name.toLowerCase()))];
  const ip = unique.filter(isIpAddress);
  return checkedAltNames({ ip, dns: unique.filter((name) => !ip.includes(name)) });
}

/** What a NAS certificate says when nobody gave names. It always has a name: the peer behind an admit-the-CA entry is its
 *  issuer and SAN set (DESIGN invariant 1), so two certificates without any would be one peer. */
export function altNamesOfNas(name: string): SubjectAltNames {
  if (isIpAddress(name)) return { ip: [name] };
  if (isDnsName(name) && !name.startsWith("*")) return { dns: [name] };
  return { uri: [`nas:${encodeURIComponent(name)}`] };
}

/** @returns the same names. @throws {HubError} ERR_INPUT naming the first that cannot stand in a certificate */
export function checkedAltNames(names: SubjectAltNames): SubjectAltNames {
  const rules: readonly [readonly string[] | undefined, string, (text: string) => boolean][] = [
    [names.dns, "DNS name", isDnsName],
    [names.ip, "IP address", isIpAddress],
    [names.uri, "URI", (text) => PRINTABLE_ASCII.test(text) && /^[a-z][a-z0-9+.-]*:./i.test(text)],
    [names.email, "e-mail address", (text) => PRINTABLE_ASCII.test(text) && /^[^@]+@[^@]+$/.test(text)],
    [names.naiRealm, "realm", isDnsName],
  ];
  for (const [values = [], what, accepts] of rules) {
    const wrong = values.find((value) => !accepts(value));
    if (wrong !== undefined) throw new HubError("ERR_INPUT", `${JSON.stringify(wrong)} is not a ${what}`);
  }
  return names;
}

/** @throws {HubError} ERR_INPUT for a text that cannot be a Common Name */
export function checkedCommonName(name: string): string {
  // \p{C} is control and format characters: a name that prints as another one is a trap for whoever reads the log.
  if (name.trim() === "" || name !== name.trim() || name.length > COMMON_NAME_CHARACTERS_MAX || /\p{C}/u.test(name)) {
    throw new HubError(
      "ERR_INPUT",
      `${JSON.stringify(name)} is not a name for a certificate: 1 to ${COMMON_NAME_CHARACTERS_MAX} printable characters`,
    );
  }
  return name;
}
