import type { Clock } from "../clock.ts";
import type { EventFeed } from "../events.ts";
import { type Waiting, whenLeaving } from "../transport/turn.ts";
import type { EndedExchange } from "./exchange-request.ts";

export interface ExchangeReportsDeps {
  readonly clock: Clock;
  readonly events: EventFeed;
  /** Told of each exchange that has ended, with more than an event may carry; must not throw. */
  readonly ended?: ((exchange: EndedExchange) => void) | undefined;
}

/** Tells the event feed, and who keeps the audit, of every exchange that has ended, in the second half of that turn of the event
 *  loop, or of the next. */
export class ExchangeReports implements Waiting {
  readonly #deps: ExchangeReportsDeps;
  // At most what one turn ends.
  #untold: Omit<EndedExchange, "atMs">[] = [];

  constructor(deps: ExchangeReportsDeps) {
    this.#deps = deps;
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
