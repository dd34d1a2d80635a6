import "reflect-metadata";
import { X509Certificate } from "node:crypto";
import { X509Crl, X509Certificate as ParsedCertificate } from "@peculiar/x509";
import { distinguishedName } from "./certificate-peer.ts";
import { certificateBlocks, crlBlocks, type ListenerTlsOptions } from "./tls-context.ts";

/** What a peer's chain is worth under the CAs and revocation lists of now. */
export type TrustVerdict =
  | { readonly kind: "trusted" }
  | { readonly kind: "revoked" | "unknown-ca"; readonly detail: string };

interface RevocationList {
  readonly issuer: string;
  readonly serialNumbers: ReadonlySet<string>;
  readonly nextUpdateMs: number;
}

/** Also the verdict on a peer that has no certificate. */
export const TRUSTED: TrustVerdict = { kind: "trusted" };

/** The CAs and revocation lists of one listener, for judging peers that are connected already (TLS-11). OpenSSL judged the
 *  whole path when they connected; here only what a change of configuration can undo is looked at again. */
export class Trust {
  readonly #anchors: readonly X509Certificate[];
  readonly #lists: readonly RevocationList[];
  readonly #listText: string;
  /** Issuer as node:crypto prints it -> as the list's parser prints it; one entry for each CA that has issued a live peer. */
  readonly #issuers = new Map<string, string>();
  readonly #verdicts = new Map<X509Certificate, TrustVerdict>();

  /** @throws whatever the parsers say of text that is no certificate or list; see readMaterial() */
  constructor({ ca, crl }: Pick<ListenerTlsOptions, "ca" | "crl">) {
    this.#anchors = certificateBlocks(ca).map((pem) => new X509Certificate(pem));
    const blocks = crlBlocks(crl);
    this.#listText = blocks.join("");
    this.#lists = blocks.map(parseList);
  }

  /** Judges a peer that was admitted under `earlier`.
   *
   *  Node hides the intermediate certificates of a chain that it has accepted (measured on 24.21). Where such a CA is not
   *  configured here, nothing can be said of it: after a change the peer has to dial again and prove its path to OpenSSL.
   *  @param leafDer the peer's own certificate */
  judge(leafDer: Buffer, earlier: Trust): TrustVerdict {
    if (earlier === this) return TRUSTED;
    const leaf = new X509Certificate(leafDer);
    if (this.#isRevoked(leaf)) return revoked(leaf);
    // Signatures are dear, and they do not change: what was proven under CAs that are all still here stays proven.
    const proven = this.#covers(earlier);
    const issuer = this.#anchors.find((ca) => leaf.checkIssued(ca) && (proven || leaf.verify(ca.publicKey)));
    if (issuer !== undefined) return this.#judgeCa(issuer);
    return proven && this.#listText === earlier.#listText ? TRUSTED : unknownCa(leaf);
  }

  /** What the operator has to know, because it turns peers away. */
  warnings(wallMs: number): string[] {
    if (this.#anchors.length === 0) return ["no CA is configured: every certificate is refused"];
    const rootless = this.#anchors
      .filter((anchor) => this.#judgeCa(anchor).kind === "unknown-ca")
      .map(
        (anchor) =>
          `${distinguishedName(anchor.subject)} is no root, and the CA above it is not configured: its peers are refused`,
      );
    if (this.#lists.length === 0) return rootless;
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
    return [...rootless, ...expired, ...missing];
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

  #judgeCa(ca: X509Certificate): TrustVerdict {
    const known = this.#verdicts.get(ca);
    if (known !== undefined) return known;
    // Also the answer to a loop of CAs that issued each other and no root.
    this.#verdicts.set(ca, unknownCa(ca));
    const verdict = this.#isRevoked(ca) ? revoked(ca) : this.#judgeIssuerOf(ca);
    this.#verdicts.set(ca, verdict);
    return verdict;
  }

  #judgeIssuerOf(ca: X509Certificate): TrustVerdict {
    if (issued(ca, ca)) return TRUSTED;
    const issuer = this.#anchors.find((candidate) => issued(candidate, ca));
    return issuer === undefined ? unknownCa(ca) : this.#judgeCa(issuer);
  }

  #covers(earlier: Trust): boolean {
    const fingerprints = new Set(this.#anchors.map((anchor) => anchor.fingerprint256));
    return earlier.#anchors.every((anchor) => fingerprints.has(anchor.fingerprint256));
  }
}

/** When each list of some PEM text begins and ends; one without an end never does. */
export function revocationListSpans(
  crl: readonly string[],
): { readonly issuer: string; readonly thisUpdateMs: number; readonly nextUpdateMs: number }[] {
  return crlBlocks(crl).map((pem) => {
    const { issuer, thisUpdate, nextUpdate } = new X509Crl(pem);
    return { issuer, thisUpdateMs: thisUpdate.getTime(), nextUpdateMs: nextUpdate?.getTime() ?? Infinity };
  });
}

function revoked({ serialNumber }: X509Certificate): TrustVerdict {
  return { kind: "revoked", detail: `serial number ${serialNumber} is revoked` };
}

function unknownCa({ issuer }: X509Certificate): TrustVerdict {
  return { kind: "unknown-ca", detail: `${distinguishedName(issuer)} is not a configured CA` };
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
