import type { LiveRecord } from "./live-record.ts";
import { Refusals } from "./refusals.ts";

/** One peer's hold on one name. Only Holdings writes to it. */
export interface Holding {
  readonly peerKey: string;
  readonly peerLabel: string;
  readonly clientName: string;
  readonly boundAtMs: number;
  /** Live links of the peer that carry the name. */
  readonly carriers: Set<LiveRecord>;
  /** Whether the `clients` entry of the peer's latest link shares the name. */
  shared: boolean;
}

export interface HeldName {
  readonly holdings: Map<string, Holding>;
  readonly refusals: Refusals;
  /** Carriers of all holdings. */
  links: number;
  /** Holdings that are not shared: sharing is an agreement, and one of these keeps every other peer out. */
  exclusive: number;
}

interface PeerNames {
  readonly names: Set<string>;
  /** Those without a carrier, longest idle first. */
  readonly idle: Set<string>;
}

const NONE: ReadonlySet<string> = new Set();

/** Which peer holds which name and on which links, by name and by peer; it judges nothing.
 *  (1) A name without a holding and a peer without a name are forgotten. (2) Each call costs the same whatever else is held. */
export class Holdings {
  readonly #names = new Map<string, HeldName>();
  readonly #peers = new Map<string, PeerNames>();
  #size = 0;

  /** A name shared by three peers counts three times. */
  get size(): number {
    return this.#size;
  }

  name(name: string): HeldName | undefined {
    return this.#names.get(name);
  }

  one(name: string, peerKey: string): Holding | undefined {
    return this.#names.get(name)?.holdings.get(peerKey);
  }

  all(): IterableIterator<[string, HeldName]> {
    return this.#names.entries();
  }

  namesOf(peerKey: string): ReadonlySet<string> {
    return this.#peers.get(peerKey)?.names ?? NONE;
  }

  /** Longest idle first. */
  idleNamesOf(peerKey: string): ReadonlySet<string> {
    return this.#peers.get(peerKey)?.idle ?? NONE;
  }

  add(name: string, holding: Holding): void {
    const { peerKey, shared, carriers } = holding;
    const present = this.#names.get(name) ?? { holdings: new Map(), refusals: new Refusals(), links: 0, exclusive: 0 };
    this.#names.set(name, present);
    present.holdings.set(peerKey, holding);
    present.refusals.forget(peerKey);
    if (!shared) present.exclusive += 1;
    present.links += carriers.size;
    const ofPeer = this.#peers.get(peerKey) ?? { names: new Set(), idle: new Set() };
    this.#peers.set(peerKey, ofPeer);
    ofPeer.names.add(name);
    if (carriers.size === 0) ofPeer.idle.add(name);
    this.#size += 1;
  }

  /** Takes the name from the links that carried it, too. @returns false for a holding that is none any more */
  remove(name: string, holding: Holding): boolean {
    const present = this.#names.get(name);
    if (present?.holdings.get(holding.peerKey) !== holding) return false;
    this.#take(name, present, holding);
    for (const carrier of holding.carriers) carrier.nasIdentifiers.delete(name);
    if (present.holdings.size === 0) this.#names.delete(name);
    return true;
  }

  /** Gives a holding with all its links to another key of its peer, which does not hold the name. */
  move(name: string, holding: Holding, peerKey: string, clientName: string): void {
    const present = this.#names.get(name);
    if (present === undefined) return;
    this.#take(name, present, holding);
    this.add(name, { ...holding, peerKey, clientName });
  }

  carry(name: string, holding: Holding, record: LiveRecord): void {
    const present = this.#names.get(name);
    if (present === undefined || holding.carriers.has(record)) return;
    holding.carriers.add(record);
    record.nasIdentifiers.add(name);
    present.links += 1;
    this.#peers.get(holding.peerKey)?.idle.delete(name);
  }

  /** The link keeps the name in its own list. */
  drop(name: string, holding: Holding, record: LiveRecord): void {
    const present = this.#names.get(name);
    if (present === undefined || !holding.carriers.delete(record)) return;
    present.links -= 1;
    if (holding.carriers.size === 0) this.#peers.get(holding.peerKey)?.idle.add(name);
  }

  /** @returns whether that changed anything */
  share(name: string, holding: Holding, shared: boolean): boolean {
    const present = this.#names.get(name);
    if (present === undefined || holding.shared === shared) return false;
    holding.shared = shared;
    present.exclusive += shared ? -1 : 1;
    return true;
  }

  #take(name: string, present: HeldName, { peerKey, shared, carriers }: Holding): void {
    present.holdings.delete(peerKey);
    if (!shared) present.exclusive -= 1;
    present.links -= carriers.size;
    this.#size -= 1;
    const ofPeer = this.#peers.get(peerKey);
    ofPeer?.names.delete(name);
    ofPeer?.idle.delete(name);
    if (ofPeer?.names.size === 0) this.#peers.delete(peerKey);
  }
}
