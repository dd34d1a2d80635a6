import type { LinkRecord } from "../registry/types.ts";
import { type Peer, peerLabel } from "../transport/peer.ts";
import { nasName } from "../registry/nas-name.ts";

/** A link as the API shows it, without its Status-Server attributes. */
export function linkJson({ link, nasIdentifiers, nasAddresses, lastSeenMs }: LinkRecord) {
  return {
    link_id: link.linkId,
    kind: link.kind,
    fallback: link.fallback === true,
    listener: link.listener,
    client: link.client.name,
    peer: peerJson(link.peer),
    address: link.address,
    port: link.port,
    protocol: link.protocol,
    connected_at: new Date(link.connectedAtMs).toISOString(),
    last_seen_at: new Date(lastSeenMs).toISOString(),
    nas_identifiers: [...nasIdentifiers].map(nasName),
    nas_addresses: [...nasAddresses],
    in_flight: link.inFlight,
    queued: link.queued,
  };
}

function peerJson(peer: Peer): Record<string, unknown> {
  const label = peerLabel(peer);
  switch (peer.kind) {
    case "certificate":
      return {
        kind: peer.kind,
        label,
        subject: peer.subject,
        issuer: peer.issuer,
        serial_number: peer.serialNumber,
        fingerprint256: peer.fingerprint256,
        san: peer.san,
        not_before: new Date(peer.notBeforeMs).toISOString(),
        not_after: new Date(peer.notAfterMs).toISOString(),
      };
    case "psk":
      return { kind: peer.kind, label, identity: peer.identity };
    case "address":
      return { kind: peer.kind, label, address: peer.address };
  }
}
