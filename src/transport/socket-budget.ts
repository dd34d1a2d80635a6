/** Something that holds a socket and can do without it while it is idle. */
interface Holder {
  close(reason: "idle"): void;
}

/** Who has to wait until a socket may be opened. */
interface Waiter {
  pump(): void;
}

/** How many sockets all destinations together may have open. At the bound an idle socket of somebody else makes room, the one
 *  that was used longest ago first; without one the newcomer waits. */
export class SocketBudget {
  readonly #max: number;
  readonly #open = new Set<Holder>();
  // Sets keep order: who fell idle first, who waits longest.
  readonly #idle = new Set<Holder>();
  readonly #waiting = new Set<Waiter>();

  constructor(max: number) {
    this.#max = max;
  }

  get open(): number {
    return this.#open.size;
  }

  /** Opens a socket if there may be one more; otherwise `waiter` is told when it may try again. */
  take<H extends Holder>(waiter: Waiter, open: () => H): H | undefined {
    const [oldest] = this.#open.size < this.#max ? [] : this.#idle;
    oldest?.close("idle");
    if (this.#open.size >= this.#max) {
      this.#waiting.add(waiter);
      return undefined;
    }
    const holder = open();
    this.#open.add(holder);
    return holder;
  }

  busy(holder: Holder): void {
    this.#idle.delete(holder);
  }

  idle(holder: Holder): void {
    if (this.#waiting.size > 0) holder.close("idle");
    else this.#idle.add(holder);
  }

  /** The socket is closed. */
  release(holder: Holder): void {
    this.#idle.delete(holder);
    if (!this.#open.delete(holder)) return;
    const [next] = this.#waiting;
    if (next === undefined) return;
    this.#waiting.delete(next);
    next.pump();
  }

  /** Nobody is to be told any more. */
  forget(waiter: Waiter): void {
    this.#waiting.delete(waiter);
  }
}
