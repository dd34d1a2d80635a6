import type { Clock } from "../clock.ts";
import type { BindingChanged } from "../events.ts";
import { formerPeerKey } from "../transport/client-directory.ts";
import { peerLabel } from "../transport/peer.ts";
import { AbsentPeers } from "./absent-peers.ts";
import { type HeldName, type Holding, Holdings } from "./holdings.ts";
import type { LiveRecord } from "./live-record.ts";
import type { Binding, KeptBinding } from "./types.ts";

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
/** What has to be written anew: a binding that is new, changed or gone; "lapsed" is gone because its peer was away for too long. */
export type BindingChange = (nasIdentifier: string, peerKey: string, change: "changed" | "lapsed") => void;

export interface BindingsDeps {
  readonly clock: Clock;
  readonly report: (change: BindingReport) => void;
  readonly changed: BindingChange;
  /** Whether a peer has a link. */
  readonly isPresent: (peerKey: string) => boolean;
  /** A link that is open; undefined once it has gone. */
  readonly recordOf: (linkId: string) => LiveRecord | undefined;
  /** Claims a name for a link that claimed it before. */
  readonly claimAgain: (record: LiveRecord, name: string) => void;
}

/** Which peer a NAS-Identifier belongs to, and which of its links carry it (invariant 1, IDX-04).
 *
 *  (1) A name belongs to the peer that claimed it first; another peer is refused, unless the `clients` entries of all its
 *      holders and of the claimant share it.
 *  (2) A link is found by a name only through a holding of its own peer.
 *  (3) A name stays bound while its peer has any link and `lapseMs` longer, or until release().
 *  (4) With `namesMax` names, or `idleNamesPerPeerMax` idle ones of the claimant, a new name takes the place of the
 *      claimant's own longest idle one; without an idle one it is not bound. So no peer crowds out another.
 *  (5) A change of the configuration that gives a peer another key leaves it its names: peerReplaced(), and for a peer that was
 *      away, its next claim. */
export class Bindings {
  readonly #deps: BindingsDeps;
  readonly #clock: Clock;
  #limits: BindingLimits;
  readonly #holdings = new Holdings();
  readonly #absent: AbsentPeers;

  constructor(deps: BindingsDeps, limits: BindingLimits) {
    this.#deps = deps;
    this.#clock = deps.clock;
    this.#limits = limits;
    this.#absent = new AbsentPeers(deps.clock, limits.lapseMs, (peerKey) => this.#lapse(peerKey));
  }

  /** Names that are bound; a name shared by three peers counts three times. */
  get size(): number {
    this.#absent.expire();
    return this.#holdings.size;
  }

