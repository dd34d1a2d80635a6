import type { Socket } from "node:net";
import type { Clock, Random } from "../clock.ts";
import { HubError } from "../errors.ts";
import { verifyRequest } from "../radius/authenticator.ts";
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
import {
  blastRadiusFault,
  eapFault,
  isProven,
  isValidAccessRequest,
  isValidAccountingRequest,
  lacksState,
} from "./request-rules.ts";
import { type Asker, PerSecond, Responder } from "./responder.ts";
import { ReverseRequests } from "./reverse-requests.ts";
import type { TimingWheel } from "./timing-wheel.ts";
import { TurnBatch, whenArrived } from "./turn.ts";
import { WriteBatch } from "./write-batch.ts";

export interface StreamLinkDeps {
  readonly clock: Clock;
  readonly random: Random;
  readonly wheel: TimingWheel;
  readonly observer: LinkObserver;
  readonly handler: RequestHandler;
}

/** Who is at the other end, settled before the link exists. */
export interface StreamLinkFacts {
  /** "tcp" is RADIUS/TCP (RFC 6613): nothing is encrypted, so that BlastRADIUS has to be kept out. */
  readonly kind: "tls" | "tcp";
  readonly linkId: string;
  readonly listener: string;
  readonly peer: Peer;
  readonly peerKey: string;
  readonly client: ClientEntry;
  readonly address: string;
  readonly port: number;
  readonly protocol: string;
}

export interface StreamLinkOptions {
  /** Requests that wait for an Identifier; one more is `busy`. */
  readonly queueMax: number;
  /** Octets that wait for a reader that does not read; beyond it the link is closed with "write-backlog". */
  readonly writeBacklogBytesMax: number;
  /** Requests of this peer that are worked on at once; one more is dropped with "handler-busy". */
  readonly requestsInHandlerMax: number;
  readonly statusServer: { readonly enabled: boolean; readonly perSecondMax: number };
  /** How far Event-Timestamp may be from now (RFC 5176 Section 6.3: 300 s). */
  readonly timestampWindowMs: number;
  /** Delay of an Access-Reject that is the hub's own verdict; undefined is none (UL-18). */
  readonly rejectDelayMs?: { readonly min: number; readonly max: number } | undefined;
}

/** CON-12; RFC 5080 Section 2.2.2: 5..30 s. There are 256 Identifiers. */
const DUPLICATES = { keepMs: 30_000, entriesMax: 256 };

const REJECT: Reply = { kind: "reply", code: CODE.accessReject, attributes: [] };

const CHUNK_BYTES_KEPT = 16_384;

/** What such a peer has just sent is not worked on any more. */
const NOBODY_ANY_MORE: ReadonlySet<CloseReason> = new Set([
  "certificate-expired",
  "certificate-revoked",
  "ca-removed",
  "client-removed",
]);

/** How long a peer has to take the last octets and our close_notify before TCP is cut. */
const LINGER_MS = 1_000;

/** One RADIUS/TLS or RADIUS/TCP connection of an admitted peer.
 *
 *  new --start()--> open --close()--> closed, once and for all.
 *  (1) What a peer sends ends the link only for the causes of CON-04: each calls close() with a "bad-…" reason.
 *  (2) A packet that CON-05 tolerates is dropped, counted by its reason, and the link stays.
 *  (3) After close() nothing is written, no handler is called and every request has its outcome. */
export class StreamLink implements Link {
  readonly kind: "tls" | "tcp";
  readonly linkId: string;
  readonly listener: string;
  readonly peer: Peer;
  peerKey: string;
  readonly address: string;
  readonly port: number;
  readonly protocol: string;
  readonly connectedAtMs: number;
  /** Resolves when the socket is gone. */
  readonly ended: Promise<void>;

  readonly #socket: Socket;
  readonly #deps: StreamLinkDeps;
  readonly #options: StreamLinkOptions;
  readonly #framer = new PacketFramer();
  readonly #requests: ReverseRequests;
  readonly #responder: Responder;
  readonly #asker: Asker;
  readonly #arrived = new TurnBatch<Buffer>(whenArrived, (chunk) => this.#read(chunk));
  readonly #batch: WriteBatch;
  #client: ClientEntry;
  #closed: CloseReason | undefined;

