import type { Clock } from "../clock.ts";
import type { EventFeed } from "../events.ts";
import { ATTRIBUTE, type Attribute, firstValue } from "../radius/attribute.ts";
import { CODE } from "../radius/codes.ts";
import type { Packet } from "../radius/packet.ts";
import type { Link } from "../transport/link.ts";
import { canonicalAddress } from "../transport/networks.ts";
import { peerLabel } from "../transport/peer.ts";
import { type BindingChange, type BindingLimits, type BindingReport, Bindings } from "./bindings.ts";
import { LINK_FIELDS, type LinkField, linkFieldValues } from "./link-fields.ts";
import { LinkIndex } from "./link-index.ts";
import { LiveRecord } from "./live-record.ts";
import { nasIpAddressText, nasIpv6AddressText } from "./nas-address.ts";
import { nasName } from "./nas-name.ts";
import { keepStatusAttributes } from "./status-attributes.ts";
import type { Binding, KeptBinding, LinkRecord } from "./types.ts";

export interface RegistryDeps {
  readonly clock: Clock;
  readonly events: EventFeed;
  /** Told of each binding that whoever keeps bindings has to write anew. */
  readonly bindingChanged?: BindingChange;
}

/** Former keys of peers that are remembered; of one more the oldest is forgotten. */
const FORMER_KEYS_MAX = 10_000;

export interface RegistryOptions {
  /** How long a NAS-Identifier stays bound after the last link of its peer. */
  readonly bindingLapseMs: number;
  /** NAS-Identifiers, and apart from them addresses, that one link may carry; also the names that a peer may hold without
   *  carrying them. At least 1. */
  readonly namesPerLinkMax: number;
  /** Bound NAS-Identifiers in all. */
  readonly bindingsMax: number;
}

/** Every way to look links up by one exact value. */
export type RegistryKey = LinkField | "linkId" | "nasIdentifier" | "nasAddress";

/** Which NAS sits on which link.
 *
 *  (1) NAS and link are many-to-many (IDX-02; invariant 2): a look-up may yield several links, a link may carry several names.
 *  (2) Every look-up costs the same whatever the number of links that it does not yield.
 *  (3) After closed(link) no look-up yields it (IDX-06).
 *  (4) Only what a peer proved counts: the caller passes verified packets alone, and a NAS-Identifier is found through the
 *      binding of its peer (IDX-04). Addresses are indexed without a binding, because behind NAT many routers have the same:
 *      the caller looks whose the links are before it takes one.
 *  (5) Every link of a proxy or hub leads to all the NASes that this peer has proven on any, and so does each of a router that has
 *      a UDP fallback, which is one router by its entry: such a link carries the names and addresses of its peer from the start.
 *
 *  opened(link) -> learnStatus(link, ..), learnRequest(link, ..) any number of times -> closed(link). */
export class Registry {
  readonly #clock: Clock;
  readonly #events: EventFeed;
  #options: RegistryOptions;
  readonly #records = new Map<string, LiveRecord>();
  readonly #bindings: Bindings;
  readonly #addresses = new LinkIndex();
  readonly #fields = Object.fromEntries(LINK_FIELDS.map((field) => [field, new LinkIndex()])) as Readonly<
    Record<LinkField, LinkIndex>
  >;
  /** Keys that a change of the configuration took from connected peers, and the keys that they have now. */
  readonly #newKeys = new Map<string, string>();
  #steps = 0;

