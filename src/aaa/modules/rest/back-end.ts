import { Pool } from "undici";
import type { Clock, Random } from "../../../clock.ts";
import type { BackEndResult } from "../../pipeline/back-ends.ts";
import type { ModuleLog } from "../../pipeline/types.ts";
import { Breaker, type BreakerOptions, type BreakerState } from "./breaker.ts";
import type { Rendered } from "./rendering.ts";
import { faultOf, type Fault } from "./transport-faults.ts";
import { Turns } from "./turns.ts";

export interface BackEndOptions {
  readonly origin: string;
  readonly connectTimeoutMs: number;
  /** Of one question in all: waiting, connecting, every attempt. */
  readonly timeoutMs: number;
  /** Attempts after the first. */
  readonly retries: number;
  readonly connections: number;
  readonly waitingMax: number;
  readonly keepAliveMs: number;
  readonly answerBytesMax: number;
  readonly breaker: BreakerOptions;
  readonly tls: BackEndTls;
}

/** PEM. */
export interface BackEndTls {
  readonly ca?: readonly string[];
  readonly cert?: string;
  readonly key?: string;
  readonly servername?: string;
}

export interface Question {
  readonly rendered: Rendered;
  /** Clock.now() by which there must be an answer. */
  readonly deadline: number;
  /** Whoever asks has gone; undefined: it is asked to the end. */
  readonly signal: AbortSignal | undefined;
  /** To do it twice does no harm. */
  readonly idempotent: boolean;
  /** Whether the body of an answer is wanted. */
  readonly readsBody: (status: number) => boolean;
  /** Whether a status says that the back end is in trouble. */
  readonly isDown: (status: number) => boolean;
}

export interface HttpAnswer {
  readonly kind: "answer";
  readonly status: number;
  readonly contentType: string | undefined;
  readonly body: Buffer;
}

export type Asked = HttpAnswer | { readonly kind: "down"; readonly why: BackEndResult };

export interface BackEndDeps {
  readonly clock: Clock;
  readonly random: Random;
  readonly log: ModuleLog;
  readonly count: (result: BackEndResult, tookMs?: number) => void;
  readonly retried: () => void;
}

/** Time between two attempts, half of it random. */
const PAUSE_MS = 60;
/** A status that a gateway gives while what is behind it is restarted. */
const GATEWAY_TROUBLE: ReadonlySet<number> = new Set([502, 503, 504]);
const DROPPED_BODY_BYTES = 65_536;
const WARN_EVERY_MS = 60_000;

/** One HTTP API behind a pool of kept connections: at most so many questions at once, so many waiting, and none while it is down.
 *
 *  new --ask()--> ... --stop()--> stopped. What is under way ends by its own deadline. */
export class BackEnd {
  readonly #deps: BackEndDeps;
  readonly #options: BackEndOptions;
  readonly #pool: Pool;
  readonly #turns: Turns;
  readonly #breaker: Breaker;
  #underWay = 0;
  #drained: (() => void) | undefined;
  #failures = 0;
  #warnedAt = Number.NEGATIVE_INFINITY;

