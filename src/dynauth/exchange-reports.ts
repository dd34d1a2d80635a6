import type { Clock } from "../clock.ts";
import type { EventFeed } from "../events.ts";
import { type Waiting, whenLeaving } from "../transport/turn.ts";
import type { EndedExchange, ExchangeRequest } from "./exchange-request.ts";

export interface ExchangeReportsDeps {
  readonly clock: Clock;
  readonly events: EventFeed;
  /** Told of each exchange that has ended, with more than an event may carry; must not throw. */
  readonly ended?: ((exchange: EndedExchange) => void) | undefined;
}

/** Tells the event feed, and who keeps the audit, of every exchange. That one has ended is told when the turn of the event loop
 *  is over: whoever waits for the outcome goes first. */
export class ExchangeReports implements Waiting {
  readonly #deps: ExchangeReportsDeps;
  // At most what one turn ends.
  #untold: Omit<EndedExchange, "atMs">[] = [];

  constructor(deps: ExchangeReportsDeps) {
    this.#deps = deps;
  }

  begun(exchangeId: string, { code, trigger, requestId }: ExchangeRequest): void {
    const atMs = this.#deps.clock.wallMs();
    this.#deps.events.emit({ type: "exchange.begun", atMs, exchangeId, code, trigger, requestId });
  }

  ended(exchange: Omit<EndedExchange, "atMs">): void {
    if (this.#untold.push(exchange) === 1) whenLeaving(this);
  }

  /** Tells what is untold now. */
  flush(): void {
    const untold = this.#untold;
    this.#untold = [];
    const atMs = this.#deps.clock.wallMs();
    for (const exchange of untold) this.#tell({ ...exchange, atMs });
  }

  #tell(exchange: EndedExchange): void {
    this.#deps.ended?.(exchange);
    const { exchangeId, atMs, durationMs, request, outcome } = exchange;
    const settled = outcome === "refused" ? undefined : outcome;
    const replied = settled?.kind === "ack" || settled?.kind === "nak" ? settled : undefined;
    this.#deps.events.emit({
      type: "exchange.ended",
      atMs,
      exchangeId,
      code: request.code,
      trigger: request.trigger,
      requestId: request.requestId,
      outcome: settled?.kind ?? "refused",
      why: settled !== undefined && "why" in settled ? settled.why : undefined,
      replyCode: replied?.replyCode,
      errorCause: replied?.errorCause,
      linkId: settled?.attempts.at(-1)?.linkId,
      nas: settled?.nas,
      attempts: settled?.attempts.length ?? 0,
      durationMs,
    });
  }
}
