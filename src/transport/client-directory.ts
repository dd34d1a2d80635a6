import type { ClientEntry, ClientMatch } from "./client-entry.ts";
import { canonicalAddress, NetworkSet } from "./networks.ts";
import type { CertificatePeer, Peer } from "./peer.ts";
import type { PskCredential, PskDirectory, PskVersion } from "./psk.ts";

interface Row {
  readonly entry: ClientEntry;
  readonly position: number;
  readonly networks: NetworkSet | undefined;
  /** Canonical names of `san`, `commonName` and `fingerprint256`; undefined where the entry has no such key. */
  readonly san: ReadonlySet<string> | undefined;
  readonly commonName: ReadonlySet<string> | undefined;
  readonly fingerprint: ReadonlySet<string> | undefined;
  readonly psk: ReadonlyMap<string, PskCredential> | undefined;
  /** The entry names one peer, and this is its key. */
  readonly onlyPeerKey: string | undefined;
}

/** Who may connect: the `clients` of the configuration, indexed by what they name.
 *
 *  (1) The first entry in file order whose every match key holds is the one (TLS-13).
 *  (2) A name counts only under the key that names its kind: a Common Name never fits a `san` entry (TLS-14).
 *  (3) An entry that names nobody and does not say `admitEvery` admits nobody. */
export class ClientDirectory implements PskDirectory {
  readonly #byName = new Map<string, Row[]>();
  readonly #unnamed: Row[] = [];
  readonly #rows = new Map<ClientEntry, Row>();
  readonly #pskRows = new Map<string, Row[]>();
  /** Undefined is everywhere. */
  readonly #pskNetworks: NetworkSet | undefined;
  readonly #networks: NetworkSet | undefined;
  /** Versions of TLS that some PSK is for. */
  readonly pskVersions: ReadonlySet<PskVersion>;

