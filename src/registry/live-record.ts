import type { Attribute } from "../radius/attribute.ts";
import type { ClientEntry } from "../transport/client-entry.ts";
import type { Link } from "../transport/link.ts";
import type { LinkRecord } from "./types.ts";

const NONE: readonly Attribute[] = [];

/** The registry's own, changeable side of a {@link LinkRecord}. Only src/registry writes to it. */
export class LiveRecord implements LinkRecord {
  readonly link: Link;
  readonly nasIdentifiers = new Set<string>();
  readonly nasAddresses = new Set<string>();
  statusAttributes: readonly Attribute[] = NONE;
  lastSeenMs: number;
  readonly openedStep: number;
  seenStep: number;
  chosenStep = 0;
  /** The `clients` entry and the peer it is indexed under: those of the link may be replaced while it lives. */
  client: ClientEntry;
  peerKey: string;
  /** Claims of this link that were refused and reported. */
  refusals = 0;
  /** "not-indexed" is reported once for a link, not once for a packet. */
  boundReported = false;

  constructor(link: Link, step: number) {
    this.link = link;
    this.lastSeenMs = link.connectedAtMs;
    this.openedStep = step;
    this.seenStep = step;
    this.client = link.client;
    this.peerKey = link.peerKey;
  }
}