  constructor(deps: RegistryDeps, options: RegistryOptions) {
    this.#clock = deps.clock;
    this.#events = deps.events;
    this.#options = options;
    this.#bindings = new Bindings(
      {
        clock: deps.clock,
        report: (change) => this.#report(change),
        changed: deps.bindingChanged ?? (() => undefined),
        isPresent: (peerKey) => this.#fields.peerKey.sizeOf(peerKey) > 0,
        recordOf: (linkId) => this.#records.get(linkId),
        claimAgain: (record, name) => this.#learnName(record, name),
      },
      bindingLimits(options),
    );
  }

  get size(): number {
    return this.#records.size;
  }

  /** How many bindings() would yield, without making them. */
  get bindingCount(): number {
    return this.#bindings.size;
  }

  opened(link: Link): void {
    if (this.#records.has(link.linkId)) return;
    const record = new LiveRecord(link, this.#nextStep());
    this.#records.set(link.linkId, record);
    if (this.#fields.peerKey.sizeOf(link.peerKey) === 0) this.#bindings.peerCame(link.peerKey);
    for (const field of LINK_FIELDS) {
      for (const value of linkFieldValues(link, field)) this.#fields[field].add(value, record);
    }
    this.#adoptPeer(record);
  }

  /** Removes a link at once and entirely (IDX-06). @returns its last state, for the report of its end */
  closed(link: Link): LinkRecord | undefined {
    const record = this.#liveRecord(link);
    if (record === undefined) return undefined;
    this.#records.delete(link.linkId);
    for (const field of LINK_FIELDS) {
      if (field === "client" || field === "peerKey") continue;
      for (const value of linkFieldValues(link, field)) this.#fields[field].remove(value, record);
    }
    this.#fields.client.remove(record.client.name, record);
    this.#fields.peerKey.remove(record.peerKey, record);
    for (const name of record.nasIdentifiers) this.#bindings.drop(record, name);
    for (const address of record.nasAddresses) this.#addresses.remove(address, record);
    if (this.#fields.peerKey.sizeOf(record.peerKey) === 0) this.#bindings.peerLeft(record.peerKey);
    return record;
  }

  /** Learns from a verified Status-Server: local bookkeeping, the same however often it comes (ST-12). */
  learnStatus(link: Link, packet: Packet): void {
    const record = this.#seen(link);
    if (record === undefined) return;
    record.statusAttributes = keepStatusAttributes(packet.attributes, record.statusAttributes);
    this.#learnIdentity(record, packet.attributes);
  }

  /** Learns from any other verified request (IDX-07): a busy NAS may never send Status-Server (ST-18). */
  learnRequest(link: Link, packet: Packet): void {
    const record = this.#seen(link);
    if (record === undefined) return;
    // The NAS-Identifier in a CoA- or Disconnect-Request is the NAS that its sender means, not the sender.
    if (packet.code !== CODE.accessRequest && packet.code !== CODE.accountingRequest) return;
    this.#learnIdentity(record, packet.attributes);
  }

  /** A verified reply came on the link: it is alive. */
  learnReply(link: Link): void {
    this.#seen(link);
  }

  record(linkId: string): LinkRecord | undefined {
    return this.#records.get(linkId);
  }

  records(): IterableIterator<LinkRecord> {
    return this.#records.values();
  }

  /** Links that carry a NAS-Identifier; octet by octet, no case folding, no normalising (IDX-05; RFC 2865 Section 5.32).
   *  @param latin1 one character an octet */
  byNasIdentifier(latin1: string): readonly LinkRecord[] {
    return this.find("nasIdentifier", latin1);
  }

  /** Links that said they are this NAS-IP-Address or NAS-IPv6-Address, in any notation. */
  byNasAddress(text: string): readonly LinkRecord[] {
    return this.find("nasAddress", canonicalAddress(text) ?? text);
  }

  /** Links of a peer, also by a key that it had before a change of the configuration: acct sessions still know it by that. */
  byPeerKey(peerKey: string): readonly LinkRecord[] {
    const found = this.find("peerKey", peerKey);
    const newKey = this.#newKeys.get(peerKey);
    return found.length > 0 || newKey === undefined ? found : this.find("peerKey", newKey);
  }

  byListener(listener: string): readonly LinkRecord[] {
    return this.find("listener", listener);
  }

  /** Links with one exact value, in its indexed form, in no promised order. */
  find(key: RegistryKey, value: string): readonly LinkRecord[] {
    switch (key) {
      case "linkId": {
        const record = this.#records.get(value);
        return record === undefined ? [] : [record];
      }
      case "nasIdentifier":
        return this.#bindings.carriersOf(value);
      case "nasAddress":
        return this.#addresses.find(value);
      default:
        return this.#fields[key].find(value);
    }
  }

  /** How many links find() would yield, without making the list. */
  count(key: RegistryKey, value: string): number {
    switch (key) {
      case "linkId":
        return this.#records.has(value) ? 1 : 0;
      case "nasIdentifier":
        return this.#bindings.linksOf(value);
      case "nasAddress":
        return this.#addresses.sizeOf(value);
      default:
        return this.#fields[key].sizeOf(value);
    }
  }

  /** A shared name comes once for each peer that holds it. */
  bindings(): IterableIterator<Binding> {
    return this.#bindings.views();
  }

  /** NAS-Identifiers that a peer holds, whether or not one of its links carries them now; exact octets as latin1 text. */
  namesOf(peerKey: string): readonly string[] {
    return this.#bindings.namesOf(peerKey);
  }

  /** Peers that hold a name, with or without a link now: more than one shares it by configuration. */
  holdersOf(nasIdentifier: string): number {
    return this.#bindings.holdersOf(nasIdentifier);
  }

  /** The binding of a name; of a shared name, that of the peer that has held it longest. */
  binding(nasIdentifier: string): Binding | undefined {
    return this.#bindings.view(nasIdentifier);
  }

  /** One binding as it is to be kept; undefined when it is none any more. */
  keptBinding(nasIdentifier: string, peerKey: string): KeptBinding | undefined {
    return this.#bindings.kept(nasIdentifier, peerKey);
  }

  /** Bindings whose peer has a link: those of which the time of the last link moves on. */
  presentBindings(): IterableIterator<readonly [nasIdentifier: string, peerKey: string]> {
    return this.#bindings.present();
  }

  /** Takes the bindings of an earlier run, all at once. They count before what has been bound since the start.
   *  @returns how many of them are bound now */
  restoreBindings(kept: readonly KeptBinding[]): number {
    const bound = this.#bindings.restore(kept);
    for (const record of this.#records.values()) this.#adoptPeer(record);
    return bound;
  }

  /** Frees a name: for the one connected peer that was refused it, else for whoever proves it next, the former holder included.
   *  @returns false for a name that nobody holds */
  release(nasIdentifier: string): boolean {
    return this.#bindings.release(nasIdentifier);
  }

  /** Remembers that a link was taken for an exchange: what round-robin goes by. */
  chosen(record: LinkRecord): void {
    const live = this.#liveRecord(record.link);
    if (live !== undefined) live.chosenStep = this.#nextStep();
  }

  /** New limits hold for what comes; what is bound stays, and lapses by the new time. Links whose entry of `clients` was replaced
   *  are looked at again. */
  apply(options: RegistryOptions): void {
    this.#options = options;
    this.#bindings.apply(bindingLimits(options));
    for (const record of this.#records.values()) this.#adoptClient(record);
  }

  /** Ends the timer that lapses bindings. */
  stop(): void {
    this.#bindings.stop();
  }

  #liveRecord(link: Link): LiveRecord | undefined {
    const record = this.#records.get(link.linkId);
    return record?.link === link ? record : undefined;
  }

  #nextStep(): number {
    this.#steps += 1;
    return this.#steps;
  }

  #seen(link: Link): LiveRecord | undefined {
    const record = this.#liveRecord(link);
    if (record === undefined) return undefined;
    record.lastSeenMs = this.#clock.wallMs();
    record.seenStep = this.#nextStep();
    this.#adoptClient(record);
    return record;
  }

  #adoptClient(record: LiveRecord): void {
    const { client } = record.link;
    if (client === record.client) return;
    this.#fields.client.remove(record.client.name, record);
    this.#fields.client.add(client.name, record);
    record.client = client;
    if (record.link.peerKey !== record.peerKey) this.#adoptPeerKey(record);
    this.#bindings.clientReplaced(record);
    this.#adoptPeer(record);
  }

  #adoptPeerKey(record: LiveRecord): void {
    const { peerKey: former } = record;
    const { peerKey } = record.link;
    const index = this.#fields.peerKey;
    index.remove(former, record);
    if (index.sizeOf(peerKey) === 0) this.#bindings.peerCame(peerKey);
    index.add(peerKey, record);
    record.peerKey = peerKey;
    this.#newKeys.delete(former);
    const [oldest] = this.#newKeys.size >= FORMER_KEYS_MAX ? this.#newKeys.keys() : [];
    if (oldest !== undefined) this.#newKeys.delete(oldest);
    this.#newKeys.set(former, peerKey);
    this.#bindings.peerReplaced(record, former);
  }

  /** ST-14, IDX-03: any of the three names a NAS. A value of the wrong size is no attribute (PKT-07), an empty name is no name. */
  #learnIdentity(record: LiveRecord, attributes: readonly Attribute[]): void {
    const name = firstValue(attributes, ATTRIBUTE.nasIdentifier);
    if (name !== undefined && name.length > 0) this.#learnName(record, name.toString("latin1"));
    const address = firstValue(attributes, ATTRIBUTE.nasIpAddress);
    if (address !== undefined) this.#learnAddress(record, nasIpAddressText(address));
    const address6 = firstValue(attributes, ATTRIBUTE.nasIpv6Address);
    if (address6 !== undefined) this.#learnAddress(record, nasIpv6AddressText(address6));
  }

  #learnName(record: LiveRecord, name: string): void {
    if (record.nasIdentifiers.has(name)) return; // nearly every packet ends here
    if (record.nasIdentifiers.size >= this.#options.namesPerLinkMax) return this.#notIndexed(record, name);
    const claim = this.#bindings.claim(record, name);
    if (claim === "full") this.#notIndexed(record, name);
    if (claim === "carried") for (const sibling of this.#leadingToAll(record)) this.#learnName(sibling, name);
  }

  #learnAddress(record: LiveRecord, address: string | undefined): void {
    if (address === undefined || record.nasAddresses.has(address)) return;
    if (record.nasAddresses.size >= this.#options.namesPerLinkMax) return this.#notIndexed(record, address);
    record.nasAddresses.add(address);
    this.#addresses.add(address, record);
    for (const sibling of this.#leadingToAll(record)) this.#learnAddress(sibling, address);
  }

  /** What the peer of a link has proven on other links, now or before. */
  #adoptPeer(record: LiveRecord): void {
    if (!leadsToAllOfPeer(record.link)) return;
    const { peerKey } = record;
    for (const name of this.#bindings.namesOf(peerKey)) this.#learnName(record, name);
    for (const { nasAddresses } of this.#fields.peerKey.find(peerKey)) {
      for (const address of nasAddresses) this.#learnAddress(record, address);
    }
  }

  #leadingToAll(record: LiveRecord): LiveRecord[] {
    return this.#fields.peerKey.find(record.peerKey).filter((each) => each !== record && leadsToAllOfPeer(each.link));
  }

  #notIndexed(record: LiveRecord, name: string): void {
    if (record.boundReported) return;
    record.boundReported = true;
    const { linkId, peer } = record.link;
    const claimant = peerLabel(peer);
    this.#report({ change: "not-indexed", nasIdentifier: name, holder: undefined, claimant, linkId });
  }

  #report(change: BindingReport): void {
    const nasIdentifier = nasName(change.nasIdentifier);
    this.#events.emit({ type: "binding", atMs: this.#clock.wallMs(), ...change, nasIdentifier });
  }
}

function leadsToAllOfPeer({ fallback, client }: Link): boolean {
  return fallback === true || client.udpFallback !== undefined || client.role !== "nas";
}

function bindingLimits(options: RegistryOptions): BindingLimits {
  return {
    lapseMs: options.bindingLapseMs,
    namesMax: options.bindingsMax,
    idleNamesPerPeerMax: options.namesPerLinkMax,
  };
}
