import type { Clock, Random } from "../clock.ts";

/** Tw of a reverse-CoA NAS (ST-17; draft reverse-coa Section 5), its jitter and its floor (WD-02; RFC 3539 Section 3.4.1 [1]). */
export const WATCHDOG_PERIOD_MS = 15_000;
export const WATCHDOG_JITTER_MS = 2_000;
export const WATCHDOG_PERIOD_FLOOR_MS = 6_000;

/** Answered watchdogs that a connection needs after its predecessor was found dead (WD-05; RFC 3539 Section 3.4.1 [5]). */
const PROBATION_ANSWERS = 3;

export interface WatchdogOptions {
  /** Tw; the caller keeps it at or above the floor. */
  readonly periodMs: number;
  readonly jitterMs: number;
  /** The connection replaces one that a watchdog found dead. */
  readonly onProbation: boolean;
  /** Sends one Status-Server. */
  readonly send: () => void;
  /** The peer is dead: close the connection. */
  readonly dead: () => void;
}

/** The watchdog of one connection (RFC 3539 Section 3.4.1).
 *  okay --Tw, nothing pending: send()--> okay --Tw, pending--> suspect --Tw--> dead()   any message received --> okay
 *  (1) Nothing is sent while a watchdog is unanswered (WD-03). (2) Each message received starts Tw again (ST-18, WD-03).
 *  (3) dead() comes after Tw has expired twice without any message, never earlier (WD-04). */
export class Watchdog {
  readonly #clock: Clock;
  readonly #random: Random;
  readonly #options: WatchdogOptions;
  #cancel: (() => void) | undefined;
  #expiresAt = 0;
  #pending = false;
  #suspect = false;
  #answersWanted: number;

  constructor(deps: { readonly clock: Clock; readonly random: Random }, options: WatchdogOptions) {
    this.#clock = deps.clock;
    this.#random = deps.random;
    this.#options = options;
    this.#answersWanted = options.onProbation ? PROBATION_ANSWERS : 0;
  }

  /** Whether requests should rather go over another connection (WD-05). */
  get onProbation(): boolean {
    return this.#answersWanted > 0;
  }

  /** @param sendNow the first Status-Server goes out at once, so that the hub learns who is there */
  start(sendNow: boolean): void {
    if (sendNow) this.#send();
    this.#reset();
    this.#arm();
  }

  /** Any message came in. The timer is not made anew for each: it looks at #expiresAt when it fires. */
  received(): void {
    this.#suspect = false;
    this.#reset();
  }

  /** The outstanding Status-Server was answered; received() is called as well. */
  answered(): void {
    this.#pending = false;
    this.#answersWanted = Math.max(0, this.#answersWanted - 1);
  }

  stop(): void {
    this.#cancel?.();
    this.#cancel = undefined;
  }

  #reset(): void {
    const jitterMs = (this.#random.fraction() * 2 - 1) * this.#options.jitterMs;
    this.#expiresAt = this.#clock.now() + this.#options.periodMs + jitterMs;
  }

  #arm(): void {
    this.#cancel = this.#clock.after(Math.max(0, this.#expiresAt - this.#clock.now()), () => this.#fired());
  }

  #fired(): void {
    if (this.#clock.now() >= this.#expiresAt) {
      if (this.#suspect) {
        this.#cancel = undefined;
        this.#options.dead();
        return;
      }
      if (this.#pending) this.#suspect = true;
      else this.#send();
      this.#reset();
    }
    this.#arm();
  }

  #send(): void {
    this.#pending = true;
    this.#options.send();
  }
}
