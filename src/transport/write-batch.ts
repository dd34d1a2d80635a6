import { type Waiting, whenLeaving } from "./turn.ts";

/** A TLS record holds 16,384 octets (RFC 8446 Section 5.1): a packet must not be split over two (CON-03, hostapd). */
const RECORD_BYTES_MAX = 16_384;

/** Gathers what one turn of the event loop wants to send to one link, so that it leaves in one TLS write. */
export class WriteBatch implements Waiting {
  readonly #write: (octets: Buffer) => void;
  #packets: Buffer[] = [];
  #bytes = 0;

  constructor(write: (octets: Buffer) => void) {
    this.#write = write;
  }

  /** Queues one whole packet for the end of this turn. */
  add(packet: Buffer): void {
    if (this.#bytes + packet.length > RECORD_BYTES_MAX) this.flush();
    this.#bytes += packet.length;
    if (this.#packets.push(packet) === 1) whenLeaving(this);
  }

  /** Writes what has been gathered now. */
  flush(): void {
    if (this.#packets.length === 0) return;
    const octets =
      this.#packets.length === 1 ? (this.#packets[0] as Buffer) : Buffer.concat(this.#packets, this.#bytes);
    this.#packets = [];
    this.#bytes = 0;
    this.#write(octets);
  }
}
