import type { TLSSocket } from "node:tls";
import type { Clock, Random } from "../clock.ts";
import { HubError } from "../errors.ts";
import { ATTRIBUTE, firstValue } from "../radius/attribute.ts";
import { encodeResponse, verifyRequest } from "../radius/authenticator.ts";
import { CODE, REQUEST_CODES } from "../radius/codes.ts";
import { PacketFramer } from "../radius/framing.ts";
import { decodePacket, type Packet } from "../radius/packet.ts";
import type { ClientEntry } from "./client-entry.ts";
import type {
  CloseReason,
  DropReason,
  Link,
  LinkObserver,
  LinkOutcome,
  LinkRequest,
  Reply,
  RequestHandler,
} from "./link.ts";
import type { Peer } from "./peer.ts";
import { ReplyCache } from "./reply-cache.ts";
import { ReverseRequests } from "./reverse-requests.ts";
import type { TimingWheel } from "./timing-wheel.ts";
import { WriteBatch } from "./write-batch.ts";

export interface TlsLinkDeps {
  readonly clock: Clock;
  readonly random: Random;
  readonly wheel: TimingWheel;
  readonly observer: LinkObserver;
  readonly handler: RequestHandler;
}

/** Who is at the other end, settled before the link exists. */
export interface TlsLinkFacts {
  readonly linkId: string;
  readonly listener: string;
  readonly peer: Peer;
  readonly peerKey: string;
  readonly client: ClientEntry;
  readonly address: string;
  readonly port: number;
  readonly protocol: string;
}

export interface TlsLinkOptions {
  /** Requests that wait for an Identifier; one more is `busy`. */
  readonly queueMax: number;
  /** Octets that wait for a reader that does not read; beyond it the link is closed with "write-backlog". */
  readonly writeBacklogBytesMax: number;
  /** Requests of this peer that are worked on at once; one more is dropped with "handler-busy". */
  readonly requestsInHandlerMax: number;
  readonly statusServer: { readonly enabled: boolean; readonly perSecondMax: number };
  /** How far Event-Timestamp may be from now (RFC 5176 Section 6.3: 300 s). */
  readonly timestampWindowMs: number;
}

/** How long a peer has to take the last octets and our close_notify before TCP is cut. */
const LINGER_MS = 1_000;

/** One RADIUS/TLS connection of an admitted peer.
 *
 *  new --start()--> open --close()--> closed, once and for all.
 *  (1) What a peer sends ends the link only for the causes of CON-04: each calls close() with a "bad-…" reason.
 *  (2) A packet that CON-05 tolerates is dropped, counted by its reason, and the link stays.
 *  (3) After close() nothing is written, no handler is called and every request has its outcome. */
export class TlsLink implements Link {
  readonly kind = "tls";
  readonly linkId: string;
  readonly listener: string;
  readonly peer: Peer;
  readonly peerKey: string;
  readonly address: string;
  readonly port: number;
  readonly protocol: string;
  readonly connectedAtMs: number;
  /** Resolves when the socket is gone. */
  readonly ended: Promise<void>;

  readonly #socket: TLSSocket;
  readonly #deps: TlsLinkDeps;
  readonly #options: TlsLinkOptions;
  readonly #framer = new PacketFramer();
  readonly #requests: ReverseRequests;
  readonly #replies: ReplyCache;
  readonly #batch: WriteBatch;
  #client: ClientEntry;
  #closed: CloseReason | undefined;
  #inHandler = 0;
  #statusSecond = 0;
  #statusCount = 0;
  // Made when the first handler asks: most links never need it.
  #closing: AbortController | undefined;

