import "reflect-metadata";
import { X509Certificate } from "node:crypto";
import { X509Crl, X509Certificate as ParsedCertificate } from "@peculiar/x509";
import { distinguishedName } from "./certificate-peer.ts";
import { crlBlocks } from "./tls-context.ts";

/** What a peer's chain is worth under the CAs and revocation lists of now. */
export type TrustVerdict =
  | { readonly kind: "trusted" }
  | { readonly kind: "revoked" | "unknown-ca"; readonly detail: string };

interface RevocationList {
  readonly issuer: string;
  readonly serialNumbers: ReadonlySet<string>;
  readonly nextUpdateMs: number;
}

const TRUSTED: TrustVerdict = { kind: "trusted" };
const PATH_CERTIFICATES_MAX = 10;
const CERTIFICATE_BLOCK = /-----BEGIN CERTIFICATE-----[\s\S]*?-----END CERTIFICATE-----/g;

/** The CAs and revocation lists of one listener, for judging peers that are connected already (TLS-11). OpenSSL judged the
 *  whole path when they connected; here only what a change of configuration can undo is looked at again. */
export class Trust {
  /** Equal for two configurations with the same CAs. */
  readonly anchorsKey: string;
  readonly #anchors: readonly X509Certificate[];
  readonly #lists: readonly RevocationList[];
  /** Issuer as node:crypto prints it -> as the list's parser prints it; one entry for each CA that has issued a live peer. */
  readonly #issuers = new Map<string, string>();

  /** The PEM text has been accepted by secureContextOptions(). */
  constructor(ca: readonly string[], crl: readonly string[]) {
    this.#anchors = ca.flatMap((pem) =>
      (pem.match(CERTIFICATE_BLOCK) ?? []).map((block) => new X509Certificate(block)),
    );
    this.anchorsKey = this.#anchors
      .map((anchor) => anchor.fingerprint256)
      .sort()
      .join();
    this.#lists = crlBlocks(crl).map(parseList);
  }

  /** @param chain leaf first, DER
   *  @param pathProven the path to an anchor has been proven under the same anchorsKey: signatures need no second look */
  judge(chain: readonly Buffer[], pathProven: boolean): TrustVerdict {
    const certificates = chain.map((der) => new X509Certificate(der));
    for (const certificate of certificates) {
      if (this.#isRevoked(certificate)) {
        return { kind: "revoked", detail: `serial number ${certificate.serialNumber} is revoked` };
      }
    }
    if (pathProven || this.#reachesAnchor(certificates)) return TRUSTED;
    return { kind: "unknown-ca", detail: `${distinguishedName(certificates[0]?.issuer)} is no longer a trusted CA` };
  }

  /** What the operator has to know, because it turns peers away. */
  warnings(wallMs: number): string[] {
    if (this.#anchors.length === 0) return ["no CA is configured: every peer is refused"];
    if (this.#lists.length === 0) return [];
    const expired = this.#lists
      .filter((list) => list.nextUpdateMs <= wallMs)
      .map(
        (list) =>
          `the revocation list of ${list.issuer} expired on ${new Date(list.nextUpdateMs).toISOString()}: ` +
          "every peer of that CA is refused (crl-expired)",
      );
    const issuers = new Set(this.#lists.map((list) => list.issuer));
    const missing = this.#anchors
      .filter((anchor) => !issuers.has(new ParsedCertificate(anchor.raw).subject))
      .map((anchor) => `${distinguishedName(anchor.subject)} has no revocation list: its peers are refused (no-crl)`);
    return [...expired, ...missing];
  }

  #isRevoked(certificate: X509Certificate): boolean {
    if (this.#lists.length === 0) return false;
    let issuer = this.#issuers.get(certificate.issuer);
    if (issuer === undefined) {
      issuer = new ParsedCertificate(certificate.raw).issuer;
      this.#issuers.set(certificate.issuer, issuer);
    }
    const serialNumber = canonicalSerial(certificate.serialNumber);
    return this.#lists.some((list) => list.issuer === issuer && list.serialNumbers.has(serialNumber));
  }

  #reachesAnchor([leaf, ...sent]: readonly X509Certificate[]): boolean {
    let current = leaf;
    for (let depth = 0; current !== undefined && depth < PATH_CERTIFICATES_MAX; depth += 1) {
      const below = current;
      if (this.#anchors.some((anchor) => anchor.fingerprint256 === below.fingerprint256 || issued(anchor, below))) {
        return true;
      }
      current = sent.find((certificate) => certificate !== below && issued(certificate, below));
    }
    return false;
  }
}

function issued(issuer: X509Certificate, subject: X509Certificate): boolean {
  return subject.checkIssued(issuer) && subject.verify(issuer.publicKey);
}

function parseList(pem: string): RevocationList {
  const list = new X509Crl(pem);
  return {
    issuer: list.issuer,
    serialNumbers: new Set(list.entries.map((entry) => canonicalSerial(entry.serialNumber))),
    // Section 5.1.2.5 of RFC 5280 requires nextUpdate; a list without it never expires for OpenSSL either.
    nextUpdateMs: list.nextUpdate?.getTime() ?? Infinity,
  };
}

/** One printer writes "0A1B", another "a1b" or "00a1b". */
function canonicalSerial(hex: string): string {
  return hex.toLowerCase().replace(/^0+(?=.)/, "");
}
