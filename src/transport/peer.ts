/** Who is at the other end of a link. Identity comes from what was proven, never from the address alone (invariant 1). */
export type Peer = CertificatePeer | PskPeer | AddressPeer;

export interface CertificatePeer {
  readonly kind: "certificate";
  /** Subject Common Name, undefined without one. */
  readonly commonName: string | undefined;
  /** Distinguished names, RDNs joined by ", " in certificate order: "CN=edge-1, O=Example". */
  readonly subject: string;
  readonly issuer: string;
  /** Hexadecimal, upper case, as openssl prints it. */
  readonly serialNumber: string;
  /** SHA-256, upper-case hexadecimal with colons, as openssl prints it. */
  readonly fingerprint256: string;
  readonly san: SubjectAltNames;
  /** Milliseconds since 1970 UTC. */
  readonly notBeforeMs: number;
  readonly notAfterMs: number;
  /** Leaf first, DER; what apply() checks again when trust changes (TLS-11). */
  readonly chain: readonly Buffer[];
}

export interface SubjectAltNames {
  readonly dns: readonly string[];
  /** Canonical text of ipaddr.js. */
  readonly ip: readonly string[];
  readonly uri: readonly string[];
  readonly email: readonly string[];
}

export interface PskPeer {
  readonly kind: "psk";
  readonly identity: string;
}

/** A legacy router, known by its source address and the secret it used. */
export interface AddressPeer {
  readonly kind: "address";
  readonly address: string;
}

/** A short name of the peer for logs and the API: the first SAN, else the common name, else what there is. */
export function peerLabel(peer: Peer): string {
  switch (peer.kind) {
    case "certificate":
      return (
        peer.san.dns[0] ??
        peer.san.ip[0] ??
        peer.san.uri[0] ??
        peer.san.email[0] ??
        peer.commonName ??
        peer.fingerprint256
      );
    case "psk":
      return peer.identity;
    case "address":
      return peer.address;
  }
}
