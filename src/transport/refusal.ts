/** Why a connection did not become a link: the label in the log, the event feed and the metric. */
export const REFUSAL_REASONS = [
  "no-certificate", // TLS-08
  "expired", // TLS-09, as the next seven
  "not-yet-valid",
  "unknown-ca",
  "self-signed",
  "revoked",
  "crl-expired", // the hub's revocation list is too old: nobody of that CA gets in
  "no-crl", // revocation lists are configured, and none is of the peer's CA
  "wrong-purpose", // an extended key usage without clientAuth
  "bad-certificate", // any other fault that OpenSSL finds in the chain
  "not-in-clients", // TLS-18, PSK-08
  "unknown-psk-identity", // PSK-06, PSK-15
  "wrong-psk", // PSK-10: the identity is known, the key is another
  "not-tls", // TLS-04
  "tls-version", // TLS-05
  "no-shared-cipher", // TLS-06
  "alpn", // TLS-22
  "peer-alert", // the router ended the handshake: usually it does not trust the hub's certificate
  "tls-error", // any other fault of the handshake
  "handshake-timeout", // CON-17
  "proxy-header",
  "too-many-links", // CON-16, as the next two
  "too-many-links-of-address",
  "too-many-new",
  "too-many-half-open", // CON-17
  "too-many-half-open-of-address",
  "reset", // the peer closed or reset the connection before the handshake was over
  "stopping",
] as const;
export type RefusalReason = (typeof REFUSAL_REASONS)[number];

/** One connection that was turned away. */
export interface Refusal {
  readonly listener: string;
  readonly address: string;
  readonly port: number;
  readonly reason: RefusalReason;
  /** What a person needs beyond the reason: the subject of the certificate, OpenSSL's name of the fault. */
  readonly detail?: string;
}
