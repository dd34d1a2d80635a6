import type { Clock, Random } from "./clock.ts";
import type { Config } from "./config.ts";
import type { EventFeed } from "./events.ts";
import type { LinkEvents } from "./link-events.ts";
import type { ListenFaults } from "./listen-faults.ts";
import type { RequestChain } from "./request-chain.ts";
import type { TlsMaterial } from "./tls-material.ts";
import { AddressClients } from "./transport/address-clients.ts";
import { ClientDirectory } from "./transport/client-directory.ts";
import { expandAddress } from "./transport/local-addresses.ts";
import type { OwnEndpoints } from "./transport/own-endpoints.ts";
import { RadsecListener, type RadsecListenerOptions } from "./transport/radsec-listener.ts";
import type { Refusal } from "./transport/refusal.ts";
import { TcpListener } from "./transport/tcp-listener.ts";
import { readMaterial, secureContextOptions } from "./transport/tls-context.ts";
import { Trust } from "./transport/trust.ts";
import type { TimingWheel } from "./transport/timing-wheel.ts";
import { UdpFallbacks } from "./transport/udp-fallbacks.ts";
import { type UdpFigures, UdpListener, type UdpSocketAddress } from "./transport/udp-listener.ts";
import { UdpPeers } from "./transport/udp-peers.ts";
import type { UdpRequester } from "./transport/udp-requester.ts";

export interface ListenersDeps {
  readonly clock: Clock;
  readonly random: Random;
  readonly wheel: TimingWheel;
  readonly events: EventFeed;
  readonly observer: LinkEvents;
  readonly chain: RequestChain;
  readonly requester: UdpRequester;
  readonly endpoints: OwnEndpoints;
  readonly nextLinkId: () => string;
}

/** Where a started hub listens, by the name of the listener. */
export interface ListenerAddresses {
  readonly radsec: ReadonlyMap<string, { readonly address: string; readonly port: number }>;
  readonly udp: ReadonlyMap<string, readonly UdpSocketAddress[]>;
  readonly tcp: ReadonlyMap<string, { readonly address: string; readonly port: number }>;
}

/** Every socket that routers and DACs speak to.
 *
 *  new --start()--> listening --pause()--> draining --stop()--> stopped */
export class Listeners {
  readonly #deps: ListenersDeps;
  readonly #radsec = new Map<string, RadsecListener>();
  readonly #udp = new Map<string, UdpListener>();
  readonly #tcp = new Map<string, TcpListener>();
  #tlsClients: ClientDirectory;
  #udpClients: AddressClients;
  #tcpClients: AddressClients;
  #udpPeers: UdpPeers | undefined;
  readonly #udpFallbacks: UdpFallbacks;
  #udpOptions: Config["udp"];

  constructor(deps: ListenersDeps, config: Config) {
    this.#deps = deps;
    this.#tlsClients = new ClientDirectory(config.clients);
    this.#udpClients = new AddressClients(config.clients, "udp");
    this.#tcpClients = new AddressClients(config.clients, "tcp");
    this.#udpFallbacks = new UdpFallbacks(deps);
    this.#udpOptions = config.udp;
  }

