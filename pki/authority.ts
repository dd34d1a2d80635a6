// tsyringe, inside @peculiar/x509, throws at load time unless this comes first.
import "reflect-metadata";
import { createPrivateKey, createPublicKey, generateKeyPairSync, randomBytes, X509Certificate } from "node:crypto";
import type { webcrypto } from "node:crypto";
import * as x509 from "@peculiar/x509";
import { HubError } from "../src/errors.ts";
import { crlNumber, subjectAltName } from "./extensions.ts";
import type { SubjectAltNames } from "./subject-alt-names.ts";

/** P-256 and SHA-256 throughout: every router that speaks TLS 1.2 has them, and TLS-28 is met with room to spare. */
const ECDSA_P256 = { name: "ECDSA", namedCurve: "P-256" };
const ECDSA_SHA256 = { name: "ECDSA", hash: "SHA-256" };
const SERIAL_BYTES = 16;

/** Milliseconds since 1970 UTC; certificates keep whole seconds. */
export interface ValidityPeriod {
  readonly notBeforeMs: number;
  readonly notAfterMs: number;
}

export interface LeafRequest extends ValidityPeriod {
  readonly commonName: string;
  readonly altNames: SubjectAltNames;
  /** What the certificate proves: the hub to routers, or a router to the hub. */
  readonly usage: "serverAuth" | "clientAuth";
  /** PEM private key whose public half goes into the certificate. */
  readonly keyPem: string;
}

export interface Revocation {
  /** Hexadecimal, as openssl prints it. */
  readonly serial: string;
  readonly atMs: number;
}

/** A CA that signs what RFC 5280 asks for: key identifiers, critical constraints, unpredictable serial numbers. */
export class Authority {
  readonly certificatePem: string;
  readonly #certificate: x509.X509Certificate;
  readonly #signingKey: webcrypto.CryptoKey;

  private constructor(certificatePem: string, signingKey: webcrypto.CryptoKey) {
    this.certificatePem = certificatePem;
    this.#certificate = new x509.X509Certificate(certificatePem);
    this.#signingKey = signingKey;
  }

  /** Makes a self-signed CA around a private key. */
  static async create(commonName: string, keyPem: string, period: ValidityPeriod): Promise<Authority> {
    const publicKey = publicDer(keyPem);
    const signingKey = signingKeyOf(keyPem);
    const name = distinguishedName(commonName);
    const subjectKeyIdentifier = await x509.SubjectKeyIdentifierExtension.create(publicKey);
    const certificate = await x509.X509CertificateGenerator.create({
      serialNumber: randomSerial(),
      subject: name,
      issuer: name,
      ...dates(period),
      publicKey,
      signingKey,
      signingAlgorithm: ECDSA_SHA256,
      extensions: [
        // Path length 0: this CA signs routers and hubs, never another CA.
        new x509.BasicConstraintsExtension(true, 0, true),
        new x509.KeyUsagesExtension(x509.KeyUsageFlags.keyCertSign | x509.KeyUsageFlags.cRLSign, true),
        subjectKeyIdentifier,
        new x509.AuthorityKeyIdentifierExtension(subjectKeyIdentifier.keyId),
      ],
    });
    return new Authority(pem("CERTIFICATE", certificate.rawData), signingKey);
  }

  /** Takes a CA that exists. @throws {HubError} ERR_PKI when the two do not belong together or the key is not EC P-256 */
  static open(certificatePem: string, keyPem: string): Authority {
    const certificate = new X509Certificate(certificatePem);
    if (!certificate.checkPrivateKey(createPrivateKey(keyPem))) {
      throw new HubError("ERR_PKI", "the key of the CA does not belong to its certificate");
    }
    return new Authority(certificatePem, signingKeyOf(keyPem));
  }

