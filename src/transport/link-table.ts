import type { Clock } from "../clock.ts";
import type { ConnectionLimits } from "./admission.ts";
import type { ClientDirectory } from "./client-directory.ts";
import type { ClientEntry } from "./client-entry.ts";
import type { Proof } from "./proof.ts";
import { isCurrentPsk } from "./psk.ts";
import type { RefusalReason } from "./refusal.ts";
import type { Timer, TimingWheel } from "./timing-wheel.ts";
import type { StreamLink } from "./stream-link.ts";
import { type Trust, TRUSTED } from "./trust.ts";

interface LiveLink {
  readonly link: StreamLink;
  readonly proof: Proof;
  /** What the path to a CA was proven under. */
  trust: Trust;
  expiry: Timer | undefined;
}

/** The wall clock may be set while a timer waits on the monotonic one. */
const EXPIRY_CHECK_MS = 3_600_000;

/** The links of one listener, for its limits and for what ends a link from outside: expiry, revocation, configuration.
 *  (1) A link that has ended is in no count. (2) Links of a peer are in the order in which they came. */
export class LinkTable {
  readonly #clock: Clock;
  readonly #wheel: TimingWheel;
  readonly #all = new Set<LiveLink>();
  readonly #byPeer = new Map<string, Set<LiveLink>>();
  readonly #addressCounts = new Map<string, number>();

  constructor(clock: Clock, wheel: TimingWheel) {
    this.#clock = clock;
    this.#wheel = wheel;
  }

  get size(): number {
    return this.#all.size;
  }

  /** Makes room for one more link of a peer; the oldest of its own links gives way (CON-16).
   *  @returns the limit that stays in the way */
  makeRoom(peerKey: string, entry: ClientEntry, address: string, limits: ConnectionLimits): RefusalReason | undefined {
    const linksMax = entry.linksMax ?? limits.linksPerPeer;
    for (const oldest of this.#byPeer.get(peerKey) ?? []) {
      if ((this.#byPeer.get(peerKey)?.size ?? 0) < linksMax) break;
      this.#close(oldest, "limit", `a newer link of the same peer; it may have ${linksMax}`);
    }
    if (this.#all.size >= limits.links) return "too-many-links";
    if ((this.#addressCounts.get(address) ?? 0) >= limits.linksPerAddress) return "too-many-links-of-address";
    return undefined;
  }

  add(link: StreamLink, proof: Proof, trust: Trust): void {
    const live: LiveLink = { link, proof, trust, expiry: undefined };
    this.#all.add(live);
    this.#addOfPeer(live);
    this.#addressCounts.set(link.address, (this.#addressCounts.get(link.address) ?? 0) + 1);
    if (proof.kind === "certificate") this.#watchExpiry(live, proof.peer.notAfterMs);
    void link.ended.then(() => this.#remove(live));
  }

  /** Judges every link by the CAs, revocation lists and `clients` of now (TLS-11, TLS-20). */
  reauthorise(trust: Trust, clients: ClientDirectory): void {
    for (const live of this.#all) {
      const { link, proof } = live;
      if (!link.open) continue;
      const verdict = proof.kind === "certificate" ? trust.judge(proof.peer.chain[0] as Buffer, live.trust) : TRUSTED;
      if (verdict.kind !== "trusted") {
        this.#close(live, verdict.kind === "revoked" ? "certificate-revoked" : "ca-removed", verdict.detail);
        continue;
      }
      live.trust = trust;
      const entry = clients.match(link.peer, link.address);
      if (entry === undefined) this.#close(live, "client-removed", "no `clients` entry matches");
      else if (proof.kind === "psk" && !isCurrentPsk(proof.credential, clients, link.address)) {
        this.#close(live, "client-removed", "its PSK has changed");
      } else if (entry !== link.client) this.#setClient(live, entry, clients.peerKey(link.peer, entry));
    }
  }

  /** Another entry may make another peer of it: what was proven is the same, so the link stays. */
  #setClient(live: LiveLink, entry: ClientEntry, peerKey: string): void {
    this.#removeOfPeer(live);
    live.link.setClient(entry, peerKey);
    this.#addOfPeer(live);
  }

  closeAll(): void {
    for (const live of this.#all) this.#close(live, "stopped");
  }

  /** TLS-12: a link does not outlive the certificate that opened it. */
  #watchExpiry(live: LiveLink, notAfterMs: number): void {
    const leftMs = notAfterMs - this.#clock.wallMs();
    if (leftMs <= 0) return this.#close(live, "certificate-expired");
    const at = this.#clock.now() + Math.min(leftMs, EXPIRY_CHECK_MS);
    live.expiry = this.#wheel.schedule(at, () => this.#watchExpiry(live, notAfterMs));
  }

  #close(live: LiveLink, reason: Parameters<StreamLink["close"]>[0], detail?: string): void {
    // Counted out first: the socket may take a while to go, and whoever is told of the close may look at the counts.
    this.#remove(live);
    live.link.close(reason, detail);
  }

  #remove(live: LiveLink): void {
    if (!this.#all.delete(live)) return;
    live.expiry?.cancel();
    const { link } = live;
    this.#removeOfPeer(live);
    const count = (this.#addressCounts.get(link.address) ?? 1) - 1;
    if (count > 0) this.#addressCounts.set(link.address, count);
    else this.#addressCounts.delete(link.address);
  }
  #addOfPeer(live: LiveLink): void {
    const { peerKey } = live.link;
    const ofPeer = this.#byPeer.get(peerKey);
    if (ofPeer === undefined) this.#byPeer.set(peerKey, new Set([live]));
    else ofPeer.add(live);
  }

  #removeOfPeer(live: LiveLink): void {
    const { peerKey } = live.link;
    const ofPeer = this.#byPeer.get(peerKey);
    ofPeer?.delete(live);
    if (ofPeer?.size === 0) this.#byPeer.delete(peerKey);
  }
}
