import "reflect-metadata";
import { webcrypto } from "node:crypto";
import * as x509 from "@peculiar/x509";

type CryptoKeyPair = webcrypto.CryptoKeyPair;
type CryptoKey = webcrypto.CryptoKey;

x509.cryptoProvider.set(webcrypto as never);

const ALGORITHM = { name: "ECDSA", namedCurve: "P-256", hash: "SHA-256" };
const DAY_MS = 86_400_000;

/** What a certificate of a {@link TestCa} says; all of it optional, so that a test names only what it is about. */
export interface TestCertificateOptions {
  /** RFC 4514 text, "CN=edge-1, O=Example"; "" for an empty subject. */
  readonly subject?: string;
  readonly dns?: readonly string[];
  readonly ip?: readonly string[];
  readonly uri?: readonly string[];
  readonly email?: readonly string[];
  /** Object identifiers; clientAuth by default, undefined leaves the extension out. */
  readonly usage?: readonly string[] | undefined;
  readonly notBefore?: Date;
  readonly notAfter?: Date;
}

const CLIENT_AUTH = x509.ExtendedKeyUsage.clientAuth;
export const SERVER_AUTH = x509.ExtendedKeyUsage.serverAuth;

export interface TestCertificate {
  readonly certificate: string;
  readonly key: string;
  readonly serialNumber: string;
}

function pemOf(label: string, der: ArrayBuffer): string {
  const lines = Buffer.from(der)
    .toString("base64")
    .match(/.{1,64}/g) as string[];
  return `-----BEGIN ${label}-----\n${lines.join("\n")}\n-----END ${label}-----\n`;
}

let serial = 0x1000;
function nextSerial(): string {
  serial += 1;
  return serial.toString(16);
}

/** A certificate authority in memory: EC P-256, SHA-256. */
export class TestCa {
  readonly certificate: string;
  /** Key of the CA, for tests that run a peer with it. */
  readonly #keys: CryptoKeyPair;
  readonly #issuer: x509.X509Certificate;

  private constructor(keys: CryptoKeyPair, issuer: x509.X509Certificate) {
    this.#keys = keys;
    this.#issuer = issuer;
    this.certificate = pemOf("CERTIFICATE", issuer.rawData);
  }

  static async create(name = "Test CA"): Promise<TestCa> {
    const keys = await webcrypto.subtle.generateKey(ALGORITHM, true, ["sign", "verify"]);
    const issuer = await x509.X509CertificateGenerator.createSelfSigned({
      name: `CN=${name}`,
      serialNumber: nextSerial(),
      notBefore: new Date(Date.now() - DAY_MS),
      notAfter: new Date(Date.now() + 30 * DAY_MS),
      signingAlgorithm: ALGORITHM,
      keys: keys as CryptoKeyPair,
      extensions: [
        new x509.BasicConstraintsExtension(true, undefined, true),
        new x509.KeyUsagesExtension(x509.KeyUsageFlags.keyCertSign | x509.KeyUsageFlags.cRLSign, true),
        await x509.SubjectKeyIdentifierExtension.create(keys.publicKey as CryptoKey),
      ],
    });
    return new TestCa(keys as CryptoKeyPair, issuer);
  }

  /** A router's certificate that nobody but itself vouches for. */
  static async selfSigned(): Promise<TestCertificate> {
    const keys = (await webcrypto.subtle.generateKey(ALGORITHM, true, ["sign", "verify"])) as CryptoKeyPair;
    const signed = await x509.X509CertificateGenerator.createSelfSigned({
      name: "CN=edge-1",
      serialNumber: nextSerial(),
      signingAlgorithm: ALGORITHM,
      keys,
    });
    return {
      certificate: pemOf("CERTIFICATE", signed.rawData),
      key: pemOf("PRIVATE KEY", await webcrypto.subtle.exportKey("pkcs8", keys.privateKey)),
      serialNumber: signed.serialNumber,
    };
  }

  /** A CA below this one. */
  async intermediate(name: string): Promise<TestCa> {
    const keys = (await webcrypto.subtle.generateKey(ALGORITHM, true, ["sign", "verify"])) as CryptoKeyPair;
    return new TestCa(
      keys,
      await this.#sign(keys, `CN=${name}`, {}, [
        new x509.BasicConstraintsExtension(true, 0, true),
        new x509.KeyUsagesExtension(x509.KeyUsageFlags.keyCertSign | x509.KeyUsageFlags.cRLSign, true),
      ]),
    );
  }

  async issue(options: TestCertificateOptions = {}): Promise<TestCertificate> {
    const keys = (await webcrypto.subtle.generateKey(ALGORITHM, true, ["sign", "verify"])) as CryptoKeyPair;
    const names: x509.JsonGeneralNames = [
      ...(options.dns ?? []).map((value) => ({ type: "dns" as const, value })),
      ...(options.ip ?? []).map((value) => ({ type: "ip" as const, value })),
      ...(options.uri ?? []).map((value) => ({ type: "url" as const, value })),
      ...(options.email ?? []).map((value) => ({ type: "email" as const, value })),
    ];
    const usage = "usage" in options ? options.usage : [CLIENT_AUTH];
    const signed = await this.#sign(keys, options.subject ?? "CN=edge-1", options, [
      new x509.BasicConstraintsExtension(false, undefined, true),
      ...(names.length > 0 ? [new x509.SubjectAlternativeNameExtension(names)] : []),
      ...(usage === undefined ? [] : [new x509.ExtendedKeyUsageExtension([...usage])]),
    ]);
    return {
      certificate: pemOf("CERTIFICATE", signed.rawData),
      key: pemOf("PRIVATE KEY", await webcrypto.subtle.exportKey("pkcs8", keys.privateKey)),
      serialNumber: signed.serialNumber,
    };
  }

  /** A revocation list in PEM. */
  async revoke(serialNumbers: readonly string[], nextUpdate = new Date(Date.now() + DAY_MS)): Promise<string> {
    const list = await x509.X509CrlGenerator.create({
      issuer: this.#issuer.subject,
      thisUpdate: new Date(Date.now() - 2 * DAY_MS),
      nextUpdate,
      signingAlgorithm: ALGORITHM,
      signingKey: this.#keys.privateKey,
      entries: serialNumbers.map((serialNumber) => ({ serialNumber, revocationDate: new Date(Date.now() - DAY_MS) })),
    });
    return pemOf("X509 CRL", list.rawData);
  }

  async #sign(
    keys: CryptoKeyPair,
    subject: string,
    dates: { readonly notBefore?: Date; readonly notAfter?: Date },
    extensions: x509.Extension[],
  ): Promise<x509.X509Certificate> {
    return await x509.X509CertificateGenerator.create({
      serialNumber: nextSerial(),
      subject,
      issuer: this.#issuer.subject,
      notBefore: dates.notBefore ?? new Date(Date.now() - DAY_MS),
      notAfter: dates.notAfter ?? new Date(Date.now() + 10 * DAY_MS),
      signingAlgorithm: ALGORITHM,
      publicKey: keys.publicKey,
      signingKey: this.#keys.privateKey,
      extensions: [
        ...extensions,
        await x509.SubjectKeyIdentifierExtension.create(keys.publicKey),
        await x509.AuthorityKeyIdentifierExtension.create(this.#issuer.publicKey),
      ],
    });
  }
}
