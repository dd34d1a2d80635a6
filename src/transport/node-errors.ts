import { HubError } from "../errors.ts";
import type { RefusalReason } from "./refusal.ts";

/** What OpenSSL says of a certificate chain (tls.TLSSocket.authorizationError), by X509_V_ERR name. */
const CHAIN_FAULTS: Readonly<Record<string, RefusalReason>> = {
  CERT_HAS_EXPIRED: "expired",
  CERT_NOT_YET_VALID: "not-yet-valid",
  CERT_REVOKED: "revoked",
  CRL_HAS_EXPIRED: "crl-expired",
  CRL_NOT_YET_VALID: "crl-expired",
  UNABLE_TO_GET_CRL: "no-crl",
  UNABLE_TO_GET_CRL_ISSUER: "no-crl",
  INVALID_PURPOSE: "wrong-purpose",
  DEPTH_ZERO_SELF_SIGNED_CERT: "self-signed",
  SELF_SIGNED_CERT_IN_CHAIN: "unknown-ca",
  UNABLE_TO_GET_ISSUER_CERT: "unknown-ca",
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: "unknown-ca",
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: "unknown-ca",
  CERT_UNTRUSTED: "unknown-ca",
  // The name of the issuer is that of a configured CA, the key is not: another CA that calls itself the same.
  CERT_SIGNATURE_FAILURE: "unknown-ca",
};

export function chainFault(verifyCode: string): RefusalReason {
  return CHAIN_FAULTS[verifyCode] ?? "bad-certificate";
}

/** Node and OpenSSL codes of a handshake that failed. Only what a peer says before it has spoken TLS is "not-tls". */
const HANDSHAKE_FAULTS: Readonly<Record<string, RefusalReason>> = {
  ERR_SSL_WRONG_VERSION_NUMBER: "not-tls",
  ERR_SSL_HTTP_REQUEST: "not-tls",
  ERR_SSL_HTTPS_PROXY_REQUEST: "not-tls",
  ERR_SSL_UNEXPECTED_MESSAGE: "not-tls",
  ERR_SSL_BAD_RECORD_TYPE: "not-tls",
  ERR_SSL_RECORD_LENGTH_MISMATCH: "not-tls",
  ERR_SSL_UNSUPPORTED_PROTOCOL: "tls-version",
  ERR_SSL_VERSION_TOO_LOW: "tls-version",
  ERR_SSL_NO_PROTOCOLS_AVAILABLE: "tls-version",
  ERR_SSL_NO_SHARED_CIPHER: "no-shared-cipher",
  ERR_SSL_NO_SUITABLE_SIGNATURE_ALGORITHM: "no-shared-cipher",
  ERR_SSL_NO_SHARED_SIGNATURE_ALGORITHMS: "no-shared-cipher",
  ERR_SSL_NO_SUITABLE_KEY_SHARE: "no-shared-cipher",
  ERR_SSL_NO_APPLICATION_PROTOCOL: "alpn",
  ERR_SSL_PSK_IDENTITY_NOT_FOUND: "unknown-psk-identity", // Node did not even ask: no UTF-8 (PSK-06)
  ERR_SSL_BINDER_DOES_NOT_VERIFY: "wrong-psk",
  ERR_TLS_HANDSHAKE_TIMEOUT: "handshake-timeout",
  ECONNRESET: "reset",
  EPIPE: "reset",
  ETIMEDOUT: "reset",
};

export function handshakeFault(error: NodeJS.ErrnoException): { reason: RefusalReason; detail: string } {
  const code = error.code ?? "unknown";
  // OpenSSL names an alert that it received after the alert: ERR_SSL_TLSV1_ALERT_UNKNOWN_CA.
  const reason = HANDSHAKE_FAULTS[code] ?? (code.includes("_ALERT_") ? "peer-alert" : "tls-error");
  return {
    reason,
    detail: code
      .replace(/^ERR_SSL_/, "")
      .toLowerCase()
      .replaceAll("_", " "),
  };
}

const LISTEN_FAULTS: Readonly<Record<string, string>> = {
  EADDRINUSE: "the port is in use by another process",
  EACCES: "a port below 1024 needs a permission that this process does not have",
  EADDRNOTAVAIL: "this machine has no such address",
};

/** One line for the operator whose listener can not open its socket.
 *  @param what names the listener in the configuration, "radsec listener main" */
export function listenError(what: string, address: string, port: number, error: NodeJS.ErrnoException): HubError {
  const where = `${address.includes(":") ? `[${address}]` : address}:${port}`;
  const why = LISTEN_FAULTS[error.code ?? ""] ?? error.message;
  return new HubError("ERR_LISTEN", `${what} can not listen on ${where}: ${why}`, { address, port }, { cause: error });
}

const MATERIAL_FAULTS: readonly (readonly [pattern: RegExp, text: string])[] = [
  [/KEY_VALUES_MISMATCH/, "the key does not belong to the certificate"],
  [/BAD_DECRYPT|BAD_PASSWORD|PASSWORD/, "the key is encrypted"],
  [/EE_KEY_TOO_SMALL|CA_KEY_TOO_SMALL/, "a key is too short (RSA needs 2048 bits)"], // TLS-28
  [/MD_TOO_WEAK/, "a certificate is signed with SHA-1 or MD5"], // TLS-28
  [/NO_CIPHER_MATCH|INVALID_COMMAND/, "`ciphers` leaves no cipher suite"],
  [/CRL/, "a revocation list can not be read"],
];

/** A certificate, key, CA or revocation list that OpenSSL does not take. */
export function materialError(what: string, error: NodeJS.ErrnoException): HubError {
  if (error instanceof HubError) return new HubError("ERR_PKI", `${what}: ${error.message}`, {}, { cause: error });
  const said = `${error.code ?? ""} ${error.message}`.toUpperCase().replaceAll(" ", "_");
  const text = MATERIAL_FAULTS.find(([pattern]) => pattern.test(said))?.[1] ?? "a PEM file can not be read";
  return new HubError("ERR_PKI", `${what}: ${text}`, { openssl: error.code }, { cause: error });
}
