import type { Attribute } from "../radius/attribute.ts";
import type { Link } from "../transport/link.ts";

/** What is known of one live link beyond what the link knows itself. */
export interface LinkRecord {
  readonly link: Link;
  /** NAS-Identifiers learnt and bound, exact octets as latin1 text: one character an octet (IDX-05). */
  readonly nasIdentifiers: ReadonlySet<string>;
  /** Canonical addresses of NAS-IP-Address and NAS-IPv6-Address. */
  readonly nasAddresses: ReadonlySet<string>;
  /** Attributes of the latest authentic Status-Server, copied; empty before one came. */
  readonly statusAttributes: readonly Attribute[];
  /** Wall clock of the latest authentic packet, or of the opening before one came. For display: a wall clock may jump. */
  readonly lastSeenMs: number;
  /** Position of its opening, its latest packet and its latest choice in the registry's own count of such steps. They order
   *  links whatever the wall clock does; `chosenStep` is 0 before the first choice. */
  readonly openedStep: number;
  readonly seenStep: number;
  readonly chosenStep: number;
}

/** A NAS-Identifier and the peer that first proved it; a name that peers share by configuration has one for each of them. */
export interface Binding {
  /** Exact octets as latin1 text. */
  readonly nasIdentifier: string;
  readonly peerKey: string;
  readonly peerLabel: string;
  readonly client: string;
  readonly boundAtMs: number;
  readonly linkIds: readonly string[];
  /** Wall clock at which it lapses, set while the peer has no link. */
  readonly lapsesAtMs: number | undefined;
  /** Peers that claimed it and were refused, with the time of the latest claim; bounded. */
  readonly refused: readonly { readonly peerLabel: string; readonly peerKey: string; readonly atMs: number }[];
}

/** A binding as it outlives the process: plain data. */
export interface KeptBinding {
  /** Exact octets as latin1 text. */
  readonly nasIdentifier: string;
  readonly peerKey: string;
  readonly peerLabel: string;
  readonly client: string;
  /** Whether the `clients` entry of the peer shared the name. */
  readonly shared: boolean;
  readonly boundAtMs: number;
  /** Wall clock at which the peer was last known to have a link. */
  readonly seenAtMs: number;
}
