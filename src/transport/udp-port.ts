import type { RemoteInfo } from "node:dgram";
import type { Clock, Random } from "../clock.ts";
import { HubError } from "../errors.ts";
import { verifyRequest } from "../radius/authenticator.ts";
import { CODE, REQUEST_CODES } from "../radius/codes.ts";
import { decodeDatagram, decodePacket, HEADER_BYTES, type Packet } from "../radius/packet.ts";
import type { DropReason, LinkObserver, Reply, RequestContext, RequestHandler } from "./link.ts";
import { type ReceiveDrops, receiveKey } from "./receive-drops.ts";
import {
  blastRadiusFault,
  eapFault,
  isProven,
  isValidAccessRequest,
  isValidAccountingRequest,
  timestampFault,
} from "./request-rules.ts";
import { type Asker, Responder, type ResponderOptions } from "./responder.ts";
import type { TimingWheel } from "./timing-wheel.ts";
import type { UdpLink } from "./udp-link.ts";
import type { UdpPeers } from "./udp-peers.ts";
import { UdpSocket, type UdpSocketOwner } from "./udp-socket.ts";

export type UdpPurpose = "auth" | "acct" | "dynauth";

/** Who a dropped datagram is said to be from. */
export interface UdpSource {
  readonly listener: string;
  readonly address: string;
  readonly port: number;
  /** Undefined when no entry of `clients` has the address. */
  readonly link: UdpLink | undefined;
}

export interface UdpPortDeps {
  readonly clock: Clock;
  readonly random: Random;
  readonly wheel: TimingWheel;
  readonly peers: UdpPeers;
  readonly observer: Pick<LinkObserver, "request" | "statusServer">;
  /** Answers Access- and Accounting-Requests. */
  readonly handler: RequestHandler;
  /** Answers what a DAC sends: Disconnect- and CoA-Requests, and whatever else comes to a dynauth port. */
  readonly trigger: RequestHandler;
  readonly dropped: (reason: DropReason, from: UdpSource) => void;
}

export interface UdpPortOptions {
  readonly triggersOnAuthPort: boolean;
  readonly statusServer: { readonly enabled: boolean; readonly perSecondMax: number };
  readonly duplicates: {
    readonly authAcctMs: number;
    /** DP-06: as long as the timestamp window. */
    readonly dynauthMs: number;
    /** On each socket, and apart for triggers and the rest. */
    readonly entriesMax: number;
  };
  readonly rejectDelayMs: { readonly min: number; readonly max: number };
  readonly timestampWindowMs: number;
  readonly requireEventTimestamp: boolean;
}

/** Requests of one socket that are worked on at once: some 50 MB. One more is dropped with "handler-busy". */
const IN_HANDLER_MAX = 16_384;
/** The same of one source: no one client takes all the room. */
const IN_HANDLER_OF_SOURCE_MAX = 4_096;

const TRIGGER_CODES: ReadonlySet<number> = new Set([CODE.disconnectRequest, CODE.coaRequest]);

/** UL-03, ST-16. A dynauth port also takes what is passed on in reverse to peers that want it. */
const TAKEN: Readonly<Record<UdpPurpose, ReadonlySet<number>>> = {
  auth: new Set([CODE.accessRequest, CODE.statusServer]),
  acct: new Set([CODE.accountingRequest, CODE.statusServer]),
  dynauth: new Set([CODE.accessRequest, CODE.accountingRequest, ...TRIGGER_CODES]),
};

const REJECT: Reply = { kind: "reply", code: CODE.accessReject, attributes: [] };

/** One UDP socket of a listener and what it is for.
 *
 *  (1) Nothing is done for a datagram before its source is known and its authenticators are right, a malformed Access-Request
 *      of a router that need not sign excepted: it is rejected (PKT-06).
 *  (2) What fails costs a counter: no answer, no place in a cache (UL-08), no effect on others. */
export class UdpPort implements UdpSocketOwner {
  readonly purpose: UdpPurpose;
  readonly address: string;
  /** Its name. */
  readonly listener: string;
  readonly #deps: UdpPortDeps;
  readonly #socket: UdpSocket;
  readonly #responder: Responder;
  readonly #triggers: Responder;
  #options: UdpPortOptions;
  #paused = false;
  #port = 0;

