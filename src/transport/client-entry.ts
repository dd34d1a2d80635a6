import type { AttributePlace } from "../radius/attribute-place.ts";
import type { SharedSecret } from "../radius/authenticator.ts";
import type { PskCredential } from "./psk.ts";

/** One entry of `clients`: who it is about and what that peer may do. Plain data, frozen; made by config.ts. */
export interface ClientEntry {
  readonly name: string;
  /** Which listeners it speaks to. A certificate is matched on "tls" only; on "udp" and "tcp" the network is all there is. */
  readonly transport: "tls" | "udp" | "tcp";
  readonly match: ClientMatch;
  /** "nas" a router. "proxy" and "hub" pass requests on: they get our Proxy-State mark, so that loops end (DP-24, DP-31). */
  readonly role: "nas" | "proxy" | "hub";
  readonly secret: SharedSecret;
  /** Codes the hub may send to this peer in reverse (IDX-01); empty means none. Default 40 and 43. */
  readonly reverse: ReadonlySet<number>;
  /** Whether a Disconnect- or CoA-Request of this peer is a trigger (it is a DAC). */
  readonly mayTrigger: boolean;
  /** What a trigger of this peer may reach (DP-09); undefined is everything. */
  readonly reach: Reach | undefined;
  /** What of a trigger of this peer is passed on; undefined is everything (DP-18). */
  readonly filter: AttributeFilter | undefined;
  /** Whether replies without Message-Authenticator are discarded, and over UDP and TCP Access-Requests too (BR-02, BR-06). */
  readonly requireMessageAuthenticator: boolean;
  /** Over UDP and TCP: whether an Access-Request with Proxy-State and without Message-Authenticator is discarded (BR-03). */
  readonly limitProxyState: boolean;
  /** Where a router that speaks only UDP takes Disconnect- and CoA-Requests (UC-01). */
  readonly dynauthPort: number;
  /** Where the one router of an entry over TLS takes Disconnect- and CoA-Requests while it has no link. */
  readonly udpFallback?: UdpFallback;
  /** Whether Status-Server of this peer is answered; undefined is what section `status` says (ST-10). */
  readonly statusServer?: boolean;
  /** "all": responses of one tick share a TLS write too. "none": each response is a write of its own (hostapd). */
  readonly coalesce: "all" | "none";
  /** The NAS counts the other way round: Acct-Input-Octets is the user's download. */
  readonly swapOctets?: boolean;
  /** Vendor whose habits the router has, for profiles and templates; undefined is neutral. */
  readonly vendor: string | undefined;
  /** What the one router of the entry is called in requests while it has said nothing of itself (DP-16); exact octets as latin1
   *  text. It proves nothing: nobody is found by it. */
  readonly nasIdentifier?: string;
  /** The same as an address, canonical text. */
  readonly nasAddress?: string;
  /** NAS-Identifiers that several peers of this entry may hold at once ("Mist-AP"); exact octets as latin1 text (IDX-05). */
  readonly sharedNasIdentifiers: ReadonlySet<string>;
  /** Links one peer of this entry may have at once; undefined is the listener's limit. */
  readonly linksMax: number | undefined;
}

export interface UdpFallback {
  /** Canonical text. */
  readonly address: string;
  readonly port: number;
  readonly secret: SharedSecret;
}

/** All keys that are present must hold. */
export interface Reach {
  /** NAS-Identifiers or addresses; "*" at the end stands for any rest. */
  readonly nas?: readonly string[];
  /** Realms of the users it may speak of, lower case: what follows the last @ of User-Name (DP-13). */
  readonly realms?: readonly string[];
  readonly codes?: ReadonlySet<number>;
}

export interface AttributeFilter {
  /** Attributes that are left out. */
  readonly remove?: readonly AttributePlace[];
  /** The only ones that are passed on. */
  readonly select?: readonly AttributePlace[];
}

/** All keys that are present must hold. An entry without san, commonName, fingerprint256 or psk must say `admitEvery`. */
export interface ClientMatch {
  /** At least one SAN of the certificate equals one of these; dns may have one wildcard as its whole left-most label (TLS-15). */
  readonly san?: {
    readonly dns?: readonly string[];
    readonly ip?: readonly string[];
    readonly uri?: readonly string[];
    readonly email?: readonly string[];
  };
  readonly commonName?: readonly string[];
  /** Upper-case SHA-256 with colons. */
  readonly fingerprint256?: readonly string[];
  /** Issuer distinguished name as CertificatePeer.issuer shows it. */
  readonly issuer?: string;
  /** One of these was proven instead of a certificate; with it only `network` can stand. An identity is in one entry only. */
  readonly psk?: readonly PskCredential[];
  /** CIDR networks, any of which holds the address. */
  readonly network?: readonly string[];
  /** The entry admits every certificate that its other keys leave: peers are then told apart by issuer and SAN set. */
  readonly admitEvery?: boolean;
}
