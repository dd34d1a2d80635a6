import type { Clock } from "../clock.ts";
import type { BindingChanged } from "../events.ts";
import { peerLabel } from "../transport/peer.ts";
import { AbsentPeers } from "./absent-peers.ts";
import type { LiveRecord } from "./live-record.ts";
import { Refusals } from "./refusals.ts";
import type { Binding } from "./types.ts";

export interface BindingLimits {
  /** How long a name stays bound after the last link of its peer. */
  readonly lapseMs: number;
  /** Names in all; a name shared by three peers counts three times. */
  readonly namesMax: number;
  /** Names of one peer that none of its links carries. */
  readonly idleNamesPerPeerMax: number;
}

export type BindingReport = Omit<BindingChanged, "type" | "atMs">;
export type Claim = "carried" | "refused" | "full";

/** One peer's hold on one name. */
interface Holding {
  readonly peerKey: string;
  readonly peerLabel: string;
  readonly clientName: string;
  readonly boundAtMs: number;
  /** Live links of the peer that carry the name. */
  readonly carriers: Set<LiveRecord>;
  /** Whether the `clients` entry of the peer's latest link shares the name. */
  shared: boolean;
}

interface Name {
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

/** Which peer a NAS-Identifier belongs to, and which of its links carry it (invariant 1, IDX-04).
 *
 *  (1) A name belongs to the peer that claimed it first; another peer is refused, unless the `clients` entries of all its
 *      holders and of the claimant share it.
 *  (2) A link is found by a name only through a holding of its own peer.
 *  (3) A name stays bound while its peer has any link and `lapseMs` longer, or until release().
 *  (4) With `namesMax` names, or `idleNamesPerPeerMax` idle ones of the claimant, a new name takes the place of the
 *      claimant's own longest idle one; without an idle one it is not bound. So no peer crowds out another. */
export class Bindings {
  readonly #clock: Clock;
  readonly #report: (change: BindingReport) => void;
  #limits: BindingLimits;
  readonly #names = new Map<string, Name>();
  readonly #peers = new Map<string, PeerNames>();
  readonly #absent: AbsentPeers;
  #holdings = 0;

  constructor(clock: Clock, limits: BindingLimits, report: (change: BindingReport) => void) {
    this.#clock = clock;
    this.#limits = limits;
    this.#report = report;
    this.#absent = new AbsentPeers(clock, limits.lapseMs, (peerKey) => this.#lapse(peerKey));
  }

  /** Names that are bound; a name shared by three peers counts three times. */
  get size(): number {
    this.#absent.expire();
    return this.#holdings;
  }

