import type { X509Certificate } from "node:crypto";
import { canonicalAddress } from "./networks.ts";
import type { CertificatePeer, SubjectAltNames } from "./peer.ts";

/** What the hub keeps of a peer's certificate.
 *  @param chainDer leaf first; kept, so it must not be a view of a larger buffer */
export function certificatePeer(leaf: X509Certificate, chainDer: readonly Buffer[]): CertificatePeer {
  return {
    kind: "certificate",
    commonName: commonName(leaf.subject),
    subject: distinguishedName(leaf.subject),
    issuer: distinguishedName(leaf.issuer),
    serialNumber: leaf.serialNumber,
    fingerprint256: leaf.fingerprint256,
    san: parseSubjectAltName(leaf.subjectAltName ?? ""),
    notBeforeMs: leaf.validFromDate.getTime(),
    notAfterMs: leaf.validToDate.getTime(),
    chain: chainDer,
  };
}

/** One line of what Node prints as an RDN a line. A comma or line break inside a value arrives escaped (RFC 4514), so the
 *  result is as unambiguous as its input. */
export function distinguishedName(nodeText: string | undefined): string {
  return (nodeText ?? "").split("\n").join(", ");
}

/** The last CN is the most specific one (RFC 6125 Section 2.3.1); certificates of Active Directory have several. */
function commonName(nodeText: string | undefined): string | undefined {
  const rdn = (nodeText ?? "").split("\n").findLast((line) => line.startsWith("CN="));
  return rdn === undefined ? undefined : unescapeValue(rdn.slice(3));
}

/** RFC 4514 Section 3: a backslash before a special character, or before two hexadecimal digits of one UTF-8 octet. */
function unescapeValue(value: string): string {
  if (!value.includes("\\")) return value;
  const octets: Buffer[] = [];
  for (const [, hex, special, plain] of value.matchAll(/\\([0-9A-Fa-f]{2})|\\([\s\S])|([^\\]+)/g)) {
    octets.push(hex === undefined ? Buffer.from(special ?? plain ?? "") : Buffer.from(hex, "hex"));
  }
  return Buffer.concat(octets).toString();
}

/** `TYPE:value`, where Node writes a value with a comma, a quote or any odd character as a JSON string. */
const ENTRY = /([^:,"]+):("(?:[^"\\]|\\.)*"|[^,"]*)(?:, |$)/y;

/** Reads Node's text form of a Subject Alternative Name. Text that does not fit the grammar yields no names at all, so that
 *  nothing is guessed. */
export function parseSubjectAltName(text: string): SubjectAltNames {
  const san = { dns: [] as string[], ip: [] as string[], uri: [] as string[], email: [] as string[] };
  for (const [type, value] of subjectAltNameEntries(text)) {
    if (type === "DNS") san.dns.push(value);
    else if (type === "URI") san.uri.push(value);
    else if (type === "email") san.email.push(value);
    else if (type === "IP Address") {
      const address = canonicalAddress(value);
      if (address !== undefined) san.ip.push(address);
    }
  }
  return san;
}

/** Every entry of Node's text form, "othername" included. A value that merely contains ", DNS:other" stays one value
 *  (CVE-2021-44532). */
export function subjectAltNameEntries(text: string): (readonly [type: string, value: string])[] {
  const entries: (readonly [string, string])[] = [];
  ENTRY.lastIndex = 0;
  while (ENTRY.lastIndex < text.length) {
    const [, type, printed = ""] = ENTRY.exec(text) ?? [];
    if (type === undefined) return [];
    const value = unquote(printed);
    if (value === undefined) return [];
    entries.push([type, value]);
  }
  return entries;
}

/** A certificate must not be able to end the process: what is no JSON string after all is no value. */
function unquote(printed: string): string | undefined {
  if (!printed.startsWith('"')) return printed;
  try {
    return JSON.parse(printed) as string;
  } catch {
    return undefined;
  }
}