  /** @throws {HubError} ERR_INPUT for a network that is none. */
  constructor(entries: readonly ClientEntry[]) {
    for (const [position, entry] of entries.entries()) {
      const row = rowOf(entry, position);
      this.#rows.set(entry, row);
      for (const identity of row.psk?.keys() ?? []) listed(this.#pskRows, identity).push(row);
      if (row.psk !== undefined) continue;
      const names = row.san ?? row.commonName ?? row.fingerprint;
      if (names === undefined) {
        if (entry.match.admitEvery === true) this.#unnamed.push(row);
        continue;
      }
      for (const name of names) listed(this.#byName, name).push(row);
    }
    const ofTls = entries.filter(({ transport }) => transport === "tls");
    const ofPsk = ofTls.filter(({ match }) => match.psk !== undefined);
    this.pskVersions = new Set(ofPsk.flatMap(({ match }) => match.psk ?? []).map(({ tls }) => tls));
    this.#pskNetworks = unionOf(ofPsk);
    this.#networks = unionOf(ofTls);
  }

  /** Whether an address is worth a handshake. Without PSK entries it always is, so that the log can name the certificate; with
   *  them an address outside every network gets no octet of TLS (PSK-08). */
  takesTlsFrom(address: string): boolean {
    return this.pskVersions.size === 0 || this.#networks === undefined || this.#networks.has(address);
  }

  takesPskFrom(address: string): boolean {
    return this.#pskNetworks === undefined || this.#pskNetworks.has(address);
  }

  psk(identity: string, address: string): PskCredential | undefined {
    return this.#pskRow(identity, address)?.psk?.get(identity);
  }

  #pskRow(identity: string, address: string): Row | undefined {
    return this.#pskRows.get(identity)?.find(({ networks }) => networks === undefined || networks.has(address));
  }

  /** The entry that a peer at an address falls under; over TLS an address alone is nobody. */
  match(peer: Peer, address: string): ClientEntry | undefined {
    if (peer.kind === "psk") return this.#pskRow(peer.identity, address)?.entry;
    if (peer.kind === "address") return undefined;
    const names = namesOf(peer);
    const rows = new Set(this.#unnamed);
    for (const name of names) for (const row of this.#byName.get(name) ?? []) rows.add(row);
    const inOrder = [...rows].sort((a, b) => a.position - b.position);
    return inOrder.find((row) => holds(row, peer, names, address))?.entry;
  }

  /** The key of the one peer that an entry over TLS is about; undefined when it may be about several. */
  onlyPeerKey(entry: ClientEntry): string | undefined {
    return this.#rows.get(entry)?.onlyPeerKey;
  }

  /** The stable identity of a peer that match() put under `entry` (DESIGN invariant 1); renewal of the certificate keeps it.
   *
   *  An entry that names exactly one SAN, Common Name or fingerprint is about one router: the key is the entry. An entry with
   *  several names or a wildcard covers several routers: the key is the entry and those of its names that the certificate
   *  proves, so that two routers under one wildcard are two peers. Several fingerprints may be one router before and after
   *  renewal, and `admitEvery` names nobody: there the key is the issuer and the SAN set (the subject without a SAN). */
  peerKey(peer: Peer, entry: ClientEntry): string {
    if (peer.kind === "psk") return `psk:${peer.identity}`;
    if (peer.kind === "address") return `address:${peer.address}`;
    const row = this.#rows.get(entry);
    if (entry.match.admitEvery === true || row === undefined) return admittedKey(peer);
    if (row.onlyPeerKey !== undefined) return row.onlyPeerKey;
    if (row.san === undefined && row.commonName === undefined)
      return `client:${JSON.stringify([entry.name, certificateIdentity(peer)])}`;
    return `client:${JSON.stringify([entry.name, ...provenNames(row, peer)])}`;
  }
}

/** The key that a peer has, or had, under an entry that admits a whole CA; undefined for a peer that no such entry is about. */
export function formerPeerKey(peer: Peer): string | undefined {
  return peer.kind === "certificate" ? admittedKey(peer) : undefined;
}

function admittedKey(peer: CertificatePeer): string {
  return `certificate:${certificateIdentity(peer)}`;
}

function rowOf(entry: ClientEntry, position: number): Row {
  const { match } = entry;
  const setOf = (names: Iterable<string>) => new Set(names);
  const names = {
    san: match.san === undefined ? undefined : setOf(entrySans(match.san)),
    commonName: match.commonName === undefined ? undefined : setOf(match.commonName.map((name) => `cn:${name}`)),
    fingerprint:
      match.fingerprint256 === undefined
        ? undefined
        : setOf(match.fingerprint256.map((name) => `fingerprint:${name.toUpperCase()}`)),
    psk: match.psk === undefined ? undefined : new Map(match.psk.map((psk) => [psk.identity, psk])),
  };
  const networks = match.network === undefined ? undefined : new NetworkSet(match.network);
  return { entry, position, networks, ...names, onlyPeerKey: onlyPeerKey(entry, names) };
}

function onlyPeerKey(
  { name, match }: ClientEntry,
  { san, commonName, fingerprint, psk }: Pick<Row, "san" | "commonName" | "fingerprint" | "psk">,
): string | undefined {
  if (match.admitEvery === true) return undefined;
  if (psk !== undefined) return psk.size === 1 ? `psk:${[...psk.keys()].join()}` : undefined;
  const listed = [...(san ?? []), ...(commonName ?? [])];
  const [only, ...others] = listed.length > 0 ? listed : (fingerprint ?? []);
  return only !== undefined && others.length === 0 && !isWildcard(only) ? `client:${name}` : undefined;
}

function listed(rows: Map<string, Row[]>, name: string): Row[] {
  const known = rows.get(name);
  if (known !== undefined) return known;
  const fresh: Row[] = [];
  rows.set(name, fresh);
  return fresh;
}

/** The networks of some entries; undefined when one of them is for everywhere. */
function unionOf(entries: readonly ClientEntry[]): NetworkSet | undefined {
  if (entries.some(({ match }) => match.network === undefined)) return undefined;
  return new NetworkSet(entries.flatMap(({ match }) => match.network ?? []));
}

function* entrySans(san: NonNullable<ClientMatch["san"]>): Iterable<string> {
  // TLS-15: "*" is a wildcard only as the whole left-most label; a name with any other "*" can match nothing.
  for (const name of san.dns ?? []) if (/^(\*\.)?[^*]+$/.test(name)) yield `dns:${name.toLowerCase()}`;
  for (const name of san.ip ?? []) yield `ip:${canonicalAddress(name) ?? name}`;
  for (const name of san.uri ?? []) yield `uri:${name}`;
  for (const name of san.email ?? []) yield `email:${canonicalEmail(name)}`;
}

/** Every name by which an entry can refer to this certificate. */
function namesOf(peer: CertificatePeer): Set<string> {
  const names = new Set<string>();
  for (const name of sansOf(peer)) {
    names.add(name);
    const wildcard = wildcardFor(name);
    if (wildcard !== undefined) names.add(wildcard);
  }
  if (peer.commonName !== undefined) names.add(`cn:${peer.commonName}`);
  names.add(`fingerprint:${peer.fingerprint256}`);
  return names;
}

/** SANs in canonical form. A DNS name with "*" or with octets outside ASCII proves no name: it is left out. */
function* sansOf({ san }: CertificatePeer): Iterable<string> {
  for (const name of san.dns) if (/^[!-)+-~]+$/.test(name)) yield `dns:${name.toLowerCase()}`;
  for (const name of san.ip) yield `ip:${name}`;
  for (const name of san.uri) yield `uri:${name}`;
  for (const name of san.email) yield `email:${canonicalEmail(name)}`;
}

/** "dns:a.b.example" -> "dns:*.b.example" (TLS-15): one whole label, never an empty one. */
function wildcardFor(name: string): string | undefined {
  const dot = name.indexOf(".");
  return name.startsWith("dns:") && dot > "dns:".length ? `dns:*${name.slice(dot)}` : undefined;
}

function isWildcard(name: string): boolean {
  return name.startsWith("dns:*.");
}

/** RFC 5280 Section 4.2.1.6: the part after "@" is compared without case. */
function canonicalEmail(address: string): string {
  const at = address.lastIndexOf("@");
  return address.slice(0, at + 1) + address.slice(at + 1).toLowerCase();
}

function holds(row: Row, peer: CertificatePeer, names: ReadonlySet<string>, address: string): boolean {
  const anyOf = (wanted: ReadonlySet<string> | undefined) => wanted === undefined || intersects(names, wanted);
  return (
    anyOf(row.san) &&
    anyOf(row.commonName) &&
    anyOf(row.fingerprint) &&
    (row.entry.match.issuer === undefined || row.entry.match.issuer === peer.issuer) &&
    (row.networks === undefined || row.networks.has(address)) // TLS-19
  );
}

/** Goes through the names of the certificate: an entry may list thousands. */
function intersects(names: ReadonlySet<string>, wanted: ReadonlySet<string>): boolean {
  for (const name of names) if (wanted.has(name)) return true;
  return false;
}

/** Names of the certificate that the entry lists, itself or through a wildcard; sorted, so that their order does not count. */
function provenNames(row: Row, peer: CertificatePeer): string[] {
  const proven = new Set<string>();
  for (const name of sansOf(peer)) {
    const wildcard = wildcardFor(name);
    if (row.san?.has(name) === true || (wildcard !== undefined && row.san?.has(wildcard) === true)) proven.add(name);
  }
  if (row.commonName?.has(`cn:${peer.commonName}`) === true) proven.add(`cn:${peer.commonName}`);
  return [...proven].sort();
}

function certificateIdentity(peer: CertificatePeer): string {
  const sans = [...new Set(sansOf(peer))].sort();
  return JSON.stringify([peer.issuer, ...(sans.length > 0 ? sans : [peer.subject])]);
}
