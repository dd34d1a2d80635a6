import { apiPeerKey } from "../../dynauth/api-nas.ts";
import type { SharedSecret } from "../../radius/authenticator.ts";
import type { ClientEntry } from "../../transport/client-entry.ts";
import type { Link, LinkOutcome } from "../../transport/link.ts";

/** Where a request of an HTTP API comes from. */
export interface ApiOrigin {
  /** Name of the API: "django-freeradius". */
  readonly api: string;
  /** Of the HTTP caller. */
  readonly address: string;
  readonly calledStationId?: string | undefined;
  /** As the NAS writes it. */
  readonly nasIdentifier?: string | undefined;
  /** Canonical. */
  readonly nasAddress?: string | undefined;
}

/** What the modules see instead of the link of a NAS: nothing can be sent to it, and it is never in the registry. */
export class ApiLink implements Link {
  readonly kind = "udp";
  readonly protocol = "HTTP";
  readonly port = 0;
  readonly open = true;
  readonly inFlight = 0;
  readonly queued = 0;
  readonly linkId: string;
  readonly listener: string;
  readonly peer: { readonly kind: "address"; readonly address: string };
  readonly peerKey: string;
  readonly address: string;
  readonly connectedAtMs: number;
  readonly client: ClientEntry;

  /** @param peerKey what guesses are counted by, or acct sessions are told apart by */
  constructor(origin: ApiOrigin, peerKey: string, facts: ApiLinkFacts) {
    const { api, address, calledStationId } = origin;
    const name = apiPeerKey(api);
    // The same hotspot and device is the same place to log in from, as openwisp-radius counts them.
    this.linkId = calledStationId === undefined ? name : `${name}:${calledStationId}`;
    this.listener = name;
    this.peer = { kind: "address", address };
    this.peerKey = peerKey;
    this.address = address;
    this.connectedAtMs = facts.nowMs;
    this.client = clientOf(name, origin, facts);
  }

  send(): Promise<LinkOutcome> {
    return Promise.resolve({ kind: "closed", written: false, reason: "stopped" });
  }

  close(): void {
    // Nothing is open.
  }
}

export interface ApiLinkFacts {
  /** Of this process, known to nobody else: it hides passwords between the API and the modules. */
  readonly secret: SharedSecret;
  /** Whose attributes a plan is rendered in. */
  readonly vendor: string | undefined;
  readonly nowMs: number;
}

function clientOf(name: string, { nasIdentifier }: ApiOrigin, { secret, vendor }: ApiLinkFacts): ClientEntry {
  const latin1 = nasIdentifier === undefined ? [] : [Buffer.from(nasIdentifier, "utf8").toString("latin1")];
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
    // The API proves no name: its acct sessions stay apart from those that the NAS itself reports.
    sharedNasIdentifiers: new Set(latin1),
    linksMax: undefined,
  };
}