  /** Signs a certificate that ends no later than the CA itself. @returns PEM */
  async issue(request: LeafRequest): Promise<string> {
    const publicKey = publicDer(request.keyPem);
    const altNames = subjectAltName(request.altNames);
    const notAfterMs = Math.min(request.notAfterMs, this.#certificate.notAfter.getTime());
    const certificate = await x509.X509CertificateGenerator.create({
      serialNumber: randomSerial(),
      subject: distinguishedName(request.commonName),
      issuer: this.#certificate.subjectName,
      ...dates({ notBeforeMs: request.notBeforeMs, notAfterMs }),
      publicKey,
      signingKey: this.#signingKey,
      signingAlgorithm: ECDSA_SHA256,
      extensions: [
        new x509.BasicConstraintsExtension(false, undefined, true),
        new x509.KeyUsagesExtension(x509.KeyUsageFlags.digitalSignature, true),
        new x509.ExtendedKeyUsageExtension([x509.ExtendedKeyUsage[request.usage]]),
        ...(altNames === undefined ? [] : [altNames]),
        await x509.SubjectKeyIdentifierExtension.create(publicKey),
        ...this.#authorityKeyIdentifier(),
      ],
    });
    return pem("CERTIFICATE", certificate.rawData);
  }

  /** Signs the list of what is revoked. node:tls refuses every router once `nextUpdateMs` has passed. @returns PEM */
  async revocationList(revoked: readonly Revocation[], thisUpdateMs: number, nextUpdateMs: number): Promise<string> {
    const list = await x509.X509CrlGenerator.create({
      issuer: this.#certificate.subjectName,
      thisUpdate: wholeSeconds(thisUpdateMs),
      nextUpdate: wholeSeconds(nextUpdateMs),
      signingAlgorithm: ECDSA_SHA256,
      signingKey: this.#signingKey,
      entries: revoked.map(({ serial, atMs }) => ({ serialNumber: serial, revocationDate: wholeSeconds(atMs) })),
      extensions: [...this.#authorityKeyIdentifier(), crlNumber(thisUpdateMs)],
    });
    // The label of RFC 7468 Section 6; the library's own, "CRL", is refused by node:tls.
    return pem("X509 CRL", list.rawData);
  }

  /** Names the key as the CA certificate does. A CA made without key identifiers gets none in what it signs. */
  #authorityKeyIdentifier(): x509.Extension[] {
    const own = this.#certificate.getExtension(x509.SubjectKeyIdentifierExtension);
    return own === null ? [] : [new x509.AuthorityKeyIdentifierExtension(own.keyId)];
  }
}

/** What a CRL says, or undefined for a text that is no CRL. */
export function readRevocationList(crlPem: string): { serials: ReadonlySet<string>; nextUpdateMs: number } | undefined {
  try {
    const list = new x509.X509Crl(crlPem);
    const serials = new Set(list.entries.map(({ serialNumber }) => serialNumber.toUpperCase()));
    return { serials, nextUpdateMs: list.nextUpdate?.getTime() ?? Number.POSITIVE_INFINITY };
  } catch {
    return undefined; // The caller knows the file and says which.
  }
}

/** True when a certificate says these names and no others. */
export function saysAltNames(certificatePem: string, names: SubjectAltNames): boolean {
  const wanted = subjectAltName(names);
  const present = new x509.X509Certificate(certificatePem).getExtension("2.5.29.17");
  if (wanted === undefined || present === null) return wanted === undefined && present === null;
  return Buffer.from(wanted.value).equals(Buffer.from(present.value));
}

/** A new EC P-256 private key, PKCS #8 PEM. */
export function newKeyPem(): string {
  const { privateKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
  return privateKey.export({ type: "pkcs8", format: "pem" }).toString();
}

/** As a value of its own, never as the text "CN=...": a comma in the name of a router must not start another RDN. */
function distinguishedName(commonName: string): x509.Name {
  return new x509.Name([{ CN: [{ utf8String: commonName }] }]);
}

function publicDer(keyPem: string): Buffer {
  return createPublicKey(keyPem).export({ type: "spki", format: "der" });
}

function signingKeyOf(keyPem: string): webcrypto.CryptoKey {
  const key = createPrivateKey(keyPem);
  if (key.asymmetricKeyDetails?.namedCurve !== "prime256v1") {
    throw new HubError("ERR_PKI", "the key of the CA is not an EC P-256 key");
  }
  return key.toCryptoKey(ECDSA_P256, false, ["sign"]);
}

/** RFC 5280 Section 4.1.2.2: positive, at most 20 octets; random, so that nobody can prepare a collision. */
function randomSerial(): string {
  return randomBytes(SERIAL_BYTES).toString("hex");
}

function dates({ notBeforeMs, notAfterMs }: ValidityPeriod): { notBefore: Date; notAfter: Date } {
  return { notBefore: wholeSeconds(notBeforeMs), notAfter: wholeSeconds(notAfterMs) };
}

function wholeSeconds(ms: number): Date {
  return new Date(Math.floor(ms / 1000) * 1000);
}

function pem(label: string, octets: ArrayBuffer): string {
  const lines =
    Buffer.from(octets)
      .toString("base64")
      .match(/.{1,64}/g) ?? [];
  return `-----BEGIN ${label}-----\n${lines.join("\n")}\n-----END ${label}-----\n`;
}
