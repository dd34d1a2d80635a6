import { hash as digest, timingSafeEqual } from "node:crypto";
import type { Random } from "../../clock.ts";
import type { StoredPassword } from "../../store/user-types.ts";
import { ntHash } from "../mschap/nt-hash.ts";
import { type HashingLoad, type HashingOptions, PasswordHashing } from "./password-hashing.ts";
import { PasswordMemory } from "./password-memory.ts";
import type { KnownUser, PasswordCheck, PasswordVerdict } from "./types.ts";

/** PAP passwords, whichever way they are kept.
 *
 *  Whatever is wrong costs one slow hash: a wrong password, an unknown user, a user without a password or with one in clear text.
 *  The time of a refusal tells nobody which it was. */
export class Passwords implements PasswordCheck {
  readonly #hashing: PasswordHashing;
  readonly #memory: PasswordMemory;
  readonly #onFault: (error: unknown) => void;

  constructor(deps: { readonly random: Random; readonly onFault: (error: unknown) => void }, options: HashingOptions) {
    this.#hashing = new PasswordHashing(deps.random, options);
    this.#memory = new PasswordMemory(deps.random);
    this.#onFault = deps.onFault;
  }

  get load(): HashingLoad & { readonly remembered: number } {
    return { ...this.#hashing.load, remembered: this.#memory.size };
  }

  apply(options: HashingOptions): void {
    this.#hashing.apply(options);
  }

  /** To be called when a user has changed. */
  forget(username: string): void {
    this.#memory.forget(username);
  }

  knows(known: KnownUser | undefined, password: Buffer): boolean {
    const kept = known?.user.password;
    if (known === undefined || kept === undefined) return false;
    switch (kept.kind) {
      case "hashed":
        return this.#memory.knows(known.user.username, known.user.revision, password);
      case "clear-text":
        return equal(Buffer.from(kept.secret), password);
      case "nt-hash":
        return equal(Buffer.from(kept.secret, "hex"), ntHash(password));
    }
  }

  async verify(known: KnownUser | undefined, password: Buffer): Promise<PasswordVerdict> {
    try {
      return await this.#verdict(known, password);
    } catch (error) {
      this.#onFault(error); // no memory for a hash: nobody knows whether the password is right
      return "busy";
    }
  }

  /** How a new password is to be kept; undefined when too many wait to be hashed. */
  async stored(password: string, kind: StoredPassword["kind"] = "hashed"): Promise<StoredPassword | undefined> {
    if (kind === "clear-text") return { kind, secret: password };
    if (kind === "nt-hash") return { kind, secret: ntHash(Buffer.from(password)).toString("hex") };
    const secret = await this.#hashing.hash(Buffer.from(password));
    return secret === undefined ? undefined : { kind, secret };
  }

  async #verdict(known: KnownUser | undefined, password: Buffer): Promise<PasswordVerdict> {
    const kept = known?.user.password;
    if (known === undefined || kept === undefined) {
      const verdict = await this.#hashing.verify(undefined, password);
      return verdict === "busy" || known === undefined ? verdict : "unusable";
    }
    if (this.knows(known, password)) return "match";
    if (kept.kind !== "hashed") return this.#hashing.verify(undefined, password);
    const { username, revision } = known.user;
    const verdict = await this.#hashing.verify(kept.secret, password);
    if (verdict === "match") this.#memory.wasRight(username, revision, password);
    return verdict;
  }
}

/** Constant-time, for any two lengths. */
function equal(left: Buffer, right: Buffer): boolean {
  return timingSafeEqual(digest("sha256", left, "buffer"), digest("sha256", right, "buffer"));
}
