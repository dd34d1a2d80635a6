import { HubError } from "../errors.ts";
import { expandAddress } from "./local-addresses.ts";
import { listenError } from "./node-errors.ts";
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

/** A set of addresses that take RADIUS/UDP.
 *
 *  new --start()--> listening --pause()--> draining --stop()--> stopped   (no way back; make a new one) */
export class UdpListener {
  readonly #deps: UdpPortDeps;
  #options: UdpListenerOptions;
  #ports: UdpPort[] = [];
  #listening = false;

  constructor(deps: UdpPortDeps, options: UdpListenerOptions) {
    this.#deps = deps;
    this.#options = options;
  }

  get listening(): boolean {
    return this.#listening;
  }

  /** Responses that are kept for duplicates, and how many were forgotten early because of the bound. */
  get replies(): { readonly size: number; readonly pushedOut: number } {
    let [size, pushedOut] = [0, 0];
    for (const { replies } of this.#ports) {
      size += replies.size;
      pushedOut += replies.pushedOut;
    }
    return { size, pushedOut };
  }

  /** @throws {HubError} ERR_LISTEN naming address and port: then no socket is left open */
  async start(): Promise<readonly UdpSocketAddress[]> {
    const { name, addresses, authPort, acctPort, dynauthPort } = this.#options;
    const opened: UdpSocketAddress[] = [];
    try {
      for (const address of new Set(addresses.flatMap(expandAddress))) {
        for (const [purpose, port] of Object.entries({ auth: authPort, acct: acctPort, dynauth: dynauthPort })) {
          if (port !== undefined) opened.push(await this.#open(purpose as UdpPurpose, address, port));
        }
      }
      if (opened.length === 0) throw new HubError("ERR_LISTEN", `udp listener ${name} has no address to listen on`);
    } catch (error) {
      await this.stop(0);
      throw error;
    }
    this.#listening = true;
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
