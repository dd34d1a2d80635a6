import { timingSafeEqual } from "node:crypto";
import { LRUCache } from "lru-cache";
import type { PasswordMac } from "./password-mac.ts";

/** Users whose password is remembered; of one more, the one not asked for longest is forgotten. Some 200 octets each. */
const REMEMBERED_MAX = 100_000;

/** Passwords that were right, as HMAC under the key of this process: a slow hash is computed once for each state of a user, and not
 *  for each login. */
export class PasswordMemory {
  readonly #mac: PasswordMac;
  readonly #macs = new LRUCache<string, { readonly revision: string; readonly mac: Buffer }>({ max: REMEMBERED_MAX });

  constructor(mac: PasswordMac) {
    this.#mac = mac;
  }

  get size(): number {
    return this.#macs.size;
  }

  /** Whether this was the right password of the user in that revision; false says nothing. */
  knows(username: string, revision: string, password: Buffer): boolean {
    const known = this.#macs.get(username);
    return known?.revision === revision && timingSafeEqual(known.mac, this.#macOf(username, password));
  }

  wasRight(username: string, revision: string, password: Buffer): void {
    this.#macs.set(username, { revision, mac: this.#macOf(username, password) });
  }

  forget(username: string): void {
    this.#macs.delete(username);
  }

  #macOf(username: string, password: Buffer): Buffer {
    return Buffer.from(this.#mac.text(username, password), "latin1");
  }
}
