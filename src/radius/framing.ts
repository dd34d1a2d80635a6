import { HubError } from "../errors.ts";
import { HEADER_BYTES, PACKET_BYTES_MAX } from "./packet.ts";

const LENGTH_KNOWN_BYTES = 4;

/** Cuts a RADIUS/TLS octet stream into packets (CON-01; RFC 6614 Section 3.4 (1)).
 *
 *  (1) A packet's Length is judged before one octet of its body is buffered (invariant 8).
 *  (2) At most one packet is held: 4 octets until its Length is known, then exactly Length octets.
 *  (3) Each octet is copied at most once; a packet that lies within one chunk is not copied at all. */
export class PacketFramer {
  readonly #head = Buffer.alloc(LENGTH_KNOWN_BYTES);
  #body: Buffer | undefined;
  #filled = 0;

  /** Octets held of a packet that is not complete yet. */
  get pendingBytes(): number {
    return this.#filled;
  }

  /** Calls `onPacket` with each packet that is complete now; a packet may be a view into `chunk`.
   *  @throws {HubError} ERR_RADIUS_LENGTH after the packets before the bad one; the link must then be closed (CON-04). */
  push(chunk: Buffer, onPacket: (octets: Buffer) => void): void {
    let offset = 0;
    while (offset < chunk.length) {
      if (this.#filled === 0 && chunk.length - offset >= LENGTH_KNOWN_BYTES) {
        const length = checkedLength(chunk.readUInt16BE(offset + 2), chunk[offset] as number);
        if (chunk.length - offset >= length) {
          const octets = chunk.subarray(offset, offset + length);
          offset += length;
          onPacket(octets);
          continue;
        }
      }
      offset = this.#keep(chunk, offset);
      if (this.#body !== undefined && this.#filled === this.#body.length) {
        const octets = this.#body;
        this.#body = undefined;
        this.#filled = 0;
        onPacket(octets);
      }
    }
  }

  #keep(chunk: Buffer, start: number): number {
    let offset = start;
    if (this.#body === undefined) {
      const copied = chunk.copy(this.#head, this.#filled, offset, offset + LENGTH_KNOWN_BYTES - this.#filled);
      this.#filled += copied;
      offset += copied;
      if (this.#filled < LENGTH_KNOWN_BYTES) return offset;
      this.#body = Buffer.allocUnsafeSlow(checkedLength(this.#head.readUInt16BE(2), this.#head[0] as number));
      this.#head.copy(this.#body);
    }
    const copied = chunk.copy(this.#body, this.#filled, offset);
    this.#filled += copied;
    return offset + copied;
  }
}

/** RFC 2865 Section 3: 20..4096; outside of it the stream can not be cut any more. */
function checkedLength(length: number, code: number): number {
  if (length < HEADER_BYTES || length > PACKET_BYTES_MAX) {
    throw new HubError("ERR_RADIUS_LENGTH", `Length ${length} is outside 20..4096`, { length, code });
  }
  return length;
}