  /** A link says that it is `name`. Only "carried" makes it findable; a refused claimant may ask again at its next packet. */
  claim(record: LiveRecord, name: string): Claim {
    this.#absent.expire();
    const present = this.#names.get(name);
    const { peerKey, client, linkId } = record.link;
    const held = present?.holdings.get(peerKey);
    if (held !== undefined) {
      this.#carry(name, held, record);
      return "carried";
    }
    const mayShare = client.sharedNasIdentifiers.has(name) && present?.exclusive === 0;
    if (present !== undefined && !mayShare) {
      this.#refuse(present, name, record);
      return "refused";
    }
    if (!this.#makeRoom(peerKey)) return "full";
    const bound = this.#bind(name, record);
    this.#carry(name, bound, record);
    // Reported last: a subscriber that asks the registry finds the link.
    this.#report({ change: "bound", nasIdentifier: name, holder: bound.peerLabel, claimant: undefined, linkId });
    return "carried";
  }

  /** The `clients` entry of a link was replaced: what it shares may be different now. */
  clientReplaced(record: LiveRecord): void {
    for (const name of record.nasIdentifiers) {
      const holding = this.#names.get(name)?.holdings.get(record.link.peerKey);
      if (holding !== undefined) this.#share(name, holding, record);
    }
  }

  /** A link that carried `name` has closed. */
  drop(record: LiveRecord, name: string): void {
    const { peerKey } = record.link;
    const present = this.#names.get(name);
    const holding = present?.holdings.get(peerKey);
    if (present === undefined || !holding?.carriers.delete(record)) return;
    present.links -= 1;
    if (holding.carriers.size === 0) this.#peers.get(peerKey)?.idle.add(name);
  }

  /** The first link of a peer opened. */
  peerCame(peerKey: string): void {
    this.#absent.expire();
    this.#absent.forget(peerKey);
  }

  /** The last link of a peer closed, and drop() has been called for all its names. */
  peerLeft(peerKey: string): void {
    if (this.#peers.has(peerKey)) this.#absent.left(peerKey);
  }

  /** Names that a peer holds, with or without a link that carries them. */
  namesOf(peerKey: string): readonly string[] {
    this.#absent.expire();
    return [...(this.#peers.get(peerKey)?.names ?? [])];
  }

  /** Peers that hold a name, with or without a link now. */
  holdersOf(name: string): number {
    this.#absent.expire();
    return this.#names.get(name)?.holdings.size ?? 0;
  }

  linksOf(name: string): number {
    return this.#names.get(name)?.links ?? 0;
  }

  carriersOf(name: string): LiveRecord[] {
    const carriers: LiveRecord[] = [];
    const present = this.#names.get(name);
    if (present !== undefined) for (const holding of present.holdings.values()) carriers.push(...holding.carriers);
    return carriers;
  }

  /** Frees a name for whoever claims it next; links that carried it must prove it again. @returns false for an unknown name */
  release(name: string): boolean {
    this.#absent.expire();
    const present = this.#names.get(name);
    if (present === undefined) return false;
    for (const holding of present.holdings.values()) this.#unbind(name, holding, "released");
    return true;
  }

  view(name: string): Binding | undefined {
    this.#absent.expire();
    const present = this.#names.get(name);
    if (present === undefined) return undefined;
    const [holding] = present.holdings.values();
    return holding && this.#viewOf(name, present, holding);
  }

  *views(): IterableIterator<Binding> {
    this.#absent.expire();
    for (const [name, present] of this.#names) {
      for (const holding of present.holdings.values()) yield this.#viewOf(name, present, holding);
    }
  }

  apply(limits: BindingLimits): void {
    this.#limits = limits;
    this.#absent.apply(limits.lapseMs);
  }

  stop(): void {
    this.#absent.stop();
  }

  #refuse(present: Name, name: string, record: LiveRecord): void {
    // What a link goes on claiming beyond its bound is refused in silence: it can not flood the log with other peers' names.
    const newsAllowed = record.refusals < this.#limits.idleNamesPerPeerMax;
    const news = present.refusals.note(record, this.#clock.now(), this.#clock.wallMs(), newsAllowed);
    if (news === "none") return;
    if (news === "first") record.refusals += 1;
    const [holder] = present.holdings.values();
    this.#report({
      change: "refused",
      nasIdentifier: name,
      holder: holder?.peerLabel,
      claimant: peerLabel(record.link.peer),
      linkId: record.link.linkId,
    });
  }

  #makeRoom(peerKey: string): boolean {
    const idle = this.#peers.get(peerKey)?.idle;
    const crowded = this.#holdings >= this.#limits.namesMax;
    if (!crowded && (idle?.size ?? 0) < this.#limits.idleNamesPerPeerMax) return true;
    const [longestIdle] = idle ?? [];
    if (longestIdle === undefined) return false;
    const holding = this.#names.get(longestIdle)?.holdings.get(peerKey);
    if (holding !== undefined) this.#unbind(longestIdle, holding, "lapsed");
    return true;
  }

  #bind(name: string, record: LiveRecord): Holding {
    const { peerKey, peer, client } = record.link;
    const holding: Holding = {
      peerKey,
      peerLabel: peerLabel(peer),
      clientName: client.name,
      boundAtMs: this.#clock.wallMs(),
      carriers: new Set(),
      shared: false,
    };
    const present = this.#names.get(name) ?? { holdings: new Map(), refusals: new Refusals(), links: 0, exclusive: 0 };
    present.holdings.set(peerKey, holding);
    present.exclusive += 1;
    present.refusals.forget(peerKey);
    this.#names.set(name, present);
    const peerNames = this.#peers.get(peerKey) ?? { names: new Set(), idle: new Set() };
    peerNames.names.add(name);
    this.#peers.set(peerKey, peerNames);
    this.#holdings += 1;
    return holding;
  }

  #carry(name: string, holding: Holding, record: LiveRecord): void {
    if (holding.carriers.has(record)) return;
    holding.carriers.add(record);
    record.nasIdentifiers.add(name);
    this.#peers.get(holding.peerKey)?.idle.delete(name);
    const present = this.#names.get(name);
    if (present !== undefined) present.links += 1;
    this.#share(name, holding, record);
  }

  #share(name: string, holding: Holding, record: LiveRecord): void {
    const shared = record.link.client.sharedNasIdentifiers.has(name);
    const present = this.#names.get(name);
    if (present === undefined || holding.shared === shared) return;
    holding.shared = shared;
    present.exclusive += shared ? -1 : 1;
  }

  #lapse(peerKey: string): void {
    for (const name of this.#peers.get(peerKey)?.names ?? []) {
      const holding = this.#names.get(name)?.holdings.get(peerKey);
      if (holding !== undefined) this.#unbind(name, holding, "lapsed");
    }
  }

  #unbind(name: string, holding: Holding, change: "lapsed" | "released"): void {
    const { peerKey } = holding;
    const present = this.#names.get(name);
    if (present === undefined || !present.holdings.delete(peerKey)) return;
    // Only release() unbinds a name that links carry, and then from all of its holders: the count of links goes with the name.
    for (const carrier of holding.carriers) carrier.nasIdentifiers.delete(name);
    if (!holding.shared) present.exclusive -= 1;
    if (present.holdings.size === 0) this.#names.delete(name);
    this.#holdings -= 1;
    const peerNames = this.#peers.get(peerKey);
    peerNames?.names.delete(name);
    peerNames?.idle.delete(name);
    if (peerNames?.names.size === 0) {
      this.#peers.delete(peerKey);
      this.#absent.forget(peerKey);
    }
    const holder = holding.peerLabel;
    this.#report({ change, nasIdentifier: name, holder, claimant: undefined, linkId: undefined });
  }

  #viewOf(name: string, present: Name, holding: Holding): Binding {
    return {
      nasIdentifier: name,
      peerKey: holding.peerKey,
      peerLabel: holding.peerLabel,
      client: holding.clientName,
      boundAtMs: holding.boundAtMs,
      linkIds: Array.from(holding.carriers, (carrier) => carrier.link.linkId),
      lapsesAtMs: this.#absent.lapsesAtMs(holding.peerKey),
      refused: present.refusals.view(),
    };
  }
}
