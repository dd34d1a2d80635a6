import type { SharedSecret } from "../radius/authenticator.ts";
import type { ClientEntry } from "../transport/client-entry.ts";
import type { Link, LinkOutcome } from "../transport/link.ts";

export interface OwnLinkFacts {
  readonly linkId: string;
  /** Of its listener and of its `clients` entry. */
  readonly name: string;
  readonly peerKey: string;
  readonly address: string;
  /** For display. */
  readonly protocol: string;
  /** Of this process, known to nobody else: it hides passwords between who asks and the modules. */
  readonly secret: SharedSecret;
  /** Wall clock, milliseconds. */
  readonly connectedAtMs: number;
  readonly vendor?: string | undefined;
  readonly sharedNasIdentifiers?: ReadonlySet<string>;
}

/** Where a request seems to come from that the hub makes itself: a link that nothing can be sent to, and that is never in the
 *  registry. */
export class OwnLink implements Link {
  readonly kind = "udp";
  readonly port = 0;
  readonly open = true;
  readonly inFlight = 0;
  readonly queued = 0;
  readonly linkId: string;
  readonly listener: string;
  readonly peer: { readonly kind: "address"; readonly address: string };
  readonly peerKey: string;
  readonly address: string;
  readonly protocol: string;
  readonly connectedAtMs: number;
  readonly client: ClientEntry;

  constructor(facts: OwnLinkFacts) {
    const { linkId, name, peerKey, address, protocol, connectedAtMs } = facts;
    this.linkId = linkId;
    this.listener = name;
    this.peer = { kind: "address", address };
    this.peerKey = peerKey;
    this.address = address;
    this.protocol = protocol;
    this.connectedAtMs = connectedAtMs;
    this.client = clientOf(facts);
  }

  send(): Promise<LinkOutcome> {
    return Promise.resolve({ kind: "closed", written: false, reason: "stopped" });
  }

  close(): void {
    // Nothing is open.
  }
}

function clientOf({ name, secret, vendor, sharedNasIdentifiers = new Set() }: OwnLinkFacts): ClientEntry {
  return {
    name,
    transport: "udp",
    match: {},
    role: "nas",
    secret,
    reverse: new Set(),
    mayTrigger: false,
    reach: undefined,
    filter: undefined,
    requireMessageAuthenticator: true,
    limitProxyState: false,
    dynauthPort: 0,
    coalesce: "none",
    vendor,
    sharedNasIdentifiers,
    linksMax: undefined,
  };
}
