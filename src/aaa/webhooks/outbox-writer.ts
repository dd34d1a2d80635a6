import type { NewMessage, Outbox } from "../../store/outbox-types.ts";

/** Messages that wait to be stored; one more is dropped. Some 10 MB. */
const WAITING_MAX = 16_384;
const BATCH_MAX = 256;

/** Stores messages many at a time, behind the back of whoever tells them. */
export class OutboxWriter {
  readonly #outbox: Pick<Outbox, "put">;
  readonly #dropped: (why: string, count: number) => void;
  readonly #stored: () => void;
  #waiting: NewMessage[] = [];
  #writing: Promise<void> | undefined;

  /** @param stored called after each batch: there is something to deliver */
  constructor(outbox: Pick<Outbox, "put">, dropped: (why: string, count: number) => void, stored: () => void) {
    this.#outbox = outbox;
    this.#dropped = dropped;
    this.#stored = stored;
  }

  get waiting(): number {
    return this.#waiting.length;
  }

  add(message: NewMessage): void {
    if (this.#waiting.length >= WAITING_MAX) {
      this.#dropped("too many wait for the store", 1);
      return;
    }
    this.#waiting.push(message);
    this.#writing ??= this.#write();
  }

  /** Resolves when all that was added is stored or dropped. */
  async flush(): Promise<void> {
    await this.#writing;
  }

  async #write(): Promise<void> {
    // What the same turn of the event loop brings goes along.
    await new Promise((resolve) => setImmediate(resolve));
    while (this.#waiting.length > 0) {
      const batch = this.#waiting.splice(0, BATCH_MAX);
      try {
        const dropped = await this.#outbox.put(batch);
        if (dropped > 0) this.#dropped("the outbox is full", dropped);
        this.#stored();
      } catch {
        this.#dropped("the store refuses", batch.length); // ERR_STORE: messages must not pile up until it is back
      }
    }
    this.#writing = undefined;
  }
}