  constructor(deps: BackEndDeps, options: BackEndOptions) {
    this.#deps = deps;
    this.#options = options;
    this.#turns = new Turns(options.connections, options.waitingMax);
    this.#breaker = new Breaker(deps.clock, options.breaker, (state) => this.#tell(state));
    this.#pool = new Pool(options.origin, {
      connections: options.connections,
      pipelining: 1,
      keepAliveTimeout: options.keepAliveMs,
      keepAliveMaxTimeout: options.keepAliveMs,
      // The deadline of the question bounds both.
      headersTimeout: 0,
      bodyTimeout: 0,
      maxResponseSize: options.answerBytesMax,
      allowH2: false,
      connect: { timeout: options.connectTimeoutMs, ...mutable(options.tls) },
    });
  }

  get load(): { readonly running: number; readonly waiting: number; readonly breaker: BreakerState } {
    return { running: this.#turns.running, waiting: this.#turns.waiting, breaker: this.#breaker.state };
  }

  async stop(): Promise<void> {
    // What is asked once a reply was sent begins in the turn of the event loop in which the last packet has ended.
    await new Promise<void>((resolve) => setImmediate(resolve));
    if (this.#underWay > 0) {
      await new Promise<void>((resolve) => {
        this.#drained = resolve;
      });
    }
    await this.#pool.close();
  }

  /** Never rejects. */
  async ask(question: Question): Promise<Asked> {
    this.#underWay += 1;
    try {
      return await this.#ask(question);
    } finally {
      this.#underWay -= 1;
      if (this.#underWay === 0) this.#drained?.();
    }
  }

  async #ask(question: Question): Promise<Asked> {
    if (this.#breaker.refuses) return this.#down("breaker-open");
    const { clock } = this.#deps;
    const leftMs = Math.min(this.#options.timeoutMs, question.deadline - clock.now());
    if (leftMs <= 0) return this.#down("timeout");
    const ending = new AbortController();
    const cancel = clock.after(leftMs, () => ending.abort(LATE));
    const leave = (): void => ending.abort(GONE);
    question.signal?.addEventListener("abort", leave, { once: true });
    if (question.signal?.aborted === true) leave();
    try {
      const turn = await this.#turns.take(ending.signal);
      if (turn === "full") return this.#down("queue-full");
      if (turn === "gone") return this.#down(ending.signal.reason === LATE ? "timeout" : "gone");
      try {
        return await this.#inTurn(question, ending.signal);
      } finally {
        this.#turns.done();
      }
    } finally {
      cancel();
      question.signal?.removeEventListener("abort", leave);
    }
  }

  /** As often as that is safe. */
  async #inTurn(question: Question, signal: AbortSignal): Promise<Asked> {
    for (let attempt = 0; ; attempt += 1) {
      const ticket = this.#breaker.admit();
      if (ticket === undefined) return this.#down("breaker-open");
      const began = this.#deps.clock.now();
      const outcome = await this.#attempt(question, signal);
      const tookMs = this.#deps.clock.now() - began;
      const failed = outcome.kind === "down" || question.isDown(outcome.status);
      const isGone = outcome.kind === "down" && outcome.why === "gone";
      this.#breaker.end(ticket, isGone ? "unknown" : failed ? "failed" : "ok");
      if (attempt < this.#options.retries && maySafelyRepeat(outcome, question) && (await this.#pause(signal))) {
        this.#deps.retried();
        continue;
      }
      if (outcome.kind === "down") return this.#down(outcome.why);
      this.#deps.count(failed ? "server-error" : "answered", tookMs);
      if (failed) this.#warn(`status ${outcome.status}`);
      return outcome;
    }
  }

  async #attempt({ rendered, readsBody }: Question, signal: AbortSignal): Promise<HttpAnswer | Failed> {
    const { method, path, headers, body } = rendered;
    try {
      const response = await this.#pool.request({ method, path, headers, body: body ?? null, signal });
      const { statusCode: status } = response;
      const type = response.headers["content-type"];
      const contentType = Array.isArray(type) ? type[0] : type;
      if (!readsBody(status)) {
        await response.body.dump({ limit: DROPPED_BODY_BYTES, signal }).catch(() => undefined); // nobody needs it
        return { kind: "answer", status, contentType, body: Buffer.alloc(0) };
      }
      return { kind: "answer", status, contentType, body: Buffer.from(await response.body.arrayBuffer()) };
    } catch (error) {
      const fault: Fault = signal.aborted
        ? { why: signal.reason === LATE ? "timeout" : "gone", sent: true, code: "" }
        : faultOf(error);
      const { why, sent, code } = fault;
      this.#deps.log.debug({ fault: why, code }, "an attempt failed");
      return { kind: "down", why, sent };
    }
  }

  /** @returns whether there is time for one more attempt */
  async #pause(signal: AbortSignal): Promise<boolean> {
    const { clock, random } = this.#deps;
    const pauseMs = PAUSE_MS * (0.5 + random.fraction() / 2);
    await new Promise<void>((resolve) => {
      const cancel = clock.after(pauseMs, end);
      function end(): void {
        cancel();
        signal.removeEventListener("abort", end);
        resolve();
      }
      signal.addEventListener("abort", end, { once: true });
    });
    return !signal.aborted;
  }

  #down(why: BackEndResult): Asked {
    this.#deps.count(why);
    if (why !== "gone" && why !== "breaker-open") this.#warn(why);
    return { kind: "down", why };
  }

  /** The first failure, and then how many there were. */
  #warn(why: string): void {
    const { clock, log } = this.#deps;
    this.#failures += 1;
    if (clock.now() - this.#warnedAt < WARN_EVERY_MS) return;
    log.warn({ origin: this.#options.origin, why, failures: this.#failures }, "the back end gives no answer");
    this.#warnedAt = clock.now();
    this.#failures = 0;
  }

  #tell(state: BreakerState): void {
    const { log } = this.#deps;
    const { origin, breaker } = this.#options;
    if (state === "open")
      log.warn({ origin, openMs: breaker.openMs }, "the back end is down; it is left alone for a while");
    else if (state === "closed") log.info({ origin }, "the back end is well again");
  }
}

interface Failed {
  readonly kind: "down";
  readonly why: BackEndResult;
  readonly sent: boolean;
}

const LATE = Symbol("late");
const GONE = Symbol("gone");

/** What never left can be sent again; what perhaps did, only where twice does no harm. */
function maySafelyRepeat(outcome: HttpAnswer | Failed, { idempotent }: Question): boolean {
  if (outcome.kind === "answer") return idempotent && GATEWAY_TROUBLE.has(outcome.status);
  if (outcome.why === "timeout" || outcome.why === "gone" || outcome.why === "too-big") return false;
  return !outcome.sent || idempotent;
}

function mutable({ ca, ...tls }: BackEndTls): { ca?: string[]; cert?: string; key?: string; servername?: string } {
  return ca === undefined ? tls : { ...tls, ca: [...ca] };
}
