import { LRUCache } from "lru-cache";
import type { AddressClients } from "./address-clients.ts";
import type { ClientEntry } from "./client-entry.ts";
import type { Timer, TimingWheel } from "./timing-wheel.ts";
import { UdpLink, type UdpLinkDeps, udpPeerKey } from "./udp-link.ts";

export interface UdpPeersDeps extends UdpLinkDeps {
  readonly wheel: TimingWheel;
  /** The `clients` of now. */
  readonly clients: () => AddressClients;
  readonly nextLinkId: () => string;
}

export interface UdpPeersOptions {
  /** A router without an authentic packet for this long is no link any more; one that the configuration names by its address
   *  stays. */
  readonly idleMs: number;
  /** Routers at once; beyond it the one that was silent longest goes. */
  readonly linksMax: number;
  /** What the link of a router says that the configuration names, before it has sent anything. */
  readonly listener: string;
}

/** Addresses that are remembered as unknown, or that have proven nothing yet. */
const STRANGERS_MAX = 10_000;
const SWEEP_MS = 60_000;

/** Who is behind each source address: one link for a router, however many listeners it speaks to.
 *
 *  (1) A forged source costs a place among strangers and never the place of a router that has proven itself.
 *  (2) A link is reported once something authentic came, or at once where `clients` has the address and the hub may ask. */
export class UdpPeers {
  readonly #deps: UdpPeersDeps;
  readonly #routers: LRUCache<string, UdpLink>;
  readonly #unproven = new LRUCache<string, UdpLink>({ max: STRANGERS_MAX });
  readonly #unknown = new LRUCache<string, true>({ max: STRANGERS_MAX });
  readonly #pinned = new Set<string>();
  #options: UdpPeersOptions;
  #numbers = 0;
  #sweep: Timer | undefined;

  constructor(deps: UdpPeersDeps, options: UdpPeersOptions) {
    this.#deps = deps;
    this.#options = options;
    this.#routers = new LRUCache({
      max: options.linksMax,
      dispose: (link, _, why) => {
        if (why === "evict") link.close("limit");
      },
    });
  }

  /** Routers that are links. */
  get size(): number {
    return this.#routers.size;
  }

  start(): void {
    this.#openPinned();
    this.#watch();
  }

  apply(options: Omit<UdpPeersOptions, "linksMax">): void {
    this.#options = { ...this.#options, ...options };
  }

  /** The peer at a source address; undefined when no entry of `clients` has it.
   *  @param source as the socket writes it @param listener which one asks */
  find(source: string, listener: string): UdpLink | undefined {
    const known = this.#routers.get(source) ?? this.#unproven.get(source);
    if (known !== undefined) return known;
    if (this.#unknown.has(source)) return undefined;
    const client = this.#deps.clients().find(source);
    if (client === undefined) {
      this.#unknown.set(source, true);
      return undefined;
    }
    const link = this.#newLink(source, client, listener);
    this.#unproven.set(source, link);
    return link;
  }

  /** Something authentic came from a peer that may be a router.
   *  @param localAddress where it came to */
  prove(link: UdpLink, localAddress: string | undefined): void {
    if (!link.open) {
      this.#unproven.delete(link.source);
      this.#routers.set(link.source, link);
    }
    link.prove(localAddress);
  }

  /** Judges every router by the `clients` of now. */
  reauthorise(): void {
    const clients = this.#deps.clients();
    this.#unknown.clear();
    this.#unproven.clear();
    this.#pinned.clear();
    for (const link of this.#all()) {
      const entry = clients.find(link.source);
      if (entry === undefined) link.close("client-removed", "no `clients` entry matches");
      else if (udpPeerKey(entry, link.address) !== link.peerKey) {
        link.close("client-removed", `falls under the entry "${entry.name}" now`);
      } else link.setClient(entry);
    }
    this.#openPinned();
  }

  stop(): void {
    this.#sweep?.cancel();
    for (const link of this.#all()) link.close("stopped");
    this.#unproven.clear();
  }

  /** A router that the configuration names by its one address can be asked before it has said anything. A DAC asks itself. */
  #openPinned(): void {
    for (const [address, entry] of this.#deps.clients().hosts) {
      if (entry.mayTrigger || entry.reverse.size === 0 || this.#deps.clients().find(address) !== entry) continue;
      this.#pinned.add(address);
      const known = this.#routers.get(address);
      if (known === undefined) this.prove(this.#newLink(address, entry, this.#options.listener), undefined);
    }
  }

  /** A copy: what is closed leaves while the rest is looked at. */
  #all(): UdpLink[] {
    return [...this.#routers.values()];
  }

  #newLink(source: string, client: ClientEntry, listener: string): UdpLink {
    const facts = { linkId: this.#deps.nextLinkId(), number: (this.#numbers += 1), listener, client, source };
    return new UdpLink(facts, this.#deps, (link) => {
      // Another link may have the address already: what is closed twice must not take it away.
      if (this.#routers.peek(source) === link) this.#routers.delete(source);
      if (this.#unproven.peek(source) === link) this.#unproven.delete(source);
    });
  }

  #watch(): void {
    const { clock, wheel } = this.#deps;
    this.#sweep = wheel.schedule(clock.now() + Math.min(SWEEP_MS, this.#options.idleMs), () => {
      this.#closeIdle();
      this.#watch();
    });
  }

  #closeIdle(): void {
    const before = this.#deps.clock.now() - this.#options.idleMs;
    for (const link of this.#all()) {
      if (link.seenAt <= before && !this.#pinned.has(link.source)) link.close("idle");
    }
  }
}
