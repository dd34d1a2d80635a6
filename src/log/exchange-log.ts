import type { Logger } from "pino";
import type { Clock } from "../clock.ts";
import { errorCauseName } from "../dynauth/error-cause.ts";
import type { ExchangeRequest } from "../dynauth/exchange-request.ts";
import type { ExchangeEnded } from "../events.ts";
import { codeName } from "../radius/codes.ts";

/** Lines for one outcome in a second; an AAA server can ask for ten times as many exchanges. The metrics count all of them. */
const LINES_PER_SECOND_MAX = 1_000;
const SECOND_MS = 1_000;

interface Second {
  lines: number;
  suppressed: number;
}

/** The log lines of exchanges. Those of one outcome beyond 1,000 a second are told of in one line, unless the level is debug. */
export class ExchangeLog {
  readonly #log: Logger;
  readonly #clock: Clock;
  readonly #seconds = new Map<string, Second>();

  constructor(log: Logger, clock: Clock) {
    this.#log = log;
    this.#clock = clock;
  }

  begun(exchangeId: string, { code, trigger, requestId }: ExchangeRequest): void {
    if (!this.#log.isLevelEnabled("debug")) return;
    this.#log.debug(
      { event: "exchange.begun", exchangeId, code, trigger, requestId },
      `${codeName(code)} ${exchangeId} begun`,
    );
  }

  ended(event: ExchangeEnded): void {
    const level = levelOf(event);
    if (!this.#log.isLevelEnabled(level) || !this.#hasRoom(event.outcome, level)) return;
    const { type, exchangeId, code, trigger, requestId } = event;
    const { outcome, why, replyCode, errorCause, linkId, nas, attempts, durationMs } = event;
    const cause = errorCause === undefined ? "" : ` ${errorCause} ${errorCauseName(errorCause)}`;
    const reason = why === undefined ? "" : ` (${why})`;
    const text = `${codeName(code)} to ${nas ?? "?"}: ${outcome}${cause}${reason} in ${durationMs.toFixed(1)} ms`;
    const asked = { event: type, exchangeId, code, trigger, requestId };
    this.#log[level]({ ...asked, outcome, why, replyCode, errorCause, linkId, nas, attempts, durationMs }, text);
  }

  /** Outcomes are a closed list, so is the map. */
  #hasRoom(outcome: string, level: "info" | "warn"): boolean {
    if (this.#log.isLevelEnabled("debug")) return true;
    let second = this.#seconds.get(outcome);
    if (second === undefined) {
      second = { lines: 0, suppressed: 0 };
      this.#seconds.set(outcome, second);
      this.#clock.after(SECOND_MS, () => this.#endSecond(outcome, level));
    }
    if (second.lines < LINES_PER_SECOND_MAX) {
      second.lines += 1;
      return true;
    }
    second.suppressed += 1;
    return false;
  }

  #endSecond(outcome: string, level: "info" | "warn"): void {
    const suppressed = this.#seconds.get(outcome)?.suppressed ?? 0;
    this.#seconds.delete(outcome);
    if (suppressed === 0) return;
    const text = `${suppressed} more exchanges ended ${outcome} within a second: no line each, but counted in /metrics`;
    this.#log[level]({ event: "exchange.ended", outcome, suppressed }, text);
  }
}

/** What went as it should, or was not waited for, is no warning. */
function levelOf({ outcome, why }: ExchangeEnded): "info" | "warn" {
  return outcome === "ack" || outcome === "nak" || why === "abandoned" ? "info" : "warn";
}