  constructor(
    facts: { readonly purpose: UdpPurpose; readonly address: string; readonly listener: string },
    deps: UdpPortDeps,
    options: UdpPortOptions,
    receiveBufferBytes: number,
  ) {
    this.purpose = facts.purpose;
    this.address = facts.address;
    this.listener = facts.listener;
    this.#deps = deps;
    this.#options = options;
    this.#socket = new UdpSocket(facts.address, this, receiveBufferBytes);
    this.#responder = new Responder(deps, responderOptions(options, options.duplicates.authAcctMs));
    this.#triggers = new Responder(deps, responderOptions(options, options.duplicates.dynauthMs));
  }

  get receiveBufferBytes(): number {
    return this.#socket.receiveBufferBytes;
  }

  /** Responses that are kept for duplicates, and how many were forgotten early because of the bound. */
  get replies(): { readonly size: number; readonly pushedOut: number } {
    const { size, pushedOut } = this.#responder.replies;
    const ofTriggers = this.#triggers.replies;
    return { size: size + ofTriggers.size, pushedOut: pushedOut + ofTriggers.pushedOut };
  }

  /** @returns the port, chosen by the system where 0 was asked for @throws what the system says */
  async bind(port: number): Promise<number> {
    this.#port = await this.#socket.bind(this.address, port);
    return this.#port;
  }

  apply(options: UdpPortOptions): void {
    this.#options = options;
    this.#responder.apply(responderOptions(options, options.duplicates.authAcctMs));
    this.#triggers.apply(responderOptions(options, options.duplicates.dynauthMs));
  }

  /** Takes no request any more. */
  pause(): void {
    this.#paused = true;
  }

