import { HubError } from "../errors.ts";
import { listenError } from "./node-errors.ts";
import { receiveDrops } from "./receive-drops.ts";
import type { Timer } from "./timing-wheel.ts";
import { UdpPort, type UdpPortDeps, type UdpPortOptions, type UdpPurpose } from "./udp-port.ts";

export interface UdpListenerOptions extends UdpPortOptions {
  readonly name: string;
  /** "0.0.0.0" and "::" stand for every local address, with a socket each. */
  readonly addresses: readonly string[];
  /** 0 takes a free port; undefined is none. */
  readonly authPort?: number | undefined;
  readonly acctPort?: number | undefined;
  readonly dynauthPort?: number | undefined;
  /** SO_RCVBUF of each socket: what comes while the hub is busy waits there. */
  readonly receiveBufferBytes: number;
}

/** Where a listener listens. */
export interface UdpSocketAddress {
  readonly purpose: UdpPurpose;
  readonly address: string;
  readonly port: number;
}

export interface UdpListenerDeps extends UdpPortDeps {
  /** The addresses that an address of the options stands for now: expandAddress(), for a wildcard more than one. */
  readonly expand: (address: string) => readonly string[];
  /** An address behind a wildcard came or went. */
  readonly moved: (change: AddressChange) => void;
}

export interface AddressChange {
  readonly listener: string;
  readonly address: string;
  readonly change: "opened" | "closed" | "failed";
  readonly detail?: string | undefined;
}

/** What a listener has to tell of itself in figures; the counts are since its start. */
export interface UdpFigures {
  readonly name: string;
  /** Responses that are kept for duplicates. */
  readonly repliesKept: number;
  /** Those that were forgotten early because of the bound. */
  readonly repliesPushedOut: number;
  /** Datagrams that the kernel threw away before the hub saw them; undefined where it does not tell. */
  readonly receiveDrops: number | undefined;
}

/** How often the addresses behind a wildcard are looked at. */
const FOLLOW_MS = 10_000;

/** A set of addresses that take RADIUS/UDP.
 *
 *  new --start()--> listening --pause()--> draining --stop()--> stopped   (no way back; make a new one)
 *  (1) A wildcard is one socket for each address of this machine, also for those that come later: a reply has to leave from
 *      the address that was addressed (UL-02, DP-01). */
export class UdpListener {
  readonly #deps: UdpListenerDeps;
  #options: UdpListenerOptions;
  #ports: UdpPort[] = [];
  #listening = false;
  #follower: Timer | undefined;
  /** Addresses that can not be had, so that each is reported once. */
  readonly #failed = new Set<string>();
  /** Of sockets that are closed. */
  readonly #past = { pushedOut: 0, drops: 0 };

  constructor(deps: UdpListenerDeps, options: UdpListenerOptions) {
    this.#deps = deps;
    this.#options = options;
  }

  get listening(): boolean {
    return this.#listening;
  }

