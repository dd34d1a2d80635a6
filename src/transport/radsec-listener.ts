import { once } from "node:events";
import { type AddressInfo, createServer, type Server, type Socket } from "node:net";
import { createServer as createTlsServer, type Server as TlsServer, type TLSSocket } from "node:tls";
import { isDeepStrictEqual } from "node:util";
import { Admission, type ConnectionLimits } from "./admission.ts";
import type { ClientDirectory } from "./client-directory.ts";
import { Handshake, type HandshakeOwner, socketKey } from "./handshake.ts";
import { LinkTable } from "./link-table.ts";
import { NetworkSet } from "./networks.ts";
import { handshakeFault, listenError } from "./node-errors.ts";
import { describe, proofOf } from "./proof.ts";
import { judgePsk, pskOctets, pskRefusal, type PskVersion } from "./psk.ts";
import type { Refusal, RefusalReason } from "./refusal.ts";
import { type ListenerTlsOptions, readMaterial, secureContextOptions } from "./tls-context.ts";
import { StreamLink, type StreamLinkDeps, type StreamLinkOptions } from "./stream-link.ts";
import { Trust } from "./trust.ts";

export interface RadsecListenerOptions {
  readonly name: string;
  readonly address: string;
  readonly port: number;
  readonly tls: ListenerTlsOptions;
  /** Networks of balancers. From them a PROXY header is required, from others it is not TLS. */
  readonly proxyProtocolFrom: readonly string[];
  readonly limits: ConnectionLimits;
  /** From accept to admission, PROXY header included. */
  readonly handshakeTimeoutMs: number;
  readonly noDelay: boolean;
  /** Idle time before TCP asks whether the peer is still there; 0 is off. */
  readonly keepAliveMs: number;
  readonly link: StreamLinkOptions;
}

export interface RadsecListenerDeps extends StreamLinkDeps {
  /** The `clients` of now. */
  readonly clients: () => ClientDirectory;
  readonly nextLinkId: () => string;
  readonly refused: (refusal: Refusal) => void;
}

/** RADIUS/1.1 is not spoken: a peer that offers nothing else gets no_application_protocol (TLS-22, R11-03). */
const ALPN_PROTOCOLS = ["radius/1.0"];
/** A reconnect storm after a restart should wait in the kernel, not be reset. */
const BACKLOG = 4_096;
/** A refused peer has this long to take our close_notify. */
const REFUSAL_LINGER_MS = 1_000;

/** One TCP port that speaks RADIUS/TLS. It admits peers, makes links of them and ends links whose peer lost its standing.
 *
 *  new --start()--> listening --pause()--> draining --stop()--> stopped   (no way back; make a new one)
 *  (1) No octet of RADIUS is read before the peer is admitted (TLS-08).
 *  (2) Every connection ends as a link or as exactly one refusal. */
export class RadsecListener implements HandshakeOwner {
  readonly #deps: RadsecListenerDeps;
  readonly #tcp: Server;
  readonly #tls: TlsServer;
  readonly #admission: Admission;
  readonly #links: LinkTable;
  readonly #sockets = new Set<Socket>();
  readonly #handshakes = new Map<string, Handshake>();
  #options: RadsecListenerOptions;
  #balancers: NetworkSet;
  #trust: Trust;
  /** Versions of TLS in which the listener can use PSKs now. */
  #pskVersions: ReadonlySet<PskVersion> = new Set();
  #stopping = false;