  /** Resolves once nothing is worked on. */
  async drained(): Promise<void> {
    await Promise.all([this.#responder.drained(), this.#triggers.drained()]);
  }

  /** @param drops what the kernel tells of all sockets @returns datagrams that it threw away here */
  receiveDrops(drops: NonNullable<ReceiveDrops>): number {
    return drops.get(receiveKey(this.address, this.#port)) ?? 0;
  }

  close(): void {
    this.#paused = true;
    this.#responder.close();
    this.#triggers.close();
    this.#socket.close();
  }

  received(octets: Buffer, from: RemoteInfo): void {
    const link = this.#deps.peers.find(from.address, this.listener);
    if (link === undefined) return this.drop("unknown-source", from, link); // DP-02, UL-01
    if (from.port === 0) return this.drop("no-source-port", from, link);
    if (this.#paused) return this.drop("stopping", from, link);
    const asker = new UdpAsker(this, from, link);
    const reason = this.#take(octets, asker);
    if (reason !== undefined) asker.dropped(reason);
  }

  failed(): void {
    // A reply that the system would not send is one that got lost: the duplicate of its request brings it again.
  }

  send(octets: Buffer, port: number, address: string): void {
    this.#socket.sendTo(octets, port, address);
  }

  /** @param link undefined for a source that nobody knows */
  drop(reason: DropReason, { address, port }: RemoteInfo, link: UdpLink | undefined): void {
    this.#deps.dropped(reason, { listener: this.listener, address, port, link });
  }

  serve(context: RequestContext, link: UdpLink): Reply | Promise<Reply> {
    const { packet } = context;
    if (this.#isTrigger(packet)) return this.#deps.trigger(context);
    // Whoever can forge the source could put a name on somebody else's link (registry: only what a peer proved counts).
    if (isProven(packet)) this.#deps.observer.request(link, packet);
    return this.#deps.handler(context);
  }

  /** @returns why it is dropped */
  #take(octets: Buffer, asker: UdpAsker): DropReason | undefined {
    const code = octets[0] as number;
    if (octets.length < HEADER_BYTES) return "malformed"; // PKT-02
    if (!REQUEST_CODES.has(code)) return "unknown-code"; // PKT-04
    const onAuthPort = this.#options.triggersOnAuthPort && this.purpose === "auth" && TRIGGER_CODES.has(code);
    if (!TAKEN[this.purpose].has(code) && !onAuthPort) return "wrong-port";
    let packet: Packet;
    try {
      packet = decodeDatagram(octets);
    } catch (error) {
      if (!(error instanceof HubError)) throw error;
      if (error.code === "ERR_RADIUS_ATTRIBUTE") this.#rejectMalformed(octets, asker);
      return "malformed";
    }
    const { client } = asker.link;
    const flaw = blastRadiusFault(packet, client);
    if (flaw !== undefined) return flaw;
    const verdict = verifyRequest(packet, client.secret);
    if (verdict !== "ok") return `request-${verdict}`; // CRY-03, CRY-05, UL-08, UL-09, DP-03
    return eapFault(packet) ?? this.#answer(packet, asker);
  }

  #answer(packet: Packet, asker: UdpAsker): DropReason | undefined {
    const { link } = asker;
    const key = asker.keyOf(packet);
    if (this.#isTrigger(packet)) {
      const stale = timestampFault(packet, this.#deps.clock.wallMs(), this.#options); // before the cache: DP-04, DP-06
      if (stale === undefined) this.#triggers.answer(packet, asker, key);
      return stale;
    }
    if (isProven(packet)) this.#deps.peers.prove(link, this.address);
    switch (packet.code) {
      case CODE.statusServer: {
        const code = this.purpose === "acct" ? CODE.accountingResponse : CODE.accessAccept; // ST-04
        if (this.#responder.answerStatus(code, packet, asker, key)) this.#deps.observer.statusServer(link, packet);
        return undefined;
      }
      case CODE.accessRequest:
        if (!isValidAccessRequest(packet)) {
          return this.#responder.answerWith(REJECT, packet, asker, key) ? "request-invalid" : undefined; // UL-04, UL-05, UL-17
        }
        this.#responder.answer(packet, asker, key);
        return undefined;
      default:
        if (!isValidAccountingRequest(packet)) return "request-invalid"; // UL-11
        this.#responder.answer(packet, asker, key);
        return undefined;
    }
  }

  #isTrigger({ code }: Packet): boolean {
    return this.purpose === "dynauth" || TRIGGER_CODES.has(code);
  }

  /** PKT-06: attributes that do not fit can not be authenticated, so only a router that need not sign at all hears of it. */
  #rejectMalformed(octets: Buffer, asker: UdpAsker): void {
    const { requireMessageAuthenticator, limitProxyState } = asker.link.client;
    if (this.purpose !== "auth" || octets[0] !== CODE.accessRequest) return;
    if (requireMessageAuthenticator || limitProxyState) return;
    const header = Buffer.from(octets.subarray(0, HEADER_BYTES));
    header.writeUInt16BE(HEADER_BYTES, 2);
    const packet = decodePacket(header);
    this.#responder.answerWith(REJECT, packet, asker, asker.keyOf(packet));
  }
}

/** One datagram's way back. */
class UdpAsker implements Asker {
  readonly link: UdpLink;
  readonly takesProtocolError = false;
  readonly #port: UdpPort;
  readonly #from: RemoteInfo;

  constructor(port: UdpPort, from: RemoteInfo, link: UdpLink) {
    this.#port = port;
    this.#from = from;
    this.link = link;
  }

  get listener(): string {
    return this.#port.listener;
  }

  get statusRate() {
    return this.link.statusRate;
  }

  get working() {
    return this.link.working;
  }

  /** UL-06: source address, source port and Identifier; the socket has a cache of its own. */
  keyOf({ identifier }: Packet): number {
    return (this.link.number * 0x1_0000 + this.#from.port) * 0x100 + identifier;
  }

  serve(context: RequestContext): Reply | Promise<Reply> {
    return this.#port.serve(context, this.link);
  }

  /** UL-02, DP-01: from the address and port that were addressed. */
  write(response: Buffer): void {
    this.#port.send(response, this.#from.port, this.#from.address);
  }

  dropped(reason: DropReason): void {
    this.#port.drop(reason, this.#from, this.link);
  }
}

function responderOptions(options: UdpPortOptions, keepMs: number): ResponderOptions {
  const { statusServer, rejectDelayMs, duplicates } = options;
  return {
    requestsInHandlerMax: IN_HANDLER_MAX,
    requestsOfAskerMax: IN_HANDLER_OF_SOURCE_MAX,
    statusServer,
    rejectDelayMs,
    duplicates: { keepMs, entriesMax: duplicates.entriesMax },
  };
}
