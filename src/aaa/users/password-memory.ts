import { hash, timingSafeEqual } from "node:crypto";
import { LRUCache } from "lru-cache";
import type { Random } from "../../clock.ts";

/** Users whose password is remembered; of one more, the one not asked for longest is forgotten. Some 200 octets each. */
const REMEMBERED_MAX = 100_000;
const KEY_BYTES = 32;
/** RFC 2104 Section 2: SHA-256 works on blocks of 64 octets. */
const BLOCK_BYTES = 64;
const MAC_BYTES = 32;
/** The length of a name in front of it. */
const LENGTH_TEXT_MAX = 8;

/** Passwords that were right, as HMAC under a key that this process alone has and never writes: a slow hash is computed once for
 *  each state of a user, and not for each login. */
export class PasswordMemory {
  /** The key, XOR ipad and XOR opad, each with room for what is hashed behind it: an Hmac object costs a quarter of the time of a
   *  whole login. */
  #inner = Buffer.alloc(BLOCK_BYTES + 512, 0x36);
  readonly #outer = Buffer.alloc(BLOCK_BYTES + MAC_BYTES, 0x5c);
  readonly #macs = new LRUCache<string, { readonly revision: string; readonly mac: Buffer }>({ max: REMEMBERED_MAX });

  constructor(random: Random) {
    for (const [index, octet] of random.bytes(KEY_BYTES).entries()) {
      this.#inner[index] = 0x36 ^ octet;
      this.#outer[index] = 0x5c ^ octet;
    }
  }

  get size(): number {
    return this.#macs.size;
  }

  /** Whether this was the right password of the user in that revision; false says nothing. */
  knows(username: string, revision: string, password: Buffer): boolean {
    const known = this.#macs.get(username);
    return known?.revision === revision && timingSafeEqual(known.mac, this.#mac(username, password));
  }

  wasRight(username: string, revision: string, password: Buffer): void {
    this.#macs.set(username, { revision, mac: this.#mac(username, password) });
  }

  forget(username: string): void {
    this.#macs.delete(username);
  }

  /** The name is part of it, its length first: two users with one password look different, and no name runs into a password. */
  #mac(username: string, password: Buffer): Buffer {
    const name = `${username.length} ${username}`;
    const room = BLOCK_BYTES + LENGTH_TEXT_MAX + 3 * username.length + password.length;
    if (room > this.#inner.length) this.#inner = Buffer.concat([this.#inner.subarray(0, BLOCK_BYTES)], 2 * room);
    const nameEnd = BLOCK_BYTES + this.#inner.write(name, BLOCK_BYTES);
    const end = nameEnd + password.copy(this.#inner, nameEnd);
    this.#outer.write(digestText(this.#inner.subarray(0, end)), BLOCK_BYTES, "latin1");
    this.#inner.fill(0, BLOCK_BYTES, end);
    return Buffer.from(digestText(this.#outer), "latin1");
  }
}

/** As text: a digest in a Buffer of its own takes node three times as long (see authenticator.ts). */
function digestText(octets: Buffer): string {
  return hash("sha256", octets, "binary");
}
