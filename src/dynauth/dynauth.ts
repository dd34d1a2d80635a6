import { HubError } from "../errors.ts";
import { type ExchangeDeps, type ExchangeTimes, runExchange } from "./exchange.ts";
import { ExchangeReports, type ExchangeReportsDeps } from "./exchange-reports.ts";
import type { ExchangeRequest } from "./exchange-request.ts";
import type { Outcome } from "./outcome.ts";
import { assertSendable } from "./request-rules.ts";
import type { Resolution, ResolvedTarget, Resolver } from "./resolver.ts";

export interface DynauthDeps extends ExchangeReportsDeps, ExchangeDeps {
  readonly resolver: Resolver;
  readonly nextExchangeId: () => string;
  /** Told of each exchange that begins; must not throw. */
  readonly begun?: (exchangeId: string, request: ExchangeRequest) => void;
}

export interface DynauthOptions extends ExchangeTimes {
  /** What a request may ask for at the most. */
  readonly timeoutMaxMs: number;
  /** Exchanges at once in the whole hub; one more is `busy`. */
  readonly exchangesMax: number;
}

/** Disconnects and CoAs: who is meant, on which link, and how it ended. */
export class Dynauth {
  readonly #deps: DynauthDeps;
  readonly #reports: ExchangeReports;
  #options: DynauthOptions;
  #inFlight = 0;
  #stopping = false;
  #drained: (() => void) | undefined;

  constructor(deps: DynauthDeps, options: DynauthOptions) {
    this.#deps = deps;
    this.#reports = new ExchangeReports(deps);
    this.#options = options;
  }

  /** Exchanges that have begun and not ended. */
  get inFlight(): number {
    return this.#inFlight;
  }

  /** Sends a request to every NAS it means: one outcome each.
   *  @throws {HubError} ERR_UNDER_SPECIFIED, ERR_ATTRIBUTE_NOT_ALLOWED, ERR_AMBIGUOUS, ERR_INPUT, ERR_RADIUS_TOO_LONG, ERR_STOPPED */
  exchange(request: ExchangeRequest): Promise<readonly Outcome[]> {
    // Not async: for who sends one Disconnect after the other, each promise between is a twentieth of its own work.
    try {
      this.#assertRunning();
      const times = this.#times(request.timeoutMs);
      if (request.proxied !== true) assertSendable(request.code, request.attributes, request.force === true);
      const found = this.#deps.resolver.resolve(request);
      const begin = (resolution: Resolution) => {
        this.#assertRunning(); // the look-up may have taken its time
        return this.#exchangeWithAll(resolution, request, times);
      };
      return found instanceof Promise ? found.then(begin) : begin(found);
    } catch (error) {
      return Promise.reject(error);
    }
  }

  #assertRunning(): void {
    if (this.#stopping) throw new HubError("ERR_STOPPED", "the hub is stopping and takes no new exchange");
  }

  #exchangeWithAll(
    resolution: Resolution,
    request: ExchangeRequest,
    times: ExchangeTimes,
  ): Promise<readonly Outcome[]> {
    if (resolution.kind === "no-route") {
      const { why, nas } = resolution;
      const exchangeId = this.#begin(request);
      const outcome: Outcome = { ...NOTHING_DONE, kind: "no-route", why, nas, exchangeId };
      this.#end(exchangeId, request, outcome);
      return Promise.resolve([outcome]);
    }
    const outcomes = resolution.targets.map((target) => this.#exchangeWith(target, request, times));
    const [first] = outcomes;
    return outcomes.length === 1 && first !== undefined ? first : Promise.all(outcomes).then((lists) => lists.flat());
  }

  apply(options: DynauthOptions): void {
    this.#options = options;
  }

  /** Takes no new exchange and resolves when those in flight have ended, at the latest after their timeout. */
  async stop(): Promise<void> {
    this.#stopping = true;
    if (this.#inFlight > 0) {
      await new Promise<void>((resolve) => {
        this.#drained = resolve;
      });
    }
    this.#reports.flush();
  }

  #exchangeWith(target: ResolvedTarget, request: ExchangeRequest, times: ExchangeTimes): Promise<readonly [Outcome]> {
    const exchangeId = this.#begin(request);
    const over = (outcome: Outcome | "refused") => this.#end(exchangeId, request, outcome);
    if (this.#inFlight <= this.#options.exchangesMax) {
      return runExchange(exchangeId, request, target, times, this.#deps, over);
    }
    const { nas, acctSessionKey } = target;
    const outcome: Outcome = { ...NOTHING_DONE, kind: "busy", why: "queue-full", exchangeId, nas, acctSessionKey };
    over(outcome);
    return Promise.resolve([outcome]);
  }

  #times(wanted: number | undefined): ExchangeTimes {
    if (wanted === undefined) return this.#options;
    const { timeoutMaxMs } = this.#options;
    if (!(wanted > 0 && wanted <= timeoutMaxMs)) {
      throw new HubError("ERR_INPUT", `the timeout must be more than 0 and at most ${timeoutMaxMs / 1_000} s`, {
        timeoutMs: wanted,
      });
    }
    return { timeoutMs: wanted, timeoutUdpMs: wanted };
  }

  /** @returns its id */
  #begin(request: ExchangeRequest): string {
    const exchangeId = this.#deps.nextExchangeId();
    this.#inFlight += 1;
    this.#deps.begun?.(exchangeId, request);
    return exchangeId;
  }

  /** Every exchange that has begun is told of once it has ended. */
  #end(exchangeId: string, request: ExchangeRequest, outcome: Outcome | "refused"): void {
    const tookMs = outcome === "refused" ? 0 : outcome.durationMs;
    const durationMs = Math.round(tookMs * 1_000) / 1_000;
    this.#reports.ended({ exchangeId, durationMs, request, outcome });
    this.#inFlight -= 1;
    if (this.#inFlight === 0) this.#drained?.();
  }
}

const NOTHING_DONE = { attempts: [], mayHaveActed: false, durationMs: 0 } as const;