  constructor(socket: Socket, facts: StreamLinkFacts, deps: StreamLinkDeps, options: StreamLinkOptions) {
    this.kind = facts.kind;
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
    // With it, what is written while a write is under way goes into one TLS record, and who cuts one packet from each read loses
    // the rest (CON-03, hostapd).
    Object.defineProperty(socket, "_writev", { value: undefined });
    this.#deps = deps;
    this.#options = options;
    this.ended = new Promise((resolve) => socket.once("close", () => resolve()));
    this.#batch = new WriteBatch((octets) => this.#write(octets));
    const requestsOfAskerMax = options.requestsInHandlerMax;
    this.#responder = new Responder(deps, { ...options, requestsOfAskerMax, duplicates: DUPLICATES });
    this.#asker = {
      link: this,
      listener: facts.listener,
      takesProtocolError: facts.kind === "tls",
      statusRate: new PerSecond(),
      working: { count: 0 },
      serve: (context) => {
        if (facts.kind === "tls" || isProven(context.packet)) deps.observer.request(this, context.packet);
        return deps.handler(context);
      },
      write: (response) => this.#writeResponse(response),
      dropped: (reason) => this.#drop(reason),
    };
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
    socket.on("data", (chunk: Buffer) => {
      this.#arrived.add(chunk);
      // Packets enough to be worked on together, and too many octets to keep of every link.
      if (chunk.length >= CHUNK_BYTES_KEPT) this.#arrived.flush();
    });
    socket.on("drain", () => this.#requests.pump());
    socket.once("end", () => this.close("peer-closed"));
    socket.on("error", (error: NodeJS.ErrnoException) => this.close("transport-error", error.code ?? error.message));
    socket.once("close", () => this.close("transport-error", "closed without notice"));
    this.#deps.observer.opened(this);
  }

  /** The configuration changed what this peer may do. */
  setClient(entry: ClientEntry, peerKey: string = this.peerKey): void {
    this.#client = entry;
    this.peerKey = peerKey;
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
    if (!NOBODY_ANY_MORE.has(reason)) this.#arrived.flush();
    this.#batch.flush();
    if (this.#closed !== undefined) return; // either may have met the end
    this.#closed = reason;
    // end() sends close_notify (CON-04); a peer that does not read would hold it for ever.
    this.#socket.end();
    const linger = this.#deps.wheel.schedule(this.#deps.clock.now() + LINGER_MS, () => this.#socket.destroy());
    void this.ended.then(() => linger.cancel());
    this.#responder.close();
    this.#deps.observer.closed(this, reason, detail);
    this.#requests.close(reason);
  }

  #read(chunk: Buffer): void {
    try {
      this.#framer.push(chunk, (octets) => {
        if (this.#closed === undefined) this.#receive(decodePacket(octets));
      });
    } catch (error) {
      // A fault of ours costs this link and no other (invariant 9).
      if (!(error instanceof HubError)) return this.close("internal-error", faultText(error));
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
    const flaw = this.kind === "tcp" ? blastRadiusFault(packet, this.#client) : undefined; // never over TLS (BR-06)
    if (flaw !== undefined) return this.#drop(flaw);
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
    const isNew = this.#responder.answerStatus(CODE.accessAccept, packet, this.#asker, packet.identifier);
    if (isNew) this.#deps.observer.statusServer(this, packet);
  }

  #answer(packet: Packet): void {
    const fault = eapFault(packet);
    if (fault !== undefined) return this.#drop(fault);
    const { code, identifier } = packet;
    // Over TLS the certificate says who it is; where the address alone does, a request has to name its NAS as over UDP.
    const byAddress = this.kind === "tcp";
    if (code === CODE.accessRequest && (byAddress ? !isValidAccessRequest(packet) : lacksState(packet))) {
      if (this.#responder.answerWith(REJECT, packet, this.#asker, identifier)) this.#drop("request-invalid"); // UL-04, UL-05, UL-17
      return;
    }
    if (byAddress && code === CODE.accountingRequest && !isValidAccountingRequest(packet)) {
      return this.#drop("request-invalid"); // UL-11
    }
    this.#responder.answer(packet, this.#asker, identifier);
  }

  /** A response is a TLS write of its own unless the peer is known to cut several packets from one read (CON-03, hostapd). */
  #writeResponse(octets: Buffer): void {
    if (this.#client.coalesce === "all") this.#batch.add(octets);
    else this.#write(octets);
    // Only what the peer makes us say grows without end: requests wait while it does not read, and 255 are in flight at most.
    if (this.#closed === undefined && this.#socket.writableLength > this.#options.writeBacklogBytesMax) {
      this.close("write-backlog", `${this.#socket.writableLength} octets wait`);
      this.#socket.destroy();
    }
  }

  #write(octets: Buffer): void {
    if (this.#closed === undefined) this.#socket.write(octets);
  }
}

const FAULT_TEXT_MAX = 1_000;

/** Where it happened, for the log. */
function faultText(error: unknown): string {
  const text = error instanceof Error ? (error.stack ?? error.message) : String(error);
  return text.slice(0, FAULT_TEXT_MAX);
}
