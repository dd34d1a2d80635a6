import type { SecureContext, TLSSocket } from "node:tls";
import type { Clock, Random } from "../clock.ts";
import type { Attribute } from "../radius/attribute.ts";
import { AUTHENTICATOR_BYTES } from "../radius/packet.ts";
import { BackOff } from "./back-off.ts";
import { certificatePeer } from "./certificate-peer.ts";
import type { ClientEntry } from "./client-entry.ts";
import { dial } from "./dial.ts";
import type { CloseReason, DropReason, Link, RequestHandler } from "./link.ts";
import type { Peer } from "./peer.ts";
import type { PskCredential } from "./psk.ts";
import type { ServerIdentity } from "./server-identity.ts";
import type { TimingWheel } from "./timing-wheel.ts";
import { StreamLink, type StreamLinkOptions } from "./stream-link.ts";
import { Watchdog } from "./watchdog.ts";

export interface OutboundLinkDeps {
  readonly clock: Clock;
  readonly random: Random;
  readonly wheel: TimingWheel;
  /** Answers requests that the server sends in reverse. */
  readonly handler: RequestHandler;
  readonly nextLinkId: () => string;
  /** Whether an address and port are this hub's own (TLS-25). */
  readonly isSelf: (address: string, port: number) => boolean;
  readonly dropped: (link: Link, reason: DropReason) => void;
}

export interface OutboundLinkOptions extends ServerIdentity {
  /** "upstream:home": what the link says instead of a listener. */
  readonly name: string;
  readonly host: string;
  readonly port: number;
  /** What both sides prove themselves by in place of certificates. */
  readonly psk?: PskCredential | undefined;
  readonly connectTimeoutMs: number;
  /** Tw, at or above the floor of 6 s, and its jitter (WD-02). */
  readonly watchdogMs: number;
  readonly watchdogJitterMs: number;
  /** What the watchdog sends: Status-Server, or a test Access-Request, whose password is hidden with the authenticator. */
  readonly probe: (authenticator: Buffer) => { readonly code: number; readonly attributes: readonly Attribute[] };
  readonly reconnect: { readonly floorMs: number; readonly capMs: number };
  /** What the server may do on this link, and the secret. */
  readonly entry: ClientEntry;
  readonly link: StreamLinkOptions;
}

/** Longer than any link waits for the answer to a watchdog: its two Tw end the link before. */
const WATCHDOG_ANSWER_MS = 86_400_000;

/** One link that the hub keeps open to a server: it dials, and dials again after a back-off (WD-07), until stop().
 *
 *  idle --start()--> dialling --TLS up--> open --closed--> waiting --back-off--> dialling;   any --stop()--> stopped
 *  (1) A connection that ends before one authentic packet came counts as a failure (WD-07).
 *  (2) After one that a watchdog ended, the next is on probation: three answers before it is used (WD-05). */
export class OutboundLink {
  readonly #deps: OutboundLinkDeps;
  readonly #options: OutboundLinkOptions;
  readonly #changed: (detail: string) => void;
  readonly #backOff: BackOff;
  #secureContext: SecureContext;
  #link: StreamLink | undefined;
  #watchdog: Watchdog | undefined;
  #cancelDial: (() => void) | undefined;
  #cancelWait: (() => void) | undefined;
  #lostToWatchdog = false;
  #state: "idle" | "running" | "stopped" = "idle";

  /** @param changed the link may have become usable, or has ended, for this reason */
  constructor(
    deps: OutboundLinkDeps,
    options: OutboundLinkOptions,
    secureContext: SecureContext,
    changed: (detail: string) => void,
  ) {
    this.#deps = deps;
    this.#options = options;
    this.#secureContext = secureContext;
    this.#changed = changed;
    this.#backOff = new BackOff(deps.random, options.reconnect);
  }

  /** The link, while requests may go over it. */
  get usable(): StreamLink | undefined {
    const isUsable = this.#link?.open === true && this.#watchdog?.onProbation === false;
    return isUsable ? this.#link : undefined;
  }

