import type { ClientEntry } from "../../src/transport/client-entry.ts";
import type { CloseReason, Link, LinkOutcome, LinkRequest } from "../../src/transport/link.ts";
import type { CertificatePeer, Peer, SubjectAltNames } from "../../src/transport/peer.ts";
import { clientEntry } from "./client-entries.ts";

/** A certificate identity without a certificate. */
export function certificatePeer(
  changes: Partial<Omit<CertificatePeer, "kind" | "san">> & { san?: Partial<SubjectAltNames> } = {},
): CertificatePeer {
  const { san, ...facts } = changes;
  return {
    kind: "certificate",
    commonName: "nas",
    subject: "CN=nas",
    issuer: "CN=Test CA",
    serialNumber: "01",
    fingerprint256: "AA:BB",
    notBeforeMs: 0,
    notAfterMs: 4_102_444_800_000,
    chain: [],
    ...facts,
    san: { dns: [], ip: [], uri: [], email: [], ...san },
  };
}

export interface FakeLinkFacts {
  readonly linkId: string;
  readonly listener?: string;
  readonly peer?: Peer;
  /** Default: a peer of its own. */
  readonly peerKey?: string;
  readonly client?: ClientEntry;
  readonly address?: string;
  readonly connectedAtMs?: number;
  readonly fallback?: boolean;
}

/** A link without a socket: what it would send is kept in `sent`, and it says of itself what a test sets. */
export class FakeLink implements Link {
  readonly kind = "tls";
  readonly protocol = "TLSv1.3";
  readonly port = 40_000;
  readonly linkId: string;
  readonly listener: string;
  readonly peer: Peer;
  peerKey: string;
  readonly address: string;
  readonly connectedAtMs: number;
  readonly fallback: boolean;
  readonly sent: LinkRequest[] = [];
  client: ClientEntry;
  open = true;
  inFlight = 0;
  queued = 0;
  closeReason: CloseReason | undefined;
  /** How each request ends. */
  answer: (request: LinkRequest) => Promise<LinkOutcome> = () => Promise.resolve({ kind: "timeout" });

  constructor(facts: FakeLinkFacts) {
    this.linkId = facts.linkId;
    this.listener = facts.listener ?? "radsec";
    this.peerKey = facts.peerKey ?? `peer of ${facts.linkId}`;
    this.peer = facts.peer ?? certificatePeer({ san: { dns: [this.peerKey] } });
    this.client = facts.client ?? clientEntry();
    this.address = facts.address ?? "192.0.2.1";
    this.fallback = facts.fallback ?? false;
    this.connectedAtMs = facts.connectedAtMs ?? 0;
  }

  send(request: LinkRequest): Promise<LinkOutcome> {
    this.sent.push(request);
    return this.answer(request);
  }

  close(reason: CloseReason): void {
    this.open = false;
    this.closeReason = reason;
  }
}
