import type { TLSSocket } from "node:tls";
import { certificatePeer } from "./certificate-peer.ts";
import type { ClientDirectory } from "./client-directory.ts";
import type { Handshake } from "./handshake.ts";
import { chainFault } from "./node-errors.ts";
import type { CertificatePeer, PskPeer } from "./peer.ts";
import { isCurrentPsk, provenPsk, type PskCredential } from "./psk.ts";
import type { RefusalReason } from "./refusal.ts";
import type { Trust } from "./trust.ts";

/** What the peer of a link has proven. */
export type Proof =
  | { readonly kind: "certificate"; readonly peer: CertificatePeer }
  | { readonly kind: "psk"; readonly peer: PskPeer; readonly credential: PskCredential };

export type NoProof = { readonly kind: "none"; readonly reason: RefusalReason; readonly detail?: string };

/** What a finished handshake proves by the PSKs, CAs and revocation lists of now: they may have changed while OpenSSL looked at
 *  the old ones (TLS-11). */
export function proofOf(
  socket: TLSSocket,
  { psk, address, trust: earlier }: Handshake,
  trust: Trust,
  clients: ClientDirectory,
): Proof | NoProof {
  const credential = provenPsk(psk, socket);
  if (credential !== undefined) {
    const peer: PskPeer = { kind: "psk", identity: credential.identity };
    if (isCurrentPsk(credential, clients, address)) return { kind: "psk", peer, credential };
    return { kind: "none", reason: "unknown-psk-identity", detail: `${describe(peer)}: its entry has just changed` };
  }
  const certificate = socket.getPeerX509Certificate();
  if (certificate === undefined) return { kind: "none", reason: "no-certificate" }; // TLS-08
  const peer = certificatePeer(certificate, [certificate.raw]);
  if (!socket.authorized) {
    const fault = String(socket.authorizationError);
    const words = fault.toLowerCase().replaceAll("_", " ");
    return { kind: "none", reason: chainFault(fault), detail: `${describe(peer)}: ${words}` };
  }
  const verdict = trust.judge(certificate.raw, earlier);
  if (verdict.kind === "trusted") return { kind: "certificate", peer };
  return { kind: "none", reason: verdict.kind, detail: `${describe(peer)}: ${verdict.detail}` };
}

/** Who it is, in the words that a `clients` entry would have to use. */
export function describe(peer: CertificatePeer | PskPeer): string {
  if (peer.kind === "psk") return `PSK identity "${peer.identity}"`;
  const { subject, issuer, san } = peer;
  const names = [...san.dns, ...san.ip, ...san.uri, ...san.email].join(", ");
  return `subject "${subject}", SAN "${names}", issuer "${issuer}"`;
}
