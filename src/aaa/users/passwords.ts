import { hash as digest, timingSafeEqual } from "node:crypto";
import type { Clock, Random } from "../../clock.ts";
import type { StoredPassword, User } from "../../store/user-types.ts";
import { ntHash } from "../mschap/nt-hash.ts";
import { type HashingLoad, type HashingOptions, PasswordHashing } from "./password-hashing.ts";
import { PasswordMac } from "./password-mac.ts";
import { PasswordMemory } from "./password-memory.ts";
import { SharedVerdicts } from "./shared-verdicts.ts";
import type { GuessAttempt, KnownUser, PasswordCheck, PasswordVerdict, PendingGuesses } from "./types.ts";

export interface PasswordsDeps {
  readonly clock: Pick<Clock, "now" | "after">;
  readonly random: Random;
  readonly pending: PendingGuesses;
  /** A password was right whose hash is of a kind that the hub does not make: now it can be hashed as the others are. */
  readonly foreign: (user: User, password: Buffer) => void;
  readonly onFault: (error: unknown) => void;
}

export interface PasswordsLoad extends HashingLoad {
  readonly remembered: number;
  /** Since the start: logins without an answer, because too many passwords of their user, device or router were being tried. */
  readonly held: number;
  /** Since the start: logins without an answer, because their hash was not ready in time. */
  readonly late: number;
}

/** PAP passwords, whichever way they are kept.
 *
 *  Whatever is wrong costs one slow hash: a wrong password, an unknown user, a user without a password or with one in clear text.
 *  The time of a refusal tells nobody which it was. Who asks for the same password of the same name at a time shares the hash, and
 *  that, too, is the same for a name that nobody has. */
export class Passwords implements PasswordCheck {
  readonly #deps: PasswordsDeps;
  readonly #hashing: PasswordHashing;
  readonly #mac: PasswordMac;
  readonly #memory: PasswordMemory;
  readonly #shared: SharedVerdicts;
  #answerWithinMs: number;
  #held = 0;

  constructor(deps: PasswordsDeps, options: HashingOptions) {
    this.#deps = deps;
    this.#hashing = new PasswordHashing(deps.random, options);
    this.#mac = new PasswordMac(deps.random);
    this.#memory = new PasswordMemory(this.#mac);
    this.#shared = new SharedVerdicts(deps.clock);
    this.#answerWithinMs = options.answerWithinMs;
  }

  get load(): PasswordsLoad {
    const { late } = this.#shared;
    return { ...this.#hashing.load, remembered: this.#memory.size, held: this.#held, late };
  }

  apply(options: HashingOptions): void {
    this.#hashing.apply(options);
    this.#answerWithinMs = options.answerWithinMs;
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

  async verify(
    attempt: GuessAttempt,
    known: KnownUser | undefined,
    password: Buffer,
    until = Number.POSITIVE_INFINITY,
  ): Promise<PasswordVerdict> {
    if (this.knows(known, password)) return "match";
    const patience = Math.min(until, this.#deps.clock.now() + this.#answerWithinMs);
    // Of a name that nobody has there is no revision, and else no difference.
    const question = this.#mac.text(`${known?.user.revision ?? ""} ${attempt.username}`, password);
    const verdict = await this.#shared.ask(question, patience, () => this.#counted(attempt, known, password));
    return verdict === "late" ? "busy" : verdict;
  }

  /** How a new password is to be kept; undefined when too many wait to be hashed. */
  async stored(password: string, kind: StoredPassword["kind"] = "hashed"): Promise<StoredPassword | undefined> {
    if (kind === "clear-text") return { kind, secret: password };
    if (kind === "nt-hash") return { kind, secret: ntHash(Buffer.from(password)).toString("hex") };
    return this.hashed(Buffer.from(password));
  }

  /** As stored(), of octets. */
  async hashed(password: Buffer): Promise<StoredPassword | undefined> {
    const secret = await this.#hashing.hash(password);
    return secret === undefined ? undefined : { kind: "hashed", secret };
  }

  /** As long as it is not known to be right it counts as wrong: who tries many at once gets no further than who tries one by one. */
  async #counted(attempt: GuessAttempt, known: KnownUser | undefined, password: Buffer): Promise<PasswordVerdict> {
    const { pending, onFault } = this.#deps;
    if (!pending.begin(attempt)) {
      this.#held += 1;
      return "busy";
    }
    try {
      return await this.#verdict(attempt, known, Buffer.from(password));
    } catch (error) {
      onFault(error); // no memory for a hash: nobody knows whether the password is right
      return "busy";
    } finally {
      pending.end(attempt);
    }
  }

  async #verdict({ source }: GuessAttempt, known: KnownUser | undefined, password: Buffer): Promise<PasswordVerdict> {
    const kept = known?.user.password;
    if (known === undefined || kept === undefined) {
      const verdict = await this.#hashing.verify(undefined, password, source);
      return verdict === "busy" || known === undefined ? verdict : "unusable";
    }
    if (kept.kind !== "hashed") return this.#hashing.verify(undefined, password, source);
    const { username, revision } = known.user;
    const verdict = await this.#hashing.verify(kept.secret, password, source);
    if (verdict === "match") {
      this.#memory.wasRight(username, revision, password);
      if (this.#hashing.isForeign(kept.secret)) this.#deps.foreign(known.user, password);
    }
    return verdict;
  }
}

/** Constant-time, for any two lengths. */
function equal(left: Buffer, right: Buffer): boolean {
  return timingSafeEqual(digest("sha256", left, "buffer"), digest("sha256", right, "buffer"));
}
