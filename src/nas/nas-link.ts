import type { SecureContext, TLSSocket } from "node:tls";
import type { Clock, Random } from "../clock.ts";
import type { Attribute } from "../radius/attribute.ts";
import { BackOff } from "../transport/back-off.ts";
import { dial, type DialOptions as DialTarget } from "../transport/dial.ts";
import { NasConnection, type NasConnectionDeps, type NasConnectionOptions } from "./nas-connection.ts";
import type { NasCloseReason, NasLinkEvent, NasRequestOutcome } from "./nas-events.ts";

/** Where the hub is and what the router shows it. */
interface DialOptions {
  readonly host: string;
  readonly port: number;
  /** Made once and shared by all links: it is most of what a link would weigh. */
  readonly secureContext: SecureContext;
  readonly psk?: DialTarget["psk"];
  /** Name that the hub's certificate must have; `host` when undefined. */
  readonly serverName?: string | undefined;
}

const CONNECT_TIMEOUT_MS = 10_000;
const STOP_GRACE_MS = 1_000;

export interface NasLinkDeps extends Pick<NasConnectionDeps, "clock" | "random" | "plan" | "answer"> {
  readonly clock: Clock;
  readonly random: Random;
  readonly event: (event: NasLinkEvent) => void;
}

export interface NasLinkOptions extends Omit<NasConnectionOptions, "onProbation"> {
  readonly dial: DialOptions;
  readonly backOff: { readonly floorMs?: number; readonly capMs?: number };
}

/** One link that a router keeps open: it dials, and dials again after a back-off (WD-07), until stop().
 *  idle --start()--> dialling --TLS up--> open --closed--> waiting --back-off--> dialling;   any --stop()--> stopped */
export class NasLink {
  readonly #deps: NasLinkDeps;
  readonly #options: NasLinkOptions;
  readonly #backOff: BackOff;
  #connection: NasConnection | undefined;
  #cancelDial: (() => void) | undefined;
  #cancelWait: (() => void) | undefined;
  #stopped = false;
  #whenEnded: (() => void) | undefined;
  /** The last connection was ended by its watchdog (WD-05). */
  #lostToWatchdog = false;

  constructor(deps: NasLinkDeps, options: NasLinkOptions) {
    this.#deps = deps;
    this.#options = options;
    this.#backOff = new BackOff(deps.random, options.backOff);
  }

  get open(): boolean {
    return this.#connection?.open ?? false;
  }

  get onProbation(): boolean {
    return this.#connection?.onProbation ?? false;
  }

  start(): void {
    if (this.#stopped) return;
    const { serverName = this.#options.dial.host } = this.#options.dial;
    const target = { ...this.#options.dial, serverName, timeoutMs: CONNECT_TIMEOUT_MS, isSelf: () => false };
    this.#cancelDial = dial(target, this.#deps.clock, (result) => {
      this.#cancelDial = undefined;
      if (result.kind === "connected") this.#connected(result.socket);
      else if (this.#stopped) this.#closed("stopped", undefined, false);
      else this.#closed("connect-failed", result.detail, false);
    });
  }

  /** Ends the link for good, with close_notify; settles when the socket is gone. */
  async stop(): Promise<void> {
    if (this.#stopped) return;
    this.#stopped = true;
    this.#cancelWait?.();
    if (this.#cancelDial === undefined && this.#connection === undefined) return;
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#whenEnded = resolve;
    this.#cancelDial?.();
    this.#connection?.close("stopped");
    const cancelCut = this.#deps.clock.after(STOP_GRACE_MS, () => this.#connection?.cut());
    await promise;
    cancelCut();
  }

  /** Ends the connection at once, as a pulled cable would; the link dials again. */
  interrupt(): void {
    this.#connection?.cut();
  }

  /** @throws {HubError} ERR_RADIUS_TOO_LONG */
  request(code: number, attributes: readonly Attribute[], timeoutMs: number): Promise<NasRequestOutcome> {
    return this.#connection?.request(code, attributes, timeoutMs) ?? Promise.resolve({ kind: "not-sent" });
  }

  #connected(socket: TLSSocket): void {
    const localPort = socket.localPort ?? 0;
    this.#deps.event({ type: "connected", localPort, protocol: socket.getProtocol() ?? "unknown" });
    const connection = new NasConnection(
      socket,
      {
        ...this.#deps,
        closed: (reason, detail) => {
          this.#connection = undefined;
          if (connection.proven) this.#backOff.reset();
          this.#lostToWatchdog = reason === "watchdog" || (this.#lostToWatchdog && !connection.proven);
          this.#closed(reason, detail, true);
        },
      },
      { ...this.#options, onProbation: this.#lostToWatchdog },
    );
    this.#connection = connection;
    connection.start();
    if (this.#stopped) connection.close("stopped");
  }

  #closed(reason: NasCloseReason, detail: string | undefined, wasConnected: boolean): void {
    const retryInMs = this.#stopped ? undefined : this.#backOff.next();
    if (retryInMs !== undefined) this.#cancelWait = this.#deps.clock.after(retryInMs, () => this.start());
    this.#deps.event({ type: "closed", reason, detail, wasConnected, retryInMs });
    this.#whenEnded?.();
  }
}