  /** A link says that it is `name`. Only "carried" makes it findable; a refused claimant may ask again at its next packet. */
  claim(record: LiveRecord, name: string): Claim {
    this.#absent.expire();
    const present = this.#holdings.name(name);
    const { peerKey } = record;
    const { peer, client, linkId } = record.link;
    const held = this.#holdings.one(name, peerKey) ?? this.#heldBefore(record, name);
    if (held !== undefined) {
      this.#carry(name, held, record);
      return "carried";
    }
    if (present !== undefined && !(client.sharedNasIdentifiers.has(name) && present.exclusive === 0)) {
      this.#refuse(present, name, record);
      return "refused";
    }
    if (!this.#makeRoom(peerKey)) return "full";
    const bound: Holding = {
      peerKey,
      peerLabel: peerLabel(peer),
      clientName: client.name,
      boundAtMs: this.#clock.wallMs(),
      carriers: new Set(),
      shared: client.sharedNasIdentifiers.has(name),
    };
    this.#holdings.add(name, bound);
    this.#carry(name, bound, record);
    this.#deps.changed(name, peerKey, "changed");
    // Reported last: a subscriber that asks the registry finds the link.
    this.#deps.report({ change: "bound", nasIdentifier: name, holder: bound.peerLabel, claimant: undefined, linkId });
    return "carried";
  }

  /** The `clients` entry of a link was replaced: what it shares may be different now. */
  clientReplaced(record: LiveRecord): void {
    for (const name of record.nasIdentifiers) {
      const holding = this.#holdings.one(name, record.peerKey);
      if (holding !== undefined) this.#share(name, holding, record);
    }
  }

  /** A link has another peer key, `record.peerKey`, than before. What it carries goes with it, unless other links of the former
   *  key carry it and stay; with the last link of the former key go the names that no link carries, too. */
  peerReplaced(record: LiveRecord, former: string): void {
    const stays = !this.#deps.isPresent(former);
    const carried = [...record.nasIdentifiers]; // a name that is carried on is put in anew
    for (const name of carried) {
      const holding = this.#holdings.one(name, former);
      if (holding === undefined) continue; // another link of the same move took it along
      this.#holdings.drop(name, holding, record);
      record.nasIdentifiers.delete(name);
      const others = [...holding.carriers].some(({ link }) => link.peerKey !== record.peerKey);
      if (!others) this.#move(name, holding, record);
      this.claim(record, name);
    }
    if (!stays) return;
    for (const name of this.#holdings.namesOf(former)) {
      const holding = this.#holdings.one(name, former);
      if (holding !== undefined) this.#move(name, holding, record);
    }
  }

  /** A link that carried `name` has closed. */
  drop(record: LiveRecord, name: string): void {
    const holding = this.#holdings.one(name, record.peerKey);
    if (holding !== undefined) this.#holdings.drop(name, holding, record);
  }

  /** The first link of a peer opened. */
  peerCame(peerKey: string): void {
    this.#absent.expire();
    this.#absent.forget(peerKey);
  }

  /** The last link of a peer closed, and drop() has been called for all its names. */
  peerLeft(peerKey: string): void {
    const names = this.#holdings.namesOf(peerKey);
    if (names.size === 0) return;
    this.#absent.left(peerKey);
    for (const name of names) this.#deps.changed(name, peerKey, "changed");
  }

  /** Names that a peer holds, with or without a link that carries them. */
  namesOf(peerKey: string): readonly string[] {
    this.#absent.expire();
    return [...this.#holdings.namesOf(peerKey)];
  }

  /** Peers that hold a name, with or without a link now. */
  holdersOf(name: string): number {
    this.#absent.expire();
    return this.#holdings.name(name)?.holdings.size ?? 0;
  }

  linksOf(name: string): number {
    return this.#holdings.name(name)?.links ?? 0;
  }

  carriersOf(name: string): LiveRecord[] {
    const carriers: LiveRecord[] = [];
    const present = this.#holdings.name(name);
    for (const holding of present?.holdings.values() ?? [])
      for (const carrier of holding.carriers) carriers.push(carrier);
    return carriers;
  }

  /** Frees a name; links that carried it must prove it again. Where one peer was refused it within the last hour and is still
   *  connected, that one gets it at once; of several nobody guesses, and the next claim counts. @returns false for an unknown name */
  release(name: string): boolean {
    this.#absent.expire();
    const present = this.#holdings.name(name);
    if (present === undefined) return false;
    const refused = present.refusals.linkIds(this.#clock.now());
    const claimants = refused.flatMap((linkId) => this.#deps.recordOf(linkId) ?? []);
    for (const holding of present.holdings.values()) this.#unbind(name, holding, "released");
    const [claimant] = claimants;
    if (claimant !== undefined && claimants.length === 1) this.#deps.claimAgain(claimant, name);
    return true;
  }

  view(name: string): Binding | undefined {
    this.#absent.expire();
    const present = this.#holdings.name(name);
    if (present === undefined) return undefined;
    const [holding] = present.holdings.values();
    return holding && this.#viewOf(name, present, holding);
  }

  *views(): IterableIterator<Binding> {
    this.#absent.expire();
    for (const [name, present] of this.#holdings.all()) {
      for (const holding of present.holdings.values()) yield this.#viewOf(name, present, holding);
    }
  }

  /** One binding as it is to be kept; undefined when it is none any more. */
  kept(name: string, peerKey: string): KeptBinding | undefined {
    const holding = this.#holdings.one(name, peerKey);
    if (holding === undefined) return undefined;
    const { peerLabel: label, clientName: client, shared, boundAtMs } = holding;
    const awayMs = this.#clock.now() - (this.#absent.leftAt(peerKey) ?? this.#clock.now());
    const seenAtMs = Math.round(this.#clock.wallMs() - awayMs);
    return { nasIdentifier: name, peerKey, peerLabel: label, client, shared, boundAtMs, seenAtMs };
  }

  /** Names and peers of the bindings whose peer has a link. */
  *present(): IterableIterator<readonly [nasIdentifier: string, peerKey: string]> {
    for (const [name, { holdings }] of this.#holdings.all()) {
      for (const peerKey of holdings.keys()) if (this.#absent.leftAt(peerKey) === undefined) yield [name, peerKey];
    }
  }

  /** Takes bindings of an earlier run. They count before what has been bound since: whoever holds such a name without sharing it
   *  is refused it after all. @returns how many are bound now; the others have lapsed, are ours already or find no room */
  restore(kept: readonly KeptBinding[]): number {
    const wallMs = this.#clock.wallMs();
    const leftAt = new Map<string, number>();
    const added = new Set<Holding>();
    for (const each of kept.toSorted((one, other) => one.boundAtMs - other.boundAtMs)) {
      const awayMs = Math.max(0, wallMs - each.seenAtMs);
      if (awayMs >= this.#limits.lapseMs && !this.#deps.isPresent(each.peerKey)) continue;
      const holding = this.#restoreOne(each, added);
      if (holding === undefined) continue;
      added.add(holding);
      const left = this.#clock.now() - awayMs;
      if (!this.#deps.isPresent(each.peerKey))
        leftAt.set(each.peerKey, Math.max(left, leftAt.get(each.peerKey) ?? left));
    }
    this.#absent.restore(leftAt);
    return added.size;
  }

  apply(limits: BindingLimits): void {
    this.#limits = limits;
    this.#absent.apply(limits.lapseMs);
  }

  stop(): void {
    this.#absent.stop();
  }

  #restoreOne(kept: KeptBinding, added: ReadonlySet<Holding>): Holding | undefined {
    const { nasIdentifier: name, peerKey, shared } = kept;
    const present = this.#holdings.name(name);
    const holders = [...(present?.holdings.values() ?? [])];
    if (holders.some((each) => each.peerKey === peerKey)) return undefined;
    const inTheWay = holders.filter((each) => !(shared && each.shared));
    if (inTheWay.some((each) => added.has(each))) return undefined;
    if (this.#holdings.size - inTheWay.length >= this.#limits.namesMax) return undefined;
    const { peerLabel: label, client: clientName, boundAtMs } = kept;
    const holding: Holding = { peerKey, peerLabel: label, clientName, boundAtMs, shared, carriers: new Set() };
    const losers = inTheWay.flatMap((each) => [...each.carriers]);
    for (const each of inTheWay) {
      this.#holdings.remove(name, each);
      this.#deps.changed(name, each.peerKey, "changed");
    }
    this.#holdings.add(name, holding);
    for (const loser of losers) this.claim(loser, name);
    return holding;
  }

  #refuse(present: HeldName, name: string, record: LiveRecord): void {
    // What a link goes on claiming beyond its bound is refused in silence: it can not flood the log with other peers' names.
    const newsAllowed = record.refusals < this.#limits.idleNamesPerPeerMax;
    const news = present.refusals.note(record, this.#clock.now(), this.#clock.wallMs(), newsAllowed);
    if (news === "none") return;
    if (news === "first") record.refusals += 1;
    const [holder] = present.holdings.values();
    this.#deps.report({
      change: "refused",
      nasIdentifier: name,
      holder: holder?.peerLabel,
      claimant: peerLabel(record.link.peer),
      linkId: record.link.linkId,
    });
  }

  #makeRoom(peerKey: string): boolean {
    const idle = this.#holdings.idleNamesOf(peerKey);
    const crowded = this.#holdings.size >= this.#limits.namesMax;
    if (!crowded && idle.size < this.#limits.idleNamesPerPeerMax) return true;
    const [longestIdle] = idle;
    if (longestIdle === undefined) return false;
    const holding = this.#holdings.one(longestIdle, peerKey);
    if (holding !== undefined) this.#unbind(longestIdle, holding, "lapsed");
    return true;
  }

  /** What the peer bound when it fell under an entry that admits a whole CA: issuer and SAN set still prove it. Not while links
   *  have that key: then both are in use, and are two peers. */
  #heldBefore(record: LiveRecord, name: string): Holding | undefined {
    const former = formerPeerKey(record.link.peer);
    if (former === undefined || former === record.peerKey) return undefined;
    const holding = this.#holdings.one(name, former);
    if (holding === undefined || this.#deps.isPresent(former)) return undefined;
    this.#move(name, holding, record);
    return this.#holdings.one(name, record.peerKey);
  }

  /** Gives a holding to the present key of the link's peer. */
  #move(name: string, holding: Holding, { peerKey, client }: LiveRecord): void {
    const { peerKey: former } = holding;
    const known = this.#holdings.one(name, peerKey);
    if (known === undefined) this.#holdings.move(name, holding, peerKey, client.name);
    else {
      const carriers = [...holding.carriers];
      this.#holdings.remove(name, holding);
      for (const carrier of carriers) this.#holdings.carry(name, known, carrier);
    }
    if (this.#holdings.namesOf(former).size === 0) this.#absent.forget(former);
    this.#deps.changed(name, former, "changed");
    this.#deps.changed(name, peerKey, "changed");
  }

  #carry(name: string, holding: Holding, record: LiveRecord): void {
    this.#holdings.carry(name, holding, record);
    this.#share(name, holding, record);
  }

  #share(name: string, holding: Holding, record: LiveRecord): void {
    const shared = record.link.client.sharedNasIdentifiers.has(name);
    if (this.#holdings.share(name, holding, shared)) this.#deps.changed(name, holding.peerKey, "changed");
  }

  #lapse(peerKey: string): void {
    for (const name of this.#holdings.namesOf(peerKey)) {
      const holding = this.#holdings.one(name, peerKey);
      if (holding !== undefined) this.#unbind(name, holding, "lapsed", "lapsed");
    }
  }

  #unbind(
    name: string,
    holding: Holding,
    change: "lapsed" | "released",
    kept: Parameters<BindingChange>[2] = "changed",
  ): void {
    if (!this.#holdings.remove(name, holding)) return;
    const { peerKey, peerLabel: holder } = holding;
    if (this.#holdings.namesOf(peerKey).size === 0) this.#absent.forget(peerKey);
    this.#deps.changed(name, peerKey, kept);
    this.#deps.report({ change, nasIdentifier: name, holder, claimant: undefined, linkId: undefined });
  }

  #viewOf(name: string, present: HeldName, holding: Holding): Binding {
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
