import type { Clock } from "../clock.ts";
import type { Packet } from "../radius/packet.ts";

/** RFC 5080 Section 2.2.2: 5..30 s. */
const KEEP_MS = 30_000;

interface Known {
  readonly code: number;
  readonly authenticator: Buffer;
  readonly atMs: number;
  response: Buffer | undefined;
}

/** Requests of one link and what was answered, by Identifier: 256 entries at the most (CON-12).
 *  The same Identifier with another Authenticator is a new request, never a duplicate (ST-13; RFC 5080 Section 2.2.2). */
export class ReplyCache {
  readonly #clock: Clock;
  #known: Map<number, Known> | undefined;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** The response already sent to this request, "in-progress" while there is none, undefined when the request is new. */
  find(packet: Packet): Buffer | "in-progress" | undefined {
    const known = this.#known?.get(packet.identifier);
    if (known === undefined || !sameRequest(known, packet)) return undefined;
    if (known.response === undefined) return "in-progress";
    return this.#clock.now() - known.atMs <= KEEP_MS ? known.response : undefined;
  }

  begin(packet: Packet): void {
    this.#known ??= new Map();
    this.#known.set(packet.identifier, {
      code: packet.code,
      authenticator: Buffer.from(packet.authenticator),
      atMs: this.#clock.now(),
      response: undefined,
    });
  }

  /** Keeps the response; a request that came under the same Identifier meanwhile keeps its place. */
  answer(packet: Packet, response: Buffer): void {
    const known = this.#known?.get(packet.identifier);
    if (known === undefined) {
      this.begin(packet);
      this.answer(packet, response);
    } else if (sameRequest(known, packet)) known.response = response;
    else if (known.response !== undefined) {
      this.begin(packet);
      this.answer(packet, response);
    }
  }

  /** The request got no answer: the same octets again are a new try. */
  forget(packet: Packet): void {
    const known = this.#known?.get(packet.identifier);
    if (known !== undefined && sameRequest(known, packet)) this.#known?.delete(packet.identifier);
  }

  clear(): void {
    this.#known = undefined;
  }
}

function sameRequest(known: Known, packet: Packet): boolean {
  return known.code === packet.code && known.authenticator.equals(packet.authenticator);
}