  /** @param faults hears of every listener that can not have its address; the caller then stops what has started
   *  @throws {HubError} ERR_PKI: likewise */
  async start(
    config: Config,
    materials: ReadonlyMap<string, TlsMaterial>,
    faults: ListenFaults,
  ): Promise<ListenerAddresses> {
    const radsec = new Map<string, { address: string; port: number }>();
    for (const [index, options] of config.radsec.entries()) {
      const listener = this.#radsecListener(options, materials.get(options.name) as TlsMaterial);
      const bound = await faults.attempt(["radsec", index, "port"], () => listener.start());
      if (bound === undefined) continue;
      this.#deps.endpoints.add(bound.address, bound.port);
      radsec.set(options.name, bound);
    }
    const udp = new Map<string, readonly UdpSocketAddress[]>();
    for (const [index, options] of config.udp.entries()) {
      const listener = this.#udpListener(options, config.udpRouters);
      const bound = await faults.attempt(["udp", index], () => listener.start());
      if (bound !== undefined) udp.set(options.name, bound);
    }
    this.#udpPeers?.start();
    this.#udpFallbacks.apply(config.clients, this.#tlsClients);
    const tcp = new Map<string, { address: string; port: number }>();
    for (const [index, options] of config.tcp.entries()) {
      const bound = await faults.attempt(["tcp", index, "port"], () => this.#tcpListener(options).start());
      if (bound !== undefined) tcp.set(options.name, bound);
    }
    return { radsec, udp, tcp };
  }

  /** Takes nothing new; links stay. */
  pause(): void {
    for (const listener of this.#all()) listener.pause();
  }

  async stop(graceMs: number): Promise<void> {
    await Promise.all(this.#all().map((listener) => listener.stop(graceMs)));
    this.#udpPeers?.stop();
    this.#udpFallbacks.stop();
  }

  /** New handshakes use these certificates; links keep those that they were made with.
   *  @throws {HubError} ERR_PKI: then the listeners stay as they were */
  useMaterials(config: Config, materials: ReadonlyMap<string, TlsMaterial>): void {
    // All of them are tried before the first is changed.
    for (const options of config.radsec) {
      const material = materials.get(options.name);
      if (material !== undefined) assertUsable(radsecOptions(options, material));
    }
    for (const options of config.radsec) {
      const material = materials.get(options.name);
      if (material !== undefined) this.#radsec.get(options.name)?.apply(radsecOptions(options, material));
    }
  }

  /** Judges every link by the `clients` of now. */
  useClients(config: Config): void {
    this.#tlsClients = new ClientDirectory(config.clients);
    this.#udpClients = new AddressClients(config.clients, "udp");
    this.#tcpClients = new AddressClients(config.clients, "tcp");
    this.#udpOptions = config.udp;
    for (const options of config.udp) this.#udp.get(options.name)?.apply(options);
    for (const options of config.tcp) this.#tcp.get(options.name)?.apply(options);
    const [first] = config.udp;
    if (first !== undefined) this.#udpPeers?.apply({ idleMs: config.udpRouters.idleMs, listener: first.name });
    this.#udpFallbacks.apply(config.clients, this.#tlsClients);
    this.reauthorise();
  }

  reauthorise(): void {
    for (const listener of this.#radsec.values()) listener.reauthorise();
    for (const listener of this.#tcp.values()) listener.reauthorise();
    this.#udpPeers?.reauthorise();
  }

  /** What turns routers away or loses packets, by configuration or by age. */
  warnings(): string[] {
    return [...this.#radsec.values(), ...this.#udp.values()].flatMap((listener) => listener.warnings());
  }

  /** For /ready. */
  checks(): Record<string, { readonly ok: boolean }> {
    const checks: Record<string, { ok: boolean }> = {};
    for (const [name, { listening }] of this.#radsec) checks[`radsec:${name}`] = { ok: listening };
    for (const [name, { listening }] of this.#tcp) checks[`tcp:${name}`] = { ok: listening };
    for (const [name, { listening }] of this.#udp) checks[`udp:${name}`] = { ok: listening };
    return checks;
  }

  udpFigures(): readonly UdpFigures[] {
    return [...this.#udp.values()].map(({ figures }) => figures);
  }

  #radsecListener(options: Config["radsec"][number], material: TlsMaterial): RadsecListener {
    const listener = new RadsecListener(
      { ...this.#streamDeps(), clients: () => this.#tlsClients },
      radsecOptions(options, material),
    );
    this.#radsec.set(options.name, listener);
    return listener;
  }

  #tcpListener(options: Config["tcp"][number]): TcpListener {
    const listener = new TcpListener({ ...this.#streamDeps(), clients: () => this.#tcpClients }, options);
    this.#tcp.set(options.name, listener);
    return listener;
  }

  #streamDeps() {
    const { clock, events, chain } = this.#deps;
    const refused = (refusal: Refusal): void =>
      events.emit({ type: "handshake.refused", atMs: clock.wallMs(), detail: undefined, ...refusal });
    return { ...this.#deps, handler: chain.answer, refused };
  }

  #all(): (RadsecListener | UdpListener | TcpListener)[] {
    return [...this.#radsec.values(), ...this.#udp.values(), ...this.#tcp.values()];
  }

  #udpListener(options: Config["udp"][number], routers: Config["udpRouters"]): UdpListener {
    const { chain, clock, events, observer, requester } = this.#deps;
    this.#udpPeers ??= new UdpPeers(
      { ...this.#deps, requester, clients: () => this.#udpClients },
      { ...routers, listener: options.name },
    );
    const listener = new UdpListener(
      {
        ...this.#deps,
        clock,
        peers: this.#udpPeers,
        handler: chain.answer,
        trigger: chain.trigger(() => this.#udpOptions.find(({ name }) => name === options.name)?.noRoute),
        dropped: (reason, from) => observer.datagramDropped(reason, from),
        expand: expandAddress,
        moved: (change) => events.emit({ type: "listener.moved", atMs: clock.wallMs(), detail: undefined, ...change }),
      },
      options,
    );
    this.#udp.set(options.name, listener);
    return listener;
  }
}

/** @throws {HubError} ERR_PKI */
function assertUsable({ name, tls }: RadsecListenerOptions): void {
  readMaterial(`radsec listener ${name}`, () => {
    secureContextOptions(tls);
    return new Trust(tls);
  });
}

function radsecOptions(options: Config["radsec"][number], material: TlsMaterial): RadsecListenerOptions {
  const { minVersion, ciphers } = options.tls;
  return { ...options, tls: { ...material, minVersion, ...(ciphers === undefined ? {} : { ciphers }) } };
}