  constructor(deps: RadsecListenerDeps, options: RadsecListenerOptions) {
    this.#deps = deps;
    this.#options = options;
    this.#balancers = new NetworkSet([]);
    this.#trust = new Trust({ ca: [], crl: [] });
    this.#admission = new Admission(deps.clock, options.limits);
    this.#links = new LinkTable(deps.clock, deps.wheel);
    this.#tcp = createServer();
    this.#tls = createTlsServer({
      requestCert: true,
      // Judged in #admit: Node would only cut the connection, and the reason would be lost.
      rejectUnauthorized: false,
      ALPNProtocols: ALPN_PROTOCOLS,
      pskCallback: (socket, identity) => this.#pskOf(socket, identity),
      // The wheel ends handshakes, on the injected clock; this one only must not come first.
      handshakeTimeout: 2 * options.handshakeTimeoutMs + 120_000,
    });
  }

  get links(): number {
    return this.#links.size;
  }

  /** Whether routers can dial in. */
  get listening(): boolean {
    return this.#tcp.listening;
  }

  get halfOpen(): number {
    return this.#admission.halfOpen;
  }

  /** What turns peers away by configuration or by age, one line each: no CA, an expired revocation list. Ask after start(),
   *  after apply() and now and then: a list expires while the hub runs. */
  warnings(): string[] {
    return this.#trust.warnings(this.#deps.clock.wallMs()).map((line) => `${this.#what}: ${line}`);
  }

  /** @throws {HubError} ERR_LISTEN when the port can not be had; ERR_PKI or ERR_INPUT when the options can not be used. */
  async start(): Promise<{ address: string; port: number }> {
    this.#use(this.#options);
    this.#tcp.on("connection", (socket) => this.#accept(socket));
    this.#tls.on("secureConnection", (socket) => this.#secured(socket));
    this.#tls.on("tlsClientError", (error: NodeJS.ErrnoException, socket) => {
      const { reason, detail } = handshakeFault(error);
      this.#handshakes.get(socketKey(socket))?.refuse(reason, detail);
    });
    const { address, port } = this.#options;
    this.#tcp.listen({ host: address, port, backlog: BACKLOG });
    try {
      await once(this.#tcp, "listening");
    } catch (error) {
      throw listenError(this.#what, address, port, error as NodeJS.ErrnoException);
    }
    const bound = this.#tcp.address() as AddressInfo;
    return { address: bound.address, port: bound.port };
  }

  /** Stops accepting; links stay. */
  pause(): void {
    this.#stopping = true;
    if (this.#tcp.listening) this.#tcp.close();
    for (const handshake of this.#admission.waiting()) handshake.refuse("stopping");
  }

  /** Tell, wait, cut: close_notify to every link, at most `graceMs` for them to go, then their sockets are destroyed. */
  async stop(graceMs: number): Promise<void> {
    this.pause();
    this.#links.closeAll();
    const gone = Promise.all(
      Array.from(this.#sockets, (socket) => new Promise<void>((resolve) => socket.once("close", () => resolve()))),
    );
    const cancel = this.#deps.clock.after(graceMs, () => {
      for (const socket of this.#sockets) socket.destroy();
    });
    await gone;
    cancel();
  }

  /** Takes on new options without dropping a link; new links have all of them, live links keep their `link` options. Call
   *  reauthorise() afterwards: it is not done here, because `clients` usually change with it.
   *  @returns the keys whose change needs a restart
   *  @throws {HubError} ERR_PKI or ERR_INPUT, and then nothing has changed */
  apply(options: RadsecListenerOptions): string[] {
    const { name, address, port } = this.#options;
    this.#use(options);
    this.#options = { ...options, name, address, port };
    return (["name", "address", "port"] as const).filter((key) => options[key] !== { name, address, port }[key]);
  }

  /** `clients` or trust have changed: links whose peer is no longer welcome are closed, the others get their new entry. */
  reauthorise(): void {
    if (!isDeepStrictEqual(this.#deps.clients().pskVersions, this.#pskVersions)) this.#useContext(this.#options.tls);
    this.#links.reauthorise(this.#trust, this.#deps.clients());
  }

  /** A handshake is over without a link (HandshakeOwner). */
  refused(handshake: Handshake, reason: RefusalReason, detail: string | undefined): void {
    this.#forget(handshake);
    const { address, port, secured } = handshake;
    if (secured === undefined) handshake.socket.destroy();
    else this.#endInOrder(secured);
    const refusal = { listener: this.#options.name, address, port, reason };
    const told = detail === undefined ? refusal : { ...refusal, detail };
    this.#deps.refused({ ...told, ...pskRefusal(handshake.psk, reason) });
  }

  get #what(): string {
    return `radsec listener ${this.#options.name}`;
  }

  /** Everything that can fail comes before the first assignment. */
  #use(options: RadsecListenerOptions): void {
    const balancers = new NetworkSet(options.proxyProtocolFrom);
    const trust = readMaterial(this.#what, () => new Trust(options.tls));
    this.#useContext(options.tls);
    this.#trust = trust;
    this.#balancers = balancers;
    this.#admission.limits = options.limits;
  }

  #useContext(tls: ListenerTlsOptions): void {
    const { pskVersions } = this.#deps.clients();
    this.#tls.setSecureContext(readMaterial(this.#what, () => secureContextOptions(tls, pskVersions)));
    this.#pskVersions = pskVersions;
  }

  #accept(socket: Socket): void {
    const { clock, wheel } = this.#deps;
    const { noDelay, keepAliveMs, handshakeTimeoutMs } = this.#options;
    this.#sockets.add(socket);
    socket.once("close", () => this.#sockets.delete(socket));
    socket.setNoDelay(noDelay); // CON-20
    if (keepAliveMs > 0) socket.setKeepAlive(true, keepAliveMs); // CON-21
    const handshake = new Handshake(socket, clock.now(), this.#trust, this);
    if (socket.remoteAddress === undefined) return handshake.refuse("reset");
    const full = this.#stopping ? "stopping" : this.#admission.enter(handshake);
    if (full !== undefined) return handshake.refuse(full);
    handshake.timer = wheel.schedule(clock.now() + handshakeTimeoutMs, () => handshake.refuse("handshake-timeout"));
    if (this.#balancers.has(handshake.address)) handshake.readProxyHeader(() => this.#startTls(handshake));
    else this.#startTls(handshake);
  }

  #startTls(handshake: Handshake): void {
    const full = this.#admission.locate(handshake, handshake.address);
    if (full !== undefined) return handshake.refuse(full);
    if (!this.#deps.clients().takesTlsFrom(handshake.address)) {
      return handshake.refuse("not-in-clients", "no entry is for this address");
    }
    this.#handshakes.set(handshake.key, handshake);
    this.#tls.emit("connection", handshake.socket);
  }

  #secured(socket: TLSSocket): void {
    const handshake = this.#handshakes.get(socketKey(socket));
    if (handshake === undefined) return void socket.destroy();
    handshake.secured = socket;
    socket.on("error", ignore);
    this.#admit(handshake, socket);
  }

  /** Called in the middle of a handshake, where nothing may throw. */
  #pskOf(socket: TLSSocket, identity: string): Buffer | null {
    const handshake = this.#handshakes.get(socketKey(socket));
    if (handshake === undefined) return null;
    const version = socket.getProtocol();
    handshake.psk = judgePsk(this.#deps.clients(), identity, handshake.address, version);
    return pskOctets(handshake.psk, version, this.#deps.random);
  }

  #admit(handshake: Handshake, socket: TLSSocket): void {
    const { address, port } = handshake;
    const clients = this.#deps.clients();
    const proof = proofOf(socket, handshake, this.#trust, clients);
    if (proof.kind === "none") return handshake.refuse(proof.reason, proof.detail);
    const { peer } = proof;
    const who = describe(peer);
    const client = clients.match(peer, address);
    if (client === undefined) return handshake.refuse("not-in-clients", who); // TLS-18
    const peerKey = clients.peerKey(peer, client);
    const full = this.#links.makeRoom(peerKey, client, address, this.#options.limits);
    if (full !== undefined) return handshake.refuse(full, who);
    handshake.admit();
    this.#forget(handshake);
    const facts = {
      kind: "tls" as const,
      linkId: this.#deps.nextLinkId(),
      listener: this.#options.name,
      peer,
      peerKey,
      client,
      address,
      port,
      protocol: `${socket.getProtocol()} ${socket.getCipher().name}`,
    };
    const link = new StreamLink(socket, facts, this.#deps, this.#options.link);
    link.start();
    this.#links.add(link, proof, this.#trust);
  }

  #forget(handshake: Handshake): void {
    this.#admission.leave(handshake);
    if (this.#handshakes.get(handshake.key) === handshake) this.#handshakes.delete(handshake.key);
  }

  /** TLS-18: end TLS at once, then TCP; Node can not choose the alert. A peer that does not read is cut. */
  #endInOrder(socket: TLSSocket): void {
    socket.end();
    const { clock, wheel } = this.#deps;
    const cut = wheel.schedule(clock.now() + REFUSAL_LINGER_MS, () => socket.destroy());
    socket.once("close", () => cut.cancel());
  }
}

function ignore(): void {
  // "close" follows, and the link or the handshake listens to that.
}
