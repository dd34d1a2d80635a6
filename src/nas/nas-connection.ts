import type { TLSSocket } from "node:tls";
import type { Clock, Random } from "../clock.ts";
import { HubError } from "../errors.ts";
import type { Attribute } from "../radius/attribute.ts";
import { encodeRequest, type SharedSecret, verifyResponse } from "../radius/authenticator.ts";
import { CODE, isReplyTo, REQUEST_CODES } from "../radius/codes.ts";
import { PacketFramer } from "../radius/framing.ts";
import { AUTHENTICATOR_BYTES, decodePacket, type Packet } from "../radius/packet.ts";
import { IdentifierSpace } from "../transport/correlation.ts";
import { type AnswerPlan, encodeAnswer } from "./answer-plan.ts";
import { DuplicateReplies } from "./duplicate-replies.ts";
import type { NasCloseReason, NasLinkEvent, NasRequestOutcome } from "./nas-events.ts";
import { type Answer, judgeRequest } from "./reverse-answer.ts";
import { Watchdog } from "../transport/watchdog.ts";

/** Reserved for Status-Server (WD-01; RFC 6613 Section 2.6.5). */
const STATUS_IDENTIFIER = 0;
/** Our choice: a hub that reads nothing costs the simulator at most this. */
const WRITE_BACKLOG_BYTES_MAX = 1_048_576;
/** Our choice: delayed answers of one connection; further ones are not given at all. */
const DELAYED_ANSWERS_MAX = 10_000;

export interface NasConnectionDeps {
  readonly clock: Clock;
  readonly random: Random;
  readonly event: (event: NasLinkEvent) => void;
  readonly plan: () => AnswerPlan;
  /** Carries out an authentic request of the hub; undefined is silence. */
  readonly answer: (packet: Packet) => Answer | undefined;
  readonly closed: (reason: NasCloseReason, detail: string | undefined) => void;
}

export interface NasConnectionOptions {
  readonly secret: SharedSecret;
  readonly timestampWindowMs: number;
  readonly watchdogMs: number;
  readonly watchdogJitterMs: number;
  /** Whether the hub is told at once who is here. */
  readonly announce: boolean;
  readonly onProbation: boolean;
  readonly statusAttributes: readonly Attribute[];
}

/** A request of the router that is not answered yet. */
interface Asked {
  readonly code: number;
  readonly authenticator: Buffer;
  readonly replied: (reply: Packet) => void;
}

interface Outstanding extends Asked {
  readonly closed: () => void;
}

/** One TLS connection of a router, from secureConnect to close.   open --close()/socket "close"--> closed
 *  (1) deps.closed is called exactly once. (2) Nothing is written after it, and no timer is left.
 *  (3) Every request() settles. */
export class NasConnection {
  readonly #socket: TLSSocket;
  readonly #deps: NasConnectionDeps;
  readonly #options: NasConnectionOptions;
  readonly #framer = new PacketFramer();
  readonly #watchdog: Watchdog;
  readonly #duplicates: DuplicateReplies;
  readonly #requests = new IdentifierSpace<Outstanding>();
  readonly #timers = new Set<() => void>();
  #status: Asked | undefined;
  #batch: Buffer[] | undefined;
  #closing: { readonly reason: NasCloseReason; readonly detail: string | undefined } | undefined;
  #open = false;
  #proven = false;

