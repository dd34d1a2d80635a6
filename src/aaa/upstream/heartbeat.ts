import type { Clock, Random } from "../../clock.ts";
import type { EventFeed } from "../../events.ts";
import { ATTRIBUTE, textAttribute } from "../../radius/attribute.ts";
import { encodeRequest, SharedSecret } from "../../radius/authenticator.ts";
import { CODE, codeName } from "../../radius/codes.ts";
import { AUTHENTICATOR_BYTES, decodePacket } from "../../radius/packet.ts";
import type { RequestHandler } from "../../transport/link.ts";
import { OwnLink } from "../own-link.ts";
import type { HeartbeatOptions } from "./options.ts";
import { credentials } from "./probe-request.ts";

export interface HeartbeatDeps {
  readonly clock: Clock;
  readonly random: Random;
  readonly events: EventFeed;
  /** The hub's whole pipeline. */
  readonly handler: RequestHandler;
  /** Probes each upstream server. */
  readonly probeUpstreams: () => void;
  /** NAS-Identifier of the request: the name of the node. */
  readonly nasIdentifier: string;
}

/** Name of the listener that the request seems to come from; routes may name it. */
const HEARTBEAT = "heartbeat";
/** What says that somebody has decided. */
const DECISIONS: ReadonlySet<number> = new Set<number>([CODE.accessAccept, CODE.accessReject, CODE.accessChallenge]);
const SECRET_BYTES = 16;

/** Asks the hub for access now and then, as a router would: Accept or Reject means alive. Only a change is told.
 *
 *  idle --start()--> waiting --interval--> asking, and waiting for the next --answer, or its timeout--> waiting
 *  any --stop()--> stopped */
export class Heartbeat {
  readonly #deps: HeartbeatDeps;
  readonly #link: OwnLink;
  #options: HeartbeatOptions;
  #fault: string | undefined;
  #beats = 0;
  #cancelWait: (() => void) | undefined;
  #asking: AbortController | undefined;
  #running = false;

  constructor(deps: HeartbeatDeps, options: HeartbeatOptions) {
    this.#deps = deps;
    this.#options = options;
    this.#link = new OwnLink({
      linkId: HEARTBEAT,
      name: HEARTBEAT,
      peerKey: HEARTBEAT,
      address: "127.0.0.1",
      protocol: "internal",
      secret: new SharedSecret(deps.random.bytes(SECRET_BYTES)),
      connectedAtMs: deps.clock.wallMs(),
    });
  }

  start(): void {
    this.#running = true;
    this.#wait();
  }

  stop(): void {
    this.#running = false;
    this.#cancelWait?.();
    this.#asking?.abort();
  }

  apply(options: HeartbeatOptions): void {
    this.#options = options;
    if (!options.enabled) this.#fault = undefined;
    if (this.#running) this.#wait();
  }

  /** For /ready; fine until a request has stayed unanswered. */
  check(): { readonly ok: boolean; readonly detail: string } {
    return { ok: this.#fault === undefined, detail: this.#fault ?? `${this.#beats} answered` };
  }

  #wait(): void {
    this.#cancelWait?.();
    if (!this.#running || !this.#options.enabled) return;
    this.#cancelWait = this.#deps.clock.after(this.#options.intervalMs, () => void this.#beat());
  }

  async #beat(): Promise<void> {
    this.#wait();
    if (this.#asking !== undefined) return; // a timeout longer than the interval
    this.#deps.probeUpstreams();
    const fault = await this.#ask();
    if (!this.#running || !this.#options.enabled) return;
    const before = this.#fault;
    this.#fault = fault;
    if (fault === undefined) this.#beats += 1;
    if ((fault === undefined) !== (before === undefined)) this.#tell(fault);
  }

  #tell(fault: string | undefined): void {
    const { clock, events } = this.#deps;
    const type = fault === undefined ? "heartbeat.recovered" : "heartbeat.failed";
    events.emit({ type, atMs: clock.wallMs(), detail: fault ?? "answered" });
  }

  /** Undefined when there was a decision, else what came instead. */
  async #ask(): Promise<string | undefined> {
    const { clock, handler } = this.#deps;
    const { timeoutMs } = this.#options;
    const asking = new AbortController();
    this.#asking = asking;
    const silence = Promise.withResolvers<string>();
    const cancel = clock.after(timeoutMs, () => silence.resolve(`no answer within ${timeoutMs / 1_000} s`));
    asking.signal.addEventListener("abort", () => silence.resolve("stopped"), { once: true });
    const context = {
      packet: this.#request(),
      link: this.#link,
      signal: asking.signal,
      heartbeat: true as const,
      afterReply: () => undefined,
    };
    const decided = async (): Promise<string | undefined> => {
      const reply = await handler(context);
      if (reply.kind === "discard") return `discarded: ${reply.reason}`;
      return DECISIONS.has(reply.code) ? undefined : `answered with ${codeName(reply.code)}`;
    };
    try {
      return await Promise.race([decided(), silence.promise]);
    } catch (error) {
      return error instanceof Error ? error.message : "the pipeline failed";
    } finally {
      cancel();
      this.#asking = undefined;
      asking.abort(); // an upstream that is still silent need not be asked again
    }
  }

  #request() {
    const { userName, password } = this.#options;
    const authenticator = this.#deps.random.bytes(AUTHENTICATOR_BYTES);
    const { secret } = this.#link.client;
    const attributes = [
      ...credentials(userName, password, { secret, authenticator }),
      textAttribute(ATTRIBUTE.nasIdentifier, this.#deps.nasIdentifier),
    ];
    return decodePacket(encodeRequest(CODE.accessRequest, 0, attributes, authenticator, secret));
  }
}