  /** Reads what the kernel has to tell, for all sockets. */
  get figures(): UdpFigures {
    const drops = receiveDrops();
    const figures = { repliesKept: 0, repliesPushedOut: this.#past.pushedOut, receiveDrops: this.#past.drops };
    for (const port of this.#ports) {
      figures.repliesKept += port.replies.size;
      figures.repliesPushedOut += port.replies.pushedOut;
      if (drops !== undefined) figures.receiveDrops += port.receiveDrops(drops);
    }
    return { name: this.#options.name, ...figures, ...(drops === undefined && { receiveDrops: undefined }) };
  }

  /** An address behind a wildcard that is not ready yet is no fault: it has its sockets once it is.
   *  @throws {HubError} ERR_LISTEN naming address and port: then no socket is left open */
  async start(): Promise<readonly UdpSocketAddress[]> {
    const { name } = this.#options;
    const opened: UdpSocketAddress[] = [];
    try {
      for (const address of this.#addresses()) opened.push(...(await this.#openFirst(address)));
      if (opened.length === 0) throw new HubError("ERR_LISTEN", `udp listener ${name} has no address to listen on`);
    } catch (error) {
      await this.stop(0);
      throw error;
    }
    this.#listening = true;
    this.#watchAddresses();
    return opened;
  }

  /** What the operator should hear: sockets with less receive buffer than was asked for. */
  warnings(): string[] {
    const { name, receiveBufferBytes: wanted } = this.#options;
    const least = Math.min(...this.#ports.map(({ receiveBufferBytes }) => receiveBufferBytes));
    if (this.#ports.length === 0 || least >= wanted) return [];
    return [
      `udp listener ${name}: the system gives ${least} octets of receive buffer where ${wanted} are asked for, so bursts ` +
        `may be lost; sysctl -w net.core.rmem_max=${wanted} allows them`,
    ];
  }

  /** New limits and times; addresses, ports and receive buffers stay as they were opened. */
  apply(options: UdpListenerOptions): void {
    this.#options = options;
    for (const port of this.#ports) port.apply(options);
  }

  /** Takes no request any more; those that are worked on are answered. */
  pause(): void {
    this.#listening = false;
    this.#follower?.cancel();
    for (const port of this.#ports) port.pause();
  }

  /** Waits for what is worked on, then closes the sockets. Idempotent. */
  async stop(graceMs: number): Promise<void> {
    this.pause();
    const grace = Promise.withResolvers<void>();
    const cancel = this.#deps.clock.after(graceMs, grace.resolve);
    const drained = Promise.all(this.#ports.map((port) => port.drained()));
    await Promise.race([drained, grace.promise]);
    cancel();
    for (const port of this.#ports) port.close();
    this.#ports = [];
  }

  #addresses(): ReadonlySet<string> {
    return new Set(this.#options.addresses.flatMap(this.#deps.expand));
  }

  #watchAddresses(): void {
    if (!this.#options.addresses.some((address) => address === "0.0.0.0" || address === "::")) return;
    const { clock, wheel } = this.#deps;
    this.#follower = wheel.schedule(clock.now() + FOLLOW_MS, () => {
      void this.#follow().finally(() => {
        if (this.#listening) this.#watchAddresses();
      });
    });
  }

  /** Opens sockets on addresses that are new, and closes those whose address has gone. */
  async #follow(): Promise<void> {
    const wanted = this.#addresses();
    for (const address of new Set(this.#ports.map((port) => port.address))) {
      if (wanted.has(address)) continue;
      this.#leave(address);
      this.#moved(address, "closed");
    }
    for (const address of this.#failed) if (!wanted.has(address)) this.#failed.delete(address);
    for (const address of wanted) {
      if (this.#ports.some((port) => port.address === address)) continue;
      try {
        await this.#openAll(address);
        if (!this.#listening) return this.#leave(address); // stop() was called meanwhile
        this.#failed.delete(address);
        this.#moved(address, "opened");
      } catch (error) {
        this.#leave(address);
        this.#notReady(address, error as HubError);
      }
    }
  }

  #leave(address: string): void {
    const gone = this.#ports.filter((port) => port.address === address);
    this.#ports = this.#ports.filter((port) => port.address !== address);
    const drops = receiveDrops();
    for (const port of gone) {
      this.#past.pushedOut += port.replies.pushedOut;
      if (drops !== undefined) this.#past.drops += port.receiveDrops(drops);
      port.close();
    }
  }

  /** @throws {HubError} ERR_LISTEN */
  async #openFirst(address: string): Promise<readonly UdpSocketAddress[]> {
    try {
      return await this.#openAll(address);
    } catch (error) {
      const { code } = ((error as HubError).cause ?? {}) as NodeJS.ErrnoException;
      if (code !== "EADDRNOTAVAIL" || this.#options.addresses.includes(address)) throw error;
      this.#leave(address);
      this.#notReady(address, error as HubError);
      return [];
    }
  }

  /** An address that is new may not be ready yet (RFC 4862 Section 5.4): the next look tries again. */
  #notReady(address: string, { message }: Error): void {
    if (!this.#failed.has(address)) this.#moved(address, "failed", message);
    this.#failed.add(address);
  }

  #moved(address: string, change: AddressChange["change"], detail?: string): void {
    this.#deps.moved({ listener: this.#options.name, address, change, detail });
  }

  async #openAll(address: string): Promise<UdpSocketAddress[]> {
    const { authPort, acctPort, dynauthPort } = this.#options;
    const opened: UdpSocketAddress[] = [];
    for (const [purpose, port] of Object.entries({ auth: authPort, acct: acctPort, dynauth: dynauthPort })) {
      if (port !== undefined) opened.push(await this.#open(purpose as UdpPurpose, address, port));
    }
    return opened;
  }

  async #open(purpose: UdpPurpose, address: string, port: number): Promise<UdpSocketAddress> {
    const { name, receiveBufferBytes } = this.#options;
    const opened = new UdpPort({ purpose, address, listener: name }, this.#deps, this.#options, receiveBufferBytes);
    try {
      const bound = await opened.bind(port);
      this.#ports.push(opened);
      return { purpose, address, port: bound };
    } catch (error) {
      opened.close();
      throw listenError(`udp listener ${name}`, address, port, error as NodeJS.ErrnoException);
    }
  }
}
