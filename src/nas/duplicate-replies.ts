import type { Packet } from "../radius/packet.ts";

interface Answered {
  readonly code: number;
  readonly authenticator: Buffer;
  readonly atMs: number;
  /** Undefined while the answer is being delayed, and for ever when there is none. */
  octets: Buffer | undefined;
}

/** The requests of one connection that were answered, so that the same request again gets the same octets and nothing is
 *  done twice. One entry for each Identifier: 256 at the most. The window is that of Event-Timestamp (DP-06; RFC 5176
 *  Sections 2.3 and 6.3): an older copy would be refused for its time anyway. */
export class DuplicateReplies {
  readonly #windowMs: number;
  readonly #byIdentifier = new Map<number, Answered>();

  constructor(windowMs: number) {
    this.#windowMs = windowMs;
  }

  /** @returns undefined for a new request */
  find(packet: Packet, nowMs: number): Answered | undefined {
    const known = this.#byIdentifier.get(packet.identifier);
    if (known === undefined || nowMs - known.atMs > this.#windowMs) return undefined;
    return known.code === packet.code && known.authenticator.equals(packet.authenticator) ? known : undefined;
  }

  /** Notes a new request; the caller sets `octets` once it has the reply. */
  begin(packet: Packet, nowMs: number): Answered {
    const answered: Answered = {
      code: packet.code,
      authenticator: Buffer.from(packet.authenticator),
      atMs: nowMs,
      octets: undefined,
    };
    this.#byIdentifier.set(packet.identifier, answered);
    return answered;
  }
}