  constructor(socket: TLSSocket, facts: TlsLinkFacts, deps: TlsLinkDeps, options: TlsLinkOptions) {
    this.linkId = facts.linkId;
    this.listener = facts.listener;
    this.peer = facts.peer;
    this.peerKey = facts.peerKey;
    this.address = facts.address;
    this.port = facts.port;
    this.protocol = facts.protocol;
    this.connectedAtMs = deps.clock.wallMs();
    this.#client = facts.client;
    this.#socket = socket;
    this.#deps = deps;
    this.#options = options;
    this.ended = new Promise((resolve) => socket.once("close", () => resolve()));
    this.#batch = new WriteBatch((octets) => this.#write(octets));
    this.#replies = new ReplyCache(deps.clock);
    this.#requests = new ReverseRequests({
      link: this,
      deps,
      queueMax: options.queueMax,
      timestampWindowMs: options.timestampWindowMs,
      write: (octets) => this.#batch.add(octets),
      writable: () => !this.#socket.writableNeedDrain,
    });
  }

  get client(): ClientEntry {
    return this.#client;
  }

  get open(): boolean {
    return this.#closed === undefined;
  }

  get inFlight(): number {
    return this.#requests.inFlight;
  }

  get queued(): number {
    return this.#requests.queued;
  }

  /** Takes over the socket. The owner calls it once, after admission. */
  start(): void {
    const socket = this.#socket;
    socket.on("data", (chunk: Buffer) => this.#read(chunk));
    socket.on("drain", () => this.#requests.pump());
    socket.once("end", () => this.close("peer-closed"));
    socket.on("error", (error: NodeJS.ErrnoException) => this.close("transport-error", error.code ?? error.message));
    socket.once("close", () => this.close("transport-error", "closed without notice"));
    this.#deps.observer.opened(this);
  }

  /** The configuration changed what this peer may do. */
  setClient(entry: ClientEntry): void {
    this.#client = entry;
  }

  send(request: LinkRequest): Promise<LinkOutcome> {
    if (this.#closed !== undefined) return Promise.resolve({ kind: "closed", written: false, reason: this.#closed });
    return this.#requests.send(request);
  }

  /** Asks the peer for a sign of life; at most one such request is outstanding (WD-01, WD-03). */
  sendWatchdog(request: LinkRequest): Promise<LinkOutcome> {
    if (this.#closed !== undefined) return Promise.resolve({ kind: "closed", written: false, reason: this.#closed });
    return this.#requests.sendWatchdog(request);
  }

  close(reason: CloseReason, detail?: string): void {
    if (this.#closed !== undefined) return;
    this.#batch.flush();
    this.#closed = reason;
    // end() sends close_notify (CON-04); a peer that does not read would hold it for ever.
    this.#socket.end();
    const linger = this.#deps.wheel.schedule(this.#deps.clock.now() + LINGER_MS, () => this.#socket.destroy());
    void this.ended.then(() => linger.cancel());
    this.#closing?.abort();
    this.#replies.clear();
    this.#deps.observer.closed(this, reason, detail);
    this.#requests.close(reason);
  }

  #read(chunk: Buffer): void {
    try {
      this.#framer.push(chunk, (octets) => {
        if (this.#closed === undefined) this.#receive(decodePacket(octets));
      });
    } catch (error) {
      if (!(error instanceof HubError)) throw error;
      // CON-04: Length < 20 or > 4096; attribute Length 0 or 1; attributes that do not fill the packet.
      this.close(error.code === "ERR_RADIUS_ATTRIBUTE" ? "bad-attribute" : "bad-length", error.message);
    }
  }

  #receive(packet: Packet): void {
    if (!REQUEST_CODES.has(packet.code)) {
      const verdict = this.#requests.receive(packet);
      if (verdict === "settled") this.#deps.observer.replied(this);
      else if (verdict === "bad-message-authenticator") this.#refuse(packet, verdict);
      else this.#drop(verdict);
      return;
    }
    const verdict = verifyRequest(packet, this.#client.secret);
    if (verdict !== "ok") this.#refuse(packet, verdict);
    else if (packet.code === CODE.statusServer) this.#answerStatus(packet);
    else this.#answer(packet);
  }

  /** CON-04: an authenticator that fails ends the link; nothing of the packet is used. */
  #refuse(packet: Packet, verdict: "bad-authenticator" | "bad-message-authenticator"): void {
    this.close(verdict, `code ${packet.code}, Identifier ${packet.identifier}`);
  }

  #drop(reason: DropReason): void {
    this.#deps.observer.dropped(this, reason);
  }

  /** ST-01, ST-04: Access-Accept, because 2083 carries every kind of traffic (RFC 5997 Section 4.2). */
  #answerStatus(packet: Packet): void {
    if (packet.messageAuthenticatorOffset < 0) return this.#drop("status-no-message-authenticator"); // ST-02
    const enabled = this.#client.statusServer ?? this.#options.statusServer.enabled;
    if (!enabled) return this.#drop("status-disabled"); // ST-10
    const second = Math.floor(this.#deps.clock.now() / 1_000);
    if (second !== this.#statusSecond) {
      this.#statusSecond = second;
      this.#statusCount = 0;
    }
    this.#statusCount += 1;
    if (this.#statusCount > this.#options.statusServer.perSecondMax) return this.#drop("status-rate-limited"); // ST-11
    if (this.#resend(packet)) return;
    this.#reply(packet, { kind: "reply", code: CODE.accessAccept, attributes: [] });
    this.#deps.observer.statusServer(this, packet);
  }

  #answer(packet: Packet): void {
    // CRY-12: RFC 3579 Section 3.3. Elsewhere on TLS a missing Message-Authenticator is no fault (BR-06).
    if (packet.messageAuthenticatorOffset === -1 && firstValue(packet.attributes, ATTRIBUTE.eapMessage) !== undefined) {
      return this.#drop("request-no-message-authenticator");
    }
    if (this.#resend(packet)) return;
    if (this.#inHandler >= this.#options.requestsInHandlerMax) return this.#drop("handler-busy");
    this.#replies.begin(packet);
    this.#deps.observer.request(this, packet);
    this.#closing ??= new AbortController();
    const after: (() => void)[] = [];
    const context = {
      packet,
      link: this,
      signal: this.#closing.signal,
      afterReply: (action: () => void) => void after.push(action),
    };
    this.#inHandler += 1;
    try {
      const reply = this.#deps.handler(context);
      if (!(reply instanceof Promise)) return this.#answered(packet, reply, after);
      void reply.then(
        (late) => this.#answered(packet, late, after),
        () => this.#answered(packet, HANDLER_FAILED, after),
      );
    } catch {
      this.#answered(packet, HANDLER_FAILED, after);
    }
  }

  #answered(packet: Packet, reply: Reply, after: readonly (() => void)[]): void {
    this.#inHandler -= 1;
    if (this.#closed !== undefined) return; // CON-11: nobody can receive it any more
    if (reply.kind === "reply") this.#reply(packet, reply);
    else {
      this.#replies.forget(packet);
      this.#drop(reply === HANDLER_FAILED ? "handler-failed" : "handler-discard");
    }
    for (const action of after) action();
  }

  #reply(packet: Packet, reply: Extract<Reply, { kind: "reply" }>): void {
    let octets: Buffer;
    try {
      octets = encodeResponse(packet, reply.code, reply.attributes, this.#client.secret);
    } catch (error) {
      if (!(error instanceof HubError)) throw error;
      this.#replies.forget(packet);
      return this.#drop("handler-failed"); // the reply does not fit into a packet
    }
    this.#replies.answer(packet, octets);
    this.#writeResponse(octets);
  }

  /** CON-12: the same request again is answered with the same octets, or dropped while it is worked on. */
  #resend(packet: Packet): boolean {
    const known = this.#replies.find(packet);
    if (known === undefined) return false;
    if (known === "in-progress") this.#drop("duplicate");
    else this.#writeResponse(known);
    return true;
  }

  /** A response is a TLS write of its own unless the peer is known to cut several packets from one read (CON-03, hostapd). */
  #writeResponse(octets: Buffer): void {
    if (this.#client.coalesce === "all") this.#batch.add(octets);
    else this.#write(octets);
  }

  #write(octets: Buffer): void {
    if (this.#closed !== undefined) return;
    this.#socket.write(octets);
    if (this.#socket.writableLength > this.#options.writeBacklogBytesMax) {
      this.close("write-backlog", `${this.#socket.writableLength} octets wait`);
      this.#socket.destroy();
    }
  }
}

const HANDLER_FAILED: Reply = { kind: "discard", reason: "handler-failed" };