  constructor(socket: TLSSocket, deps: NasConnectionDeps, options: NasConnectionOptions) {
    this.#socket = socket;
    this.#deps = deps;
    this.#options = options;
    this.#duplicates = new DuplicateReplies(options.timestampWindowMs);
    this.#watchdog = new Watchdog(deps, {
      periodMs: options.watchdogMs,
      jitterMs: options.watchdogJitterMs,
      onProbation: options.onProbation,
      send: () => this.#sendStatus(),
      dead: () => this.close("watchdog", "no answer to Status-Server"),
    });
  }

  get open(): boolean {
    return this.#open;
  }

  /** Whether the hub has sent one authentic packet: without it the connection counts as failed (WD-07). */
  get proven(): boolean {
    return this.#proven;
  }

  /** WD-05: another connection is the better choice. */
  get onProbation(): boolean {
    return this.#watchdog.onProbation;
  }

  start(): void {
    this.#open = true;
    this.#socket.on("data", (chunk: Buffer) => this.#received(chunk));
    this.#socket.once("error", (error: NodeJS.ErrnoException) => {
      this.#closing ??= { reason: "transport-error", detail: error.code ?? error.message };
    });
    this.#socket.once("close", () => this.#ended());
    this.#watchdog.start(this.#options.announce);
  }

  /** Ends TLS in order (close_notify) for "stopped", at once otherwise. */
  close(reason: NasCloseReason, detail?: string): void {
    if (!this.#open || this.#closing !== undefined) return;
    this.#closing = { reason, detail };
    if (reason === "stopped") this.#socket.end();
    else this.#socket.destroy();
  }

  /** Cuts a connection whose orderly end takes too long. */
  cut(): void {
    this.#socket.destroy();
  }

  /** Sends a request of the router, once: there is no retransmission on TLS (CON-07).
   *  @throws {HubError} ERR_RADIUS_TOO_LONG */
  async request(code: number, attributes: readonly Attribute[], timeoutMs: number): Promise<NasRequestOutcome> {
    const { promise, resolve } = Promise.withResolvers<NasRequestOutcome>();
    const authenticator = Buffer.alloc(AUTHENTICATOR_BYTES);
    const outstanding: Outstanding = {
      code,
      authenticator,
      replied: (reply) => resolve({ kind: "reply", code: reply.code, attributes: copied(reply.attributes) }),
      closed: () => resolve({ kind: "closed" }),
    };
    const identifier = this.#open ? this.#requests.allocate(outstanding) : undefined;
    if (identifier === undefined) return { kind: "not-sent" };
    const cancel = this.#later(timeoutMs, () => resolve({ kind: "timeout" }));
    try {
      const random = this.#deps.random.bytes(AUTHENTICATOR_BYTES);
      const octets = encodeRequest(code, identifier, attributes, random, this.#options.secret);
      octets.copy(authenticator, 0, 4, 4 + AUTHENTICATOR_BYTES);
      this.#write(octets);
      return await promise;
    } finally {
      cancel();
      this.#requests.release(identifier);
    }
  }

  #sendStatus(): void {
    // WD-01, ST-13: Identifier 0 each time, a new random Authenticator each time (CRY-04).
    const authenticator = this.#deps.random.bytes(AUTHENTICATOR_BYTES);
    const { secret, statusAttributes } = this.#options;
    const sentAt = this.#deps.clock.now();
    this.#status = {
      code: CODE.statusServer,
      authenticator,
      replied: ({ code }) => {
        this.#status = undefined;
        this.#watchdog.answered();
        this.#deps.event({ type: "status-answered", code, roundTripMs: this.#deps.clock.now() - sentAt });
      },
    };
    this.#write(encodeRequest(CODE.statusServer, STATUS_IDENTIFIER, statusAttributes, authenticator, secret));
    this.#deps.event({ type: "status-sent" });
  }

  #received(chunk: Buffer): void {
    this.#batch = [];
    try {
      this.#framer.push(chunk, (octets) => {
        if (this.#closing === undefined) this.#packet(decodePacket(octets));
      });
    } catch (error) {
      if (!(error instanceof HubError)) throw error;
      this.close(error.code === "ERR_RADIUS_ATTRIBUTE" ? "bad-attribute" : "bad-length", error.message); // CON-04
    }
    const batch = this.#batch;
    this.#batch = undefined;
    if (batch.length > 0) this.#write(batch.length === 1 ? (batch[0] as Buffer) : Buffer.concat(batch));
  }

  #packet(packet: Packet): void {
    this.#watchdog.received();
    if (REQUEST_CODES.has(packet.code)) this.#request(packet);
    else this.#reply(packet);
  }

  #reply(packet: Packet): void {
    const { code, identifier } = packet;
    const asked = identifier === STATUS_IDENTIFIER ? this.#status : this.#requests.match(identifier);
    const isExpected = asked !== undefined && isReplyTo(asked.code, code);
    const verdict = isExpected && verifyResponse(packet, asked.authenticator, this.#options.secret);
    if (verdict === "ok") {
      this.#proven = true;
      asked?.replied(packet);
    } else if (verdict === "bad-message-authenticator") {
      this.close(verdict); // CON-04
    } else {
      this.#deps.event({ type: "dropped", code, identifier }); // CON-05
    }
  }

  #request(packet: Packet): void {
    const { clock, event } = this.#deps;
    const { secret, timestampWindowMs } = this.#options;
    const { code, identifier, attributes } = packet;
    const verdict = judgeRequest(packet, secret, clock.wallMs(), timestampWindowMs);
    const earlier = verdict === "ok" ? this.#duplicates.find(packet, clock.now()) : undefined;
    event({ type: "received", code, identifier, attributes, verdict: earlier === undefined ? verdict : "duplicate" });
    if (verdict === "bad-authenticator" || verdict === "bad-message-authenticator") {
      this.close(verdict); // CON-04
      return;
    }
    if (verdict !== "ok") return;
    this.#proven = true;
    if (earlier === undefined) this.#answer(packet);
    else if (earlier.octets !== undefined) this.#write(earlier.octets);
  }

  #answer(packet: Packet): void {
    const { clock, event } = this.#deps;
    const { delayMs = 0, flaw } = this.#deps.plan();
    const memory = this.#duplicates.begin(packet, clock.now());
    const answer = this.#deps.answer(packet);
    if (answer === undefined) return;
    const octets = encodeAnswer(packet, answer.code, answer.attributes, this.#options.secret, flaw);
    const { code, errorCause } = answer;
    const identifier = packet.identifier;
    const send = () => {
      memory.octets = octets;
      this.#write(octets);
      event({ type: "answered", code, identifier, errorCause });
    };
    if (delayMs === 0) send();
    else if (this.#timers.size < DELAYED_ANSWERS_MAX) this.#later(delayMs, send);
  }

  /** CON-03: whole packets only; those that answer one chunk leave in one write. */
  #write(octets: Buffer): void {
    if (this.#batch !== undefined) {
      this.#batch.push(octets);
      return;
    }
    if (!this.#open || this.#closing !== undefined) return;
    this.#socket.write(octets);
    if (this.#socket.writableLength > WRITE_BACKLOG_BYTES_MAX) this.close("write-backlog");
  }

  #later(delayMs: number, action: () => void): () => void {
    const cancel = this.#deps.clock.after(delayMs, () => {
      this.#timers.delete(cancel);
      action();
    });
    this.#timers.add(cancel);
    return () => {
      this.#timers.delete(cancel);
      cancel();
    };
  }

  #ended(): void {
    this.#open = false;
    this.#watchdog.stop();
    for (const cancel of this.#timers) cancel();
    this.#timers.clear();
    for (const outstanding of this.#requests.entries()) outstanding.closed();
    const { reason, detail } = this.#closing ?? { reason: "peer-closed" as const, detail: undefined };
    this.#deps.closed(reason, detail);
  }
}

/** Attributes are views into the octets of a packet, which live no longer than its chunk. */
function copied(attributes: readonly Attribute[]): Attribute[] {
  return attributes.map(({ type, value }) => ({ type, value: Buffer.from(value) }));
}
