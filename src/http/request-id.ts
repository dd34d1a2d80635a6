import type { Random } from "../clock.ts";

const HARMLESS = /^[A-Za-z0-9._:-]{1,128}$/;

/** Names requests: it is in the answer, the log and the events. */
export class RequestIds {
  /** Tells this run of this hub from all others; within it counting is enough. */
  readonly #run: string;
  #count = 0;

  constructor(random: Random) {
    this.#run = random.bytes(6).toString("base64url");
  }

  next(): string {
    this.#count += 1;
    return `${this.#run}-${this.#count.toString(36)}`;
  }

  /** The X-Request-Id of the caller where it can do no harm in a log or a header, else a new one. */
  adopt(given: string | undefined): string {
    return given !== undefined && HARMLESS.test(given) ? given : this.next();
  }
}
