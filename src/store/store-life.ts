import type { Clock } from "../clock.ts";
import { storeError } from "./store-error.ts";
import type { HealthObserver, StoreHealth } from "./types.ts";

/** Whether a store is down, up or stopped, and who waits for that: the same for every kind of store. */
export class StoreLife {
  readonly #clock: Clock;
  readonly #onHealth: HealthObserver;
  readonly #queued: () => number;
  readonly #waiters = new Set<() => void>();
  #state: StoreHealth["state"] = "down";
  #sinceMs = 0;
  #detail: string | undefined = "not opened yet";

  /** @param queued calls that wait for the store now */
  constructor(clock: Clock, onHealth: HealthObserver | undefined, queued: () => number) {
    this.#clock = clock;
    this.#onHealth = onHealth ?? (() => undefined);
    this.#queued = queued;
  }

  get health(): StoreHealth {
    return { state: this.#state, sinceMs: this.#sinceMs, detail: this.#detail, queued: this.#queued() };
  }

  started(): void {
    this.#sinceMs = this.#clock.wallMs();
  }

  /** There is no way back from "stopped". */
  changed(state: StoreHealth["state"], detail: string | undefined): void {
    if (this.#state === "stopped") return;
    const before = this.#state;
    this.#state = state;
    this.#detail = detail;
    if (state !== before) this.#sinceMs = this.#clock.wallMs();
    if (state !== "down") for (const wake of this.#waiters) wake();
    if (state !== before || state === "down") this.#onHealth(this.health);
  }

  /** @throws {HubError} ERR_STORE when it has stopped, or is still down after `timeoutMs` */
  async ready(timeoutMs: number): Promise<void> {
    const deadline = this.#clock.now() + timeoutMs;
    while (this.#state === "down" && this.#clock.now() < deadline) {
      await new Promise<void>((resolve) => {
        const cancel = this.#clock.after(deadline - this.#clock.now(), () => wake());
        const wake = (): void => {
          cancel();
          this.#waiters.delete(wake);
          resolve();
        };
        this.#waiters.add(wake);
      });
    }
    if (this.#state !== "up") throw storeError(this.#state, this.#detail ?? "the store has stopped");
  }
}
