import type { Clock } from "../clock.ts";

/** setTimeout() takes at most 24.8 days, so a longer wait is cut into pieces. */
const TIMER_MS_MAX = 86_400_000;

/** Peers that hold names and have no link, oldest absence first. One timer runs while there are any. */
export class AbsentPeers {
  readonly #clock: Clock;
  readonly #lapsed: (peerKey: string) => void;
  #lapseMs: number;
  // Every absence lasts equally long, so the order of insertion is the order of lapse. Values are Clock.now() of the leaving.
  readonly #leftAt = new Map<string, number>();
  #cancelTimer: (() => void) | undefined;
  #stopped = false;

  constructor(clock: Clock, lapseMs: number, lapsed: (peerKey: string) => void) {
    this.#clock = clock;
    this.#lapseMs = lapseMs;
    this.#lapsed = lapsed;
  }

  left(peerKey: string): void {
    this.#leftAt.set(peerKey, this.#clock.now());
    this.#arm();
  }

  /** Peers that left before now, by Clock.now() of the leaving, which may be negative. One that is known stays as it is. */
  restore(leftAt: ReadonlyMap<string, number>): void {
    const news = [...leftAt].filter(([peerKey]) => !this.#leftAt.has(peerKey));
    if (news.length === 0) return;
    const inOrder = [...this.#leftAt, ...news].sort(([, one], [, other]) => one - other);
    this.#leftAt.clear();
    for (const [peerKey, at] of inOrder) this.#leftAt.set(peerKey, at);
    this.#disarm();
    this.expire();
    this.#arm();
  }

  /** Clock.now() at which the peer left; undefined while it has a link. */
  leftAt(peerKey: string): number | undefined {
    return this.#leftAt.get(peerKey);
  }

  /** The peer is back, or holds nothing any more. */
  forget(peerKey: string): void {
    if (this.#leftAt.delete(peerKey) && this.#leftAt.size === 0) this.#disarm();
  }

  /** Wall clock at which the names of the peer lapse; undefined while it has a link. */
  lapsesAtMs(peerKey: string): number | undefined {
    const leftAt = this.#leftAt.get(peerKey);
    return leftAt === undefined ? undefined : this.#clock.wallMs() + (leftAt + this.#lapseMs - this.#clock.now());
  }

  /** Lapses what is due. Costs nothing when nothing is, so every look-up may call it. */
  expire(): void {
    if (this.#leftAt.size === 0) return;
    const latestLapsed = this.#clock.now() - this.#lapseMs;
    for (const [peerKey, leftAt] of this.#leftAt) {
      if (leftAt > latestLapsed) return;
      this.forget(peerKey);
      this.#lapsed(peerKey);
    }
  }

  apply(lapseMs: number): void {
    this.#lapseMs = lapseMs;
    this.#disarm();
    this.expire();
    this.#arm();
  }

  stop(): void {
    this.#stopped = true;
    this.#disarm();
  }

  #arm(): void {
    const [oldest] = this.#leftAt.values();
    if (oldest === undefined || this.#stopped || this.#cancelTimer !== undefined) return;
    const delayMs = Math.max(0, oldest + this.#lapseMs - this.#clock.now());
    // Rounded up: setTimeout() drops fractions and would fire just before the lapse, again and again.
    this.#cancelTimer = this.#clock.after(Math.ceil(Math.min(delayMs, TIMER_MS_MAX)), () => {
      this.#cancelTimer = undefined;
      this.expire();
      this.#arm();
    });
  }

  #disarm(): void {
    this.#cancelTimer?.();
    this.#cancelTimer = undefined;
  }
}
