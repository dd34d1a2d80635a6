import type { Socket } from "node:net";
import type { TLSSocket } from "node:tls";
import { HubError } from "../errors.ts";
import type { HalfOpen } from "./admission.ts";
import { canonicalAddress } from "./networks.ts";
import { decodeProxyHeader } from "./proxy-protocol.ts";
import type { PskOffer } from "./psk.ts";
import type { RefusalReason } from "./refusal.ts";
import type { Timer } from "./timing-wheel.ts";
import type { Trust } from "./trust.ts";

/** What a handshake asks of its listener. */
export interface HandshakeOwner {
  /** The handshake is over without a link; called once at most. */
  refused(handshake: Handshake, reason: RefusalReason, detail: string | undefined): void;
}

/** One accepted connection until it is a link or turned away.
 *
 *  proxy header (balancers only) -> TLS -> admitted | refused, whichever comes first, once. */
export class Handshake implements HalfOpen {
  readonly socket: Socket;
  readonly openedAt: number;
  /** What the listener trusted when OpenSSL began: checked again if it has changed by admission. */
  readonly trust: Trust;
  /** The socket's two ends: the only thing that tls.Server's events have in common with the socket it was given. */
  readonly key: string;
  /** Where the peer is; behind a balancer what the PROXY header says. */
  address: string;
  port: number;
  timer: Timer | undefined;
  /** The last PSK identity that the peer has offered, proven or not. */
  psk: PskOffer | undefined;
  /** Set once TLS is through: a refusal then ends it with close_notify. */
  secured: TLSSocket | undefined;
  readonly #owner: HandshakeOwner;
  #headerBytes = 0;
  #settled = false;
  readonly #gone = (): void => this.refuse("reset");

  constructor(socket: Socket, openedAt: number, trust: Trust, owner: HandshakeOwner) {
    this.socket = socket;
    this.openedAt = openedAt;
    this.trust = trust;
    this.#owner = owner;
    this.key = socketKey(socket);
    this.address = canonicalAddress(socket.remoteAddress ?? "") ?? "unknown";
    this.port = socket.remotePort ?? 0;
    socket.once("close", this.#gone);
    // An error is followed by "close"; without a listener it would end the process.
    socket.on("error", ignore);
  }

  get octetsRead(): number {
    return this.socket.bytesRead - this.#headerBytes;
  }

  get settled(): boolean {
    return this.#settled;
  }

  /** Reads the PROXY header that a listed balancer has to send; every octet after it goes back for TLS. */
  readProxyHeader(done: () => void): void {
    const { socket } = this;
    let octets: Buffer = Buffer.alloc(0);
    const read = (): void => {
      const chunk = socket.read() as Buffer | null;
      if (chunk === null || this.#settled) return;
      octets = Buffer.concat([octets, chunk]);
      this.#headerBytes = octets.length;
      try {
        const header = decodeProxyHeader(octets);
        if (header === undefined) return;
        socket.off("readable", read).off("end", this.#gone);
        this.#headerBytes = header.headerBytes;
        this.address = header.source?.address ?? this.address;
        this.port = header.source?.port ?? this.port;
        socket.unshift(octets.subarray(header.headerBytes));
        done();
      } catch (error) {
        if (!(error instanceof HubError)) throw error;
        this.refuse("proxy-header", error.message);
      }
    };
    socket.on("readable", read);
    socket.once("end", this.#gone);
  }

  /** The handshake has become a link. What lives as long as the socket must not keep this object, or an old CRL with it. */
  admit(): void {
    this.#settled = true;
    this.timer?.cancel();
    this.socket.off("close", this.#gone);
  }

  refuse(reason: RefusalReason, detail?: string): void {
    if (this.#settled) return;
    this.#settled = true;
    this.timer?.cancel();
    this.#owner.refused(this, reason, detail);
  }
}

function ignore(): void {
  // "close" follows and says what there is to say.
}

/** Names one connection among those open now. A socket that is gone already has no such name: "reset" is all there is to say. */
export function socketKey(socket: Socket): string {
  return `${socket.remoteAddress} ${socket.remotePort} ${socket.localAddress} ${socket.localPort}`;
}
