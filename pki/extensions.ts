// tsyringe, inside @peculiar/x509, throws at load time unless this comes first.
import "reflect-metadata";
import { Extension, GeneralName, type GeneralNameType } from "@peculiar/x509";
import type { SubjectAltNames } from "./subject-alt-names.ts";

const SUBJECT_ALT_NAME = "2.5.29.17";
const CRL_NUMBER = "2.5.29.20";
/** id-on-naiRealm, 1.3.6.1.5.5.7.8.8 (RFC 7585 Section 2.2), as a complete DER object identifier. */
const NAI_REALM_OID = Buffer.from("06082b06010505070808", "hex");

const INTEGER = 0x02;
const UTF8_STRING = 0x0c;
const SEQUENCE = 0x30;
/** [0] constructed: the otherName choice of a GeneralName, and the explicit tag around its value. */
const CONTEXT_0 = 0xa0;

/** The subjectAltName extension, or undefined when there is no name to write: an empty list is not allowed
 *  (RFC 5280 Section 4.2.1.6). */
export function subjectAltName(names: SubjectAltNames): Extension | undefined {
  const general = (type: GeneralNameType) => (value: string) => Buffer.from(new GeneralName(type, value).rawData);
  const encoded = [
    ...(names.dns ?? []).map(general("dns")),
    ...(names.ip ?? []).map(general("ip")),
    ...(names.uri ?? []).map(general("url")),
    ...(names.email ?? []).map(general("email")),
    ...(names.naiRealm ?? []).map(naiRealm),
  ];
  return encoded.length === 0 ? undefined : new Extension(SUBJECT_ALT_NAME, false, der(SEQUENCE, ...encoded));
}

/** @peculiar/x509 has no otherName, so it is written here (TLS-24). */
function naiRealm(realm: string): Buffer {
  return der(CONTEXT_0, NAI_REALM_OID, der(CONTEXT_0, der(UTF8_STRING, Buffer.from(realm))));
}

/** RFC 5280 Section 5.2.3: grows from one CRL to the next. */
export function crlNumber(number: number): Extension {
  const hex = number.toString(16);
  // A leading zero octet keeps the integer positive; more than one would not be DER.
  const octets = Buffer.from(hex.padStart(hex.length + (hex.length % 2), "0"), "hex");
  const positive = (octets[0] ?? 0) > 0x7f ? Buffer.concat([Buffer.of(0), octets]) : octets;
  return new Extension(CRL_NUMBER, false, der(INTEGER, positive));
}

function der(tag: number, ...contents: readonly Buffer[]): Buffer {
  const content = Buffer.concat(contents);
  const lengthHex = content.length.toString(16);
  const long = Buffer.from(lengthHex.padStart(lengthHex.length + (lengthHex.length % 2), "0"), "hex");
  const length =
    content.length < 0x80 ? Buffer.of(content.length) : Buffer.concat([Buffer.of(0x80 | long.length), long]);
  return Buffer.concat([Buffer.of(tag), length, content]);
}
