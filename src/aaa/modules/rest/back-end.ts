import { Pool } from "undici";
import type { Clock, Random } from "../../../clock.ts";
import type { BackEndResult } from "../../pipeline/back-ends.ts";
import type { ModuleLog } from "../../pipeline/types.ts";
import { attempt, type FailedAttempt, type HttpAnswer } from "./attempt.ts";
import { Breaker, type BreakerOptions, type BreakerState } from "./breaker.ts";
import { Patience } from "./patience.ts";
import type { Rendered } from "./rendering.ts";
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
  /** Fires when whoever asks has gone; undefined: it is asked to the end. Looked at only where the answer is slow. */
  readonly signal: (() => AbortSignal) | undefined;
  /** To do it twice does no harm. */
  readonly idempotent: boolean;
  /** Whether the body of an answer is wanted. */
  readonly readsBody: (status: number) => boolean;
  /** Whether a status says that the back end is in trouble. */
  readonly isDown: (status: number) => boolean;
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
/** After this time it is worth knowing whether anybody still waits. */
const LOOK_MS = 100;
/** A status that a gateway gives while what is behind it is restarted. */
const GATEWAY_TROUBLE: ReadonlySet<number> = new Set([502, 503, 504]);
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
    if (this.#breaker.refuses) return this.#down("breaker-open");
    const { clock } = this.#deps;
    const leftMs = Math.min(this.#options.timeoutMs, question.deadline - clock.now());
    if (leftMs <= 0) return this.#down("timeout");
    const patience = new Patience();
    const release = this.#limit(patience, leftMs, question);
    this.#underWay += 1;
    try {
      const taken = this.#turns.take(patience);
      const turn = typeof taken === "string" ? taken : await taken;
      if (turn === "full") return this.#down("queue-full");
      if (turn === "gone") return this.#down(patience.over ?? "gone");
      try {
        return await this.#inTurn(question, patience);
      } finally {
        this.#turns.done();
      }
    } finally {
      release();
      this.#underWay -= 1;
      if (this.#underWay === 0) this.#drained?.();
    }
  }

  /** Ends patience when its time is over, or whoever asks has gone. Most answers are there before anybody looks who has: a signal for each
   *  would cost more than the rest of the question, most of it when garbage is collected.
   *  @returns what is to be called once nothing is waited for any more */
  #limit(patience: Patience, leftMs: number, { signal }: Question): () => void {
    const { clock } = this.#deps;
    const late = (): void => patience.end("timeout");
    if (signal === undefined || leftMs <= LOOK_MS) return clock.after(leftMs, late);
    const leave = (): void => patience.end("gone");
    let release = clock.after(LOOK_MS, () => {
      const gone = signal();
      if (gone.aborted) return leave();
      gone.addEventListener("abort", leave, { once: true });
      const cancel = clock.after(leftMs - LOOK_MS, late);
      release = () => {
        cancel();
        gone.removeEventListener("abort", leave);
      };
    });
    return () => release();
  }

  /** As often as that is safe. */
  async #inTurn(question: Question, patience: Patience): Promise<Asked> {
    const { clock, log, retried, count } = this.#deps;
    for (let attempts = 0; ; attempts += 1) {
      const ticket = this.#breaker.admit();
      if (ticket === undefined) return this.#down("breaker-open");
      const began = clock.now();
      const outcome = await attempt(this.#pool, question.rendered, question.readsBody, patience);
      const tookMs = clock.now() - began;
      const failed = outcome.kind === "down" || question.isDown(outcome.status);
      const isGone = outcome.kind === "down" && outcome.why === "gone";
      this.#breaker.end(ticket, isGone ? "unknown" : failed ? "failed" : "ok");
      if (outcome.kind === "down") log.debug({ fault: outcome.why, code: outcome.code }, "an attempt failed");
      if (attempts < this.#options.retries && maySafelyRepeat(outcome, question) && (await this.#pause(patience))) {
        retried();
        continue;
      }
      if (outcome.kind === "down") return this.#down(outcome.why);
      count(failed ? "server-error" : "answered", tookMs);
      if (failed) this.#warn(`status ${outcome.status}`);
      return outcome;
    }
  }

  /** @returns whether there is time for one more attempt */
  async #pause(patience: Patience): Promise<boolean> {
    if (patience.over !== undefined) return false;
    const { clock, random } = this.#deps;
    const pauseMs = PAUSE_MS * (0.5 + random.fraction() / 2);
    await new Promise<void>((resolve) => {
      const cancel = clock.after(pauseMs, resolve);
      patience.whenOver(() => {
        cancel();
        resolve();
      });
    });
    patience.whenOver(undefined);
    return patience.over === undefined;
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

/** What never left can be sent again; what perhaps did, only where twice does no harm. */
function maySafelyRepeat(outcome: HttpAnswer | FailedAttempt, { idempotent }: Question): boolean {
  if (outcome.kind === "answer") return idempotent && GATEWAY_TROUBLE.has(outcome.status);
  if (outcome.why === "timeout" || outcome.why === "gone" || outcome.why === "too-big") return false;
  return !outcome.sent || idempotent;
}

function mutable({ ca, ...tls }: BackEndTls): { ca?: string[]; cert?: string; key?: string; servername?: string } {
  return ca === undefined ? tls : { ...tls, ca: [...ca] };
}
