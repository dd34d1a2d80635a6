import { constants } from "node:crypto";
import type { SecureContextOptions } from "node:tls";
import { createSecureContext } from "node:tls";
import { HubError } from "../errors.ts";
import { materialError } from "./node-errors.ts";
import type { PskVersion } from "./psk.ts";

/** Who the hub is on a listener and whom it trusts; PEM text throughout. */
export interface ListenerTlsOptions {
  readonly certificate: string;
  readonly key: string;
  /** The only trust anchors: the system's store is never used (TLS-10). A CA below a root needs its root here as well,
   *  because tls.Server does not pass on `allowPartialTrustChain` (Node 24.21). */
  readonly ca: readonly string[];
  /** With any list here, every CA in a peer's chain needs one that is up to date. */
  readonly crl: readonly string[];
  readonly minVersion: "TLSv1.2" | "TLSv1.3";
  /** OpenSSL names that replace the suites of TLS 1.2, those for PSK too. */
  readonly ciphers?: string;
}

const TLS13_SUITES = "TLS_AES_256_GCM_SHA384:TLS_CHACHA20_POLY1305_SHA256:TLS_AES_128_GCM_SHA256";
/** Through Node a PSK of TLS 1.3 goes with SHA-256 alone, and the suite is chosen before the PSK. */
const TLS13_SUITES_WITH_PSK = "TLS_AES_128_GCM_SHA256:TLS_CHACHA20_POLY1305_SHA256:TLS_AES_256_GCM_SHA384";
const TLS13_SUITES_OF_PSK = "TLS_AES_128_GCM_SHA256:TLS_CHACHA20_POLY1305_SHA256";
/** RFC 9325 Section 4.2: forward secrecy and authenticated encryption, nothing else (TLS-06). */
const TLS12_SUITES = [
  "ECDHE-ECDSA-AES128-GCM-SHA256",
  "ECDHE-RSA-AES128-GCM-SHA256",
  "ECDHE-ECDSA-AES256-GCM-SHA384",
  "ECDHE-RSA-AES256-GCM-SHA384",
  "ECDHE-ECDSA-CHACHA20-POLY1305",
  "ECDHE-RSA-CHACHA20-POLY1305",
].join(":");
/** RFC 9813 Section 4.4: forward secrecy (PSK-07). First in the list, because only who has a PSK offers it. */
const TLS12_PSK_SUITES = "ECDHE-PSK-CHACHA20-POLY1305";
/** What no configuration can bring back (TLS-06, PSK-07). */
const NEVER = "!aNULL:!eNULL:!RC4:!3DES:!MD5:!EXPORT:!kPSK:!kRSAPSK";

const NO_PSK: ReadonlySet<PskVersion> = new Set();

/** NO_TICKET: Node cannot run admission again when a session is resumed, so none is (TLS-20). It also keeps no session cache
 *  unless somebody listens to "resumeSession"; tickets that TLS 1.3 sends regardless name nothing that is kept. */
const SECURE_OPTIONS =
  constants.SSL_OP_NO_TICKET | constants.SSL_OP_NO_RENEGOTIATION | constants.SSL_OP_CIPHER_SERVER_PREFERENCE;

const CERTIFICATE_BLOCK = /-----BEGIN CERTIFICATE-----[\s\S]*?-----END CERTIFICATE-----/g;
const CRL_BLOCK = /-----BEGIN (?:X509 )?CRL-----([\s\S]*?)-----END (?:X509 )?CRL-----/g;

/** Every CA certificate in some PEM files.
 *  @throws {HubError} ERR_PKI for a file without one: OpenSSL would pass over it in silence */
export function certificateBlocks(pems: readonly string[]): string[] {
  return pems.flatMap((pem) => blocksOf(pem, CERTIFICATE_BLOCK, "a CA file holds no PEM certificate"));
}

/** Every revocation list in some PEM files, one PEM text each: Node reads only the first of a text, and only under OpenSSL's
 *  own label.
 *  @throws {HubError} ERR_PKI for a file without one: revocation would be off, and nobody would know */
export function crlBlocks(pems: readonly string[]): string[] {
  return pems
    .flatMap((pem) => blocksOf(pem, CRL_BLOCK, "a revocation file holds no PEM list"))
    .map((block) => block.replace(CRL_BLOCK, "-----BEGIN X509 CRL-----$1-----END X509 CRL-----\n"));
}

function blocksOf(pem: string, pattern: RegExp, fault: string): string[] {
  const blocks = pem.match(pattern);
  if (blocks === null) throw new HubError("ERR_PKI", fault);
  return [...blocks];
}

/** Runs what reads certificates, keys and lists; whatever it throws comes out as one line that names the listener.
 *  @throws {HubError} ERR_PKI */
export function readMaterial<T>(what: string, read: () => T): T {
  try {
    return read();
  } catch (error) {
    throw materialError(what, error as NodeJS.ErrnoException);
  }
}

/** Settings for tls.Server.setSecureContext(), proven to be usable: a running listener must not lose its context to a bad
 *  file.
 *  @param psk the versions of TLS in which there are PSKs to offer
 *  @throws what OpenSSL says of the files; see readMaterial() */
export function secureContextOptions(tls: ListenerTlsOptions, psk = NO_PSK): SecureContextOptions {
  const crl = crlBlocks(tls.crl);
  const options: SecureContextOptions = {
    cert: tls.certificate,
    key: tls.key,
    // An empty list trusts nobody; undefined would mean the system's store.
    ca: certificateBlocks(tls.ca),
    ...(crl.length > 0 ? { crl } : {}),
    minVersion: tls.minVersion,
    maxVersion: "TLSv1.3",
    ciphers: suites(tls.ciphers, psk),
    honorCipherOrder: true,
    secureOptions: SECURE_OPTIONS,
  };
  createSecureContext(options);
  return options;
}

/** Settings for a connection that the hub opens with a PSK: that version of TLS and suites that can use the key, and no CA at
 *  all, so that a server which goes on with a certificate instead proves nothing by it. */
export function pskContextOptions(version: PskVersion): SecureContextOptions {
  const ciphers = `${TLS13_SUITES_OF_PSK}:${TLS12_PSK_SUITES}:${NEVER}`;
  return { ca: [], minVersion: version, maxVersion: version, ciphers, secureOptions: SECURE_OPTIONS };
}

/** Whether a cipher list for TLS 1.2 leaves any suite, with what no configuration can bring back taken away. */
export function leavesCiphers(ciphers: string): boolean {
  try {
    createSecureContext({ ciphers: suites(ciphers, NO_PSK) });
    return true;
  } catch {
    return false;
  }
}

function suites(chosen: string | undefined, psk: ReadonlySet<PskVersion>): string {
  const tls13 = psk.has("TLSv1.3") ? TLS13_SUITES_WITH_PSK : TLS13_SUITES;
  const tls12 = psk.has("TLSv1.2") ? `${TLS12_PSK_SUITES}:${TLS12_SUITES}` : TLS12_SUITES;
  return `${tls13}:${chosen ?? tls12}:${NEVER}`;
}
