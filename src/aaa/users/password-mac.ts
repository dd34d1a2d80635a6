import { hash } from "node:crypto";
import type { Random } from "../../clock.ts";

const KEY_BYTES = 32;
/** RFC 2104 Section 2: SHA-256 works on blocks of 64 octets. */
const BLOCK_BYTES = 64;
const MAC_BYTES = 32;
/** The length of a name in front of it. */
const LENGTH_TEXT_MAX = 8;

/** HMAC-SHA-256 over a name and a password, under a key that this process alone has and never writes. */
export class PasswordMac {
  /** The key, XOR ipad and XOR opad, each with room for what is hashed behind it: an Hmac object costs a quarter of the time of a
   *  whole login. */
  #inner = Buffer.alloc(BLOCK_BYTES + 512, 0x36);
  readonly #outer = Buffer.alloc(BLOCK_BYTES + MAC_BYTES, 0x5c);

  constructor(random: Random) {
    for (const [index, octet] of random.bytes(KEY_BYTES).entries()) {
      this.#inner[index] = 0x36 ^ octet;
      this.#outer[index] = 0x5c ^ octet;
    }
  }

  /** 32 octets as latin1. The name is part of it, its length first: no name runs into a password. */
  text(name: string, password: Buffer): string {
    const head = `${name.length} ${name}`;
    const room = BLOCK_BYTES + LENGTH_TEXT_MAX + 3 * name.length + password.length;
    if (room > this.#inner.length) this.#inner = Buffer.concat([this.#inner.subarray(0, BLOCK_BYTES)], 2 * room);
    const nameEnd = BLOCK_BYTES + this.#inner.write(head, BLOCK_BYTES);
    const end = nameEnd + password.copy(this.#inner, nameEnd);
    this.#outer.write(digestText(this.#inner.subarray(0, end)), BLOCK_BYTES, "latin1");
    this.#inner.fill(0, BLOCK_BYTES, end);
    return digestText(this.#outer);
  }
}

/** As text: a digest in a Buffer of its own takes node three times as long (see authenticator.ts). */
function digestText(octets: Buffer): string {
  return hash("sha256", octets, "binary");
}