  start(): void {
    if (this.#state !== "idle") return;
    this.#state = "running";
    this.#dial();
  }

  /** The next connection uses this; the one that is open keeps what it was made with. */
  useSecureContext(secureContext: SecureContext): void {
    this.#secureContext = secureContext;
  }

  /** Ends the link for good, with close_notify; settles when the socket is gone. */
  async stop(): Promise<void> {
    this.#state = "stopped";
    this.#cancelWait?.();
    this.#cancelDial?.();
    const link = this.#link;
    link?.close("stopped");
    await link?.ended;
  }

  #dial(): void {
    const { clock, isSelf } = this.#deps;
    const { host, port, serverName, naiRealm, psk, connectTimeoutMs } = this.#options;
    const target = { host, port, serverName, naiRealm, psk, isSelf };
    this.#cancelDial = dial(
      { ...target, secureContext: this.#secureContext, timeoutMs: connectTimeoutMs },
      clock,
      (result) => {
        this.#cancelDial = undefined;
        if (result.kind === "failed") this.#waitAndDial(result.detail);
        else this.#connected(result.socket);
      },
    );
  }

  #connected(socket: TLSSocket): void {
    if (this.#state === "stopped") return void socket.destroy();
    let proven = false;
    const prove = () => {
      if (!proven) this.#backOff.reset();
      proven = true;
    };
    const link = this.#linkOver(socket, prove, (reason, detail) => {
      watchdog.stop();
      this.#link = undefined;
      this.#lostToWatchdog = reason === "watchdog" || (this.#lostToWatchdog && watchdog.onProbation);
      this.#waitAndDial(detail === undefined ? reason : `${reason}, ${detail}`);
    });
    const watchdog = this.#watch(link);
    this.#link = link;
    this.#watchdog = watchdog;
    link.start();
    socket.on("data", () => watchdog.received());
    watchdog.start(true);
    if (!watchdog.onProbation) this.#changed("connected");
  }

  #linkOver(
    socket: TLSSocket,
    prove: () => void,
    closed: (reason: CloseReason, detail: string | undefined) => void,
  ): StreamLink {
    const { nextLinkId, dropped, ...deps } = this.#deps;
    const { name, entry, host, port, psk } = this.#options;
    const facts = {
      kind: "tls" as const,
      linkId: nextLinkId(),
      listener: name,
      peer: peerOf(socket, psk),
      peerKey: name,
      client: entry,
      address: socket.remoteAddress ?? host,
      port: socket.remotePort ?? port,
      protocol: `${socket.getProtocol()} ${socket.getCipher().name}`,
    };
    const observer = {
      opened: () => undefined,
      statusServer: prove,
      request: prove,
      replied: prove,
      dropped,
      closed: (_: Link, reason: CloseReason, detail: string | undefined) => closed(reason, detail),
    };
    return new StreamLink(socket, facts, { ...deps, observer }, this.#options.link);
  }

  #watch(link: StreamLink): Watchdog {
    const { clock, random } = this.#deps;
    const { watchdogMs, watchdogJitterMs, probe } = this.#options;
    const watchdog: Watchdog = new Watchdog(this.#deps, {
      periodMs: watchdogMs,
      jitterMs: watchdogJitterMs,
      onProbation: this.#lostToWatchdog,
      send: () => {
        const authenticator = random.bytes(AUTHENTICATOR_BYTES);
        const deadline = clock.now() + WATCHDOG_ANSWER_MS;
        void link.sendWatchdog({ ...probe(authenticator), authenticator, deadline }).then(({ kind }) => {
          if (kind !== "reply") return;
          const wasOnProbation = watchdog.onProbation;
          watchdog.answered();
          if (wasOnProbation && !watchdog.onProbation) this.#changed("three watchdogs are answered"); // WD-05
        });
      },
      dead: () => link.close("watchdog", "no answer to two watchdog periods"), // WD-04
    });
    return watchdog;
  }

  #waitAndDial(detail: string): void {
    if (this.#state === "stopped") return;
    this.#cancelWait = this.#deps.clock.after(this.#backOff.next(), () => this.#dial());
    this.#changed(detail);
  }
}

/** Who the server has proven to be; its handshake is over. */
function peerOf(socket: TLSSocket, psk: PskCredential | undefined): Peer {
  const certificate = socket.getPeerX509Certificate();
  if (psk !== undefined && certificate === undefined) return { kind: "psk", identity: psk.identity };
  if (psk === undefined && certificate !== undefined) return certificatePeer(certificate, [certificate.raw]);
  throw new TypeError("a server that has not proven what it was asked for got through the handshake");
}
