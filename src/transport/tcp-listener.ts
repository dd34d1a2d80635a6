import { once } from "node:events";
import { type AddressInfo, createServer, type Server, type Socket } from "node:net";
import { LRUCache } from "lru-cache";
import type { AddressClients } from "./address-clients.ts";
import type { ConnectionLimits } from "./admission.ts";
import type { ClientEntry } from "./client-entry.ts";
import { addressGroup, canonicalAddress } from "./networks.ts";
import { listenError } from "./node-errors.ts";
import type { Refusal, RefusalReason } from "./refusal.ts";
import { PerSecond } from "./responder.ts";
import { StreamLink, type StreamLinkDeps, type StreamLinkOptions } from "./stream-link.ts";

export interface TcpListenerOptions {
  readonly name: string;
  readonly address: string;
  readonly port: number;
  readonly limits: Pick<ConnectionLimits, "links" | "linksPerPeer" | "linksPerAddress" | "newPerSecondPerAddress">;
  readonly noDelay: boolean;
  /** Idle time before TCP asks whether the peer is still there; 0 is off. */
  readonly keepAliveMs: number;
  readonly link: StreamLinkOptions;
}

export interface TcpListenerDeps extends StreamLinkDeps {
  /** The `clients` of now. */
  readonly clients: () => AddressClients;
  readonly nextLinkId: () => string;
  readonly refused: (refusal: Refusal) => void;
}

/** Address groups whose rate is remembered; beyond it the least recently seen one starts anew. */
const RATE_GROUPS_MAX = 10_000;

/** One port that speaks RADIUS/TCP (RFC 6613), for peers that are known by their address and secret. Nothing is encrypted:
 *  it is for what lies within a host or beneath IPsec.
 *
 *  new --start()--> listening --pause()--> draining --stop()--> stopped   (no way back; make a new one) */
export class TcpListener {
  readonly #deps: TcpListenerDeps;
  readonly #server: Server;
  readonly #rates = new LRUCache<string, PerSecond>({ max: RATE_GROUPS_MAX });
  /** By peer, which is an entry and an address, in the order in which they came. */
  readonly #links = new Map<string, Set<StreamLink>>();
  readonly #sockets = new Set<Socket>();
  #linkCount = 0;
  #options: TcpListenerOptions;

  constructor(deps: TcpListenerDeps, options: TcpListenerOptions) {
    this.#deps = deps;
    this.#options = options;
    this.#server = createServer((socket) => this.#accept(socket));
  }

  get links(): number {
    return this.#linkCount;
  }

  get listening(): boolean {
    return this.#server.listening;
  }

  /** @throws {HubError} ERR_LISTEN */
  async start(): Promise<{ address: string; port: number }> {
    const { name, address, port } = this.#options;
    this.#server.listen({ host: address, port });
    try {
      await once(this.#server, "listening");
    } catch (error) {
      throw listenError(`tcp listener ${name}`, address, port, error as NodeJS.ErrnoException);
    }
    const bound = this.#server.address() as AddressInfo;
    return { address: bound.address, port: bound.port };
  }

  /** New links have the new options; address and port stay. */
  apply(options: TcpListenerOptions): void {
    this.#options = options;
  }

  /** Judges every link by the `clients` of now. */
  reauthorise(): void {
    const clients = this.#deps.clients();
    for (const link of this.#all()) {
      const entry = clients.find(link.address);
      if (entry === undefined) link.close("client-removed", "no `clients` entry matches");
      else if (peerKeyOf(entry, link.address) !== link.peerKey) {
        link.close("client-removed", `falls under the entry "${entry.name}" now`);
      } else link.setClient(entry);
    }
  }

  /** Stops accepting; links stay. */
  pause(): void {
    if (this.#server.listening) this.#server.close();
  }

  /** Ends every link; a peer that has not gone after `graceMs` is cut. */
  async stop(graceMs: number): Promise<void> {
    this.pause();
    const links = this.#all();
    for (const link of links) link.close("stopped");
    const cancel = this.#deps.clock.after(graceMs, () => {
      for (const socket of this.#sockets) socket.destroy();
    });
    await Promise.all(links.map(({ ended }) => ended));
    cancel();
  }

  #accept(socket: Socket): void {
    const { name, noDelay, keepAliveMs } = this.#options;
    const address = canonicalAddress(socket.remoteAddress ?? "");
    const port = socket.remotePort ?? 0;
    socket.on("error", ignore);
    if (address === undefined) return void socket.destroy(); // it has gone already
    const client = this.#deps.clients().find(address);
    const reason = client === undefined ? "not-in-clients" : this.#fault(client, address);
    if (client === undefined || reason !== undefined) {
      socket.destroy();
      return this.#deps.refused({ listener: name, address, port, reason: reason as RefusalReason });
    }
    socket.setNoDelay(noDelay); // CON-20
    if (keepAliveMs > 0) socket.setKeepAlive(true, keepAliveMs); // CON-21
    this.#open(socket, client, address, port);
  }

  /** Makes room for one more link of a peer; the oldest of its own gives way (CON-16). @returns the limit that is in the way */
  #fault(client: ClientEntry, address: string): RefusalReason | undefined {
    const { links, linksPerPeer, linksPerAddress, newPerSecondPerAddress } = this.#options.limits;
    const group = addressGroup(address);
    let rate = this.#rates.get(group);
    if (rate === undefined) this.#rates.set(group, (rate = new PerSecond()));
    if (rate.count(this.#deps.clock.now()) > newPerSecondPerAddress) return "too-many-new";
    const ofPeer = this.#links.get(peerKeyOf(client, address));
    const linksMax = client.linksMax ?? linksPerPeer;
    for (const oldest of ofPeer ?? []) {
      if ((ofPeer?.size ?? 0) < linksMax) break;
      oldest.close("limit", `a newer link of the same peer; it may have ${linksMax}`);
      this.#forget(oldest);
    }
    if (this.#linkCount >= links) return "too-many-links";
    return (ofPeer?.size ?? 0) >= linksPerAddress ? "too-many-links-of-address" : undefined;
  }

  #open(socket: Socket, client: ClientEntry, address: string, port: number): void {
    const facts = {
      kind: "tcp" as const,
      linkId: this.#deps.nextLinkId(),
      listener: this.#options.name,
      peer: { kind: "address" as const, address },
      peerKey: peerKeyOf(client, address),
      client,
      address,
      port,
      protocol: "TCP",
    };
    this.#sockets.add(socket);
    socket.once("close", () => this.#sockets.delete(socket));
    const link = new StreamLink(socket, facts, this.#deps, this.#options.link);
    const ofPeer = this.#links.get(link.peerKey);
    if (ofPeer === undefined) this.#links.set(link.peerKey, new Set([link]));
    else ofPeer.add(link);
    this.#linkCount += 1;
    void link.ended.then(() => this.#forget(link));
    link.start();
  }

  #forget(link: StreamLink): void {
    const ofPeer = this.#links.get(link.peerKey);
    if (ofPeer?.delete(link) !== true) return;
    this.#linkCount -= 1;
    if (ofPeer.size === 0) this.#links.delete(link.peerKey);
  }

  #all(): StreamLink[] {
    return [...this.#links.values()].flatMap((ofPeer) => [...ofPeer]);
  }
}

function peerKeyOf(entry: ClientEntry, address: string): string {
  return `tcp:${entry.name}:${address}`;
}

function ignore(): void {
  // "close" follows, and the link listens to that.
}
