import type { Clock, Random } from "../../clock.ts";
import { HubError } from "../../errors.ts";
import type { Outbox, OutboxMessage } from "../../store/outbox-types.ts";
import type { WebhookTarget } from "./options.ts";
import { signatureHeaders } from "./signature.ts";

export interface TargetQueueDeps {
  readonly clock: Clock;
  readonly random: Random;
  readonly outbox: Pick<Outbox, "delivered" | "retry" | "bury">;
  readonly version: string;
  readonly onFault: (error: unknown) => void;
}

/** Messages of one target that wait here; the rest stays leased in the store and comes again. */
const WAITING_MAX = 256;
const ERROR_CHARACTERS_MAX = 200;

/** Delivers the messages of one target, a few at a time. What another target does is of no concern to it. */
export class TargetQueue {
  readonly #deps: TargetQueueDeps;
  readonly #waiting: OutboxMessage[] = [];
  readonly #stopping = new AbortController();
  #target: WebhookTarget;
  #running = 0;
  #delivered = 0;
  #failed = 0;

  constructor(deps: TargetQueueDeps, target: WebhookTarget) {
    this.#deps = deps;
    this.#target = target;
  }

  get counts(): { readonly delivered: number; readonly failed: number; readonly inFlight: number } {
    return { delivered: this.#delivered, failed: this.#failed, inFlight: this.#running };
  }

  apply(target: WebhookTarget): void {
    this.#target = target;
  }

  /** Takes a message whose lease has just begun, or leaves it to its lease. */
  add(message: OutboxMessage): void {
    if (this.#waiting.length < WAITING_MAX) this.#waiting.push(message);
    this.#next();
  }

  /** Cuts what is under way: it is delivered again after its lease. */
  stop(): void {
    this.#waiting.length = 0;
    this.#stopping.abort();
  }

  #next(): void {
    while (this.#running < this.#target.concurrency) {
      const message = this.#waiting.shift();
      if (message === undefined) return;
      // Somebody else may have it once its lease is over.
      if (message.dueAtMs - this.#deps.clock.wallMs() <= this.#target.timeoutMs) continue;
      this.#running += 1;
      void this.#deliver(message)
        .catch(this.#deps.onFault)
        .finally(() => {
          this.#running -= 1;
          this.#next();
        });
    }
  }

  async #deliver(message: OutboxMessage): Promise<void> {
    const target = this.#target;
    const fault = await this.#post(message, target);
    if (this.#stopping.signal.aborted) return;
    const { clock, outbox } = this.#deps;
    try {
      if (fault === undefined) {
        this.#delivered += 1;
        await outbox.delivered(message.messageId);
        return;
      }
      this.#failed += 1;
      const attempts = message.attempts + 1;
      const nowMs = clock.wallMs();
      if (attempts >= target.retry.attemptsMax) await outbox.bury(message.messageId, nowMs, fault);
      else await outbox.retry(message.messageId, nowMs + this.#backOffMs(attempts), fault);
    } catch (error) {
      // The store does not know what came of it, so that it is delivered again after its lease.
      if (!(error instanceof HubError)) throw error;
    }
  }

  /** @returns what went wrong, undefined when the target took it */
  async #post(message: OutboxMessage, target: WebhookTarget): Promise<string | undefined> {
    const { clock, version } = this.#deps;
    const late = new AbortController();
    const cancel = clock.after(target.timeoutMs, () => late.abort());
    try {
      const response = await fetch(target.url, {
        method: "POST",
        body: message.body,
        redirect: "error",
        signal: AbortSignal.any([late.signal, this.#stopping.signal]),
        headers: {
          "Content-Type": "application/json",
          "User-Agent": `radsec-hub/${version}`,
          ...signatureHeaders(target.secret, message, clock.wallMs()),
        },
      });
      await response.body?.cancel();
      return response.ok ? undefined : `HTTP ${response.status}`;
    } catch (error) {
      return late.signal.aborted ? `no answer within ${target.timeoutMs / 1_000} s` : faultText(error);
    } finally {
      cancel();
    }
  }

  /** Doubling, with the upper half of each step random. */
  #backOffMs(attempts: number): number {
    const { floorMs, capMs } = this.#target.retry;
    const stepMs = Math.min(capMs, floorMs * 2 ** Math.min(attempts - 1, 30));
    return Math.ceil(stepMs * (0.5 + this.#deps.random.fraction() / 2));
  }
}

/** fetch() says "fetch failed"; why is in its cause. */
function faultText(error: unknown): string {
  const cause = error instanceof Error && error.cause instanceof Error ? error.cause : error;
  return (cause instanceof Error ? cause.message : String(cause)).slice(0, ERROR_CHARACTERS_MAX);
}
