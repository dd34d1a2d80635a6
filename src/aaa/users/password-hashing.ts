import { argon2, pbkdf2, scrypt, timingSafeEqual } from "node:crypto";
import type { Random } from "../../clock.ts";
import { type PasswordHash, parsePhc, phcText, scryptBytes } from "./phc.ts";
import { WorkQueue } from "./work-queue.ts";

export interface HashingOptions {
  readonly algorithm: "argon2id" | "scrypt";
  /** Hashes computed at once, each on a thread of libuv's pool, which has four for files and names too. */
  readonly atOnce: number;
  /** Logins that wait for their turn. */
  readonly waitingMax: number;
  /** How long one waits for its verdict. */
  readonly answerWithinMs: number;
}

export interface HashingLoad {
  readonly running: number;
  readonly waiting: number;
  /** Since the start, because too many waited. */
  readonly refused: number;
}

const SALT_BYTES = 16;
const HASH_BYTES = 32;
/** OWASP Password Storage Cheat Sheet: the parameters with the least memory. */
const ARGON2ID = { algorithm: "argon2id", memory: 19_456, passes: 2, parallelism: 1 } as const;
/** A cost like that of the other; 16 MiB. */
const SCRYPT = { algorithm: "scrypt", logN: 14, blockSize: 8, parallelism: 5 } as const;

/** Slow password hashes, off the event loop, a bounded number at once. Logins go before new hashes: an import of a thousand
 *  users keeps nobody from logging in. */
export class PasswordHashing {
  readonly #random: Random;
  readonly #queue: WorkQueue;
  #options: HashingOptions;
  /** Of no password: what a login of an unknown user is measured against. */
  #dummy: PasswordHash;

  constructor(random: Random, options: HashingOptions) {
    this.#random = random;
    this.#options = options;
    this.#queue = new WorkQueue(options.atOnce, options.waitingMax);
    this.#dummy = this.#unfilled();
  }

  get load(): HashingLoad {
    const { running, waiting, refused } = this.#queue;
    return { running, waiting, refused };
  }

  apply(options: HashingOptions): void {
    this.#options = options;
    this.#queue.apply(options.atOnce, options.waitingMax);
    this.#dummy = this.#unfilled();
  }

  /** A new hash in PHC string format; undefined when too many wait. */
  async hash(password: Buffer): Promise<string | undefined> {
    const wanted = this.#unfilled();
    const running = this.#queue.later(() => derive(wanted, password));
    return running === undefined ? undefined : phcText({ ...wanted, hash: await running });
  }

  /** Whether a password fits a hash. A text that is no hash, as that of an unknown user, takes as long and does not fit.
   *  @param source who brought it: each has its turns */
  async verify(text: string | undefined, password: Buffer, source: string): Promise<"match" | "mismatch" | "busy"> {
    const known = text === undefined ? undefined : parsePhc(text);
    const stored = known ?? this.#dummy;
    const running = this.#queue.soon(source, () => derive(stored, password));
    if (running === undefined) return "busy";
    const fits = timingSafeEqual(await running, stored.hash);
    return fits && known !== undefined ? "match" : "mismatch";
  }

  /** Whether a hash is of a kind that the hub would not make: its cost is not that of the others. */
  isForeign(text: string): boolean {
    return parsePhc(text)?.algorithm === "pbkdf2";
  }

  #unfilled(): PasswordHash {
    const salt = Buffer.from(this.#random.bytes(SALT_BYTES));
    const hash = Buffer.from(this.#random.bytes(HASH_BYTES));
    return this.#options.algorithm === "scrypt" ? { ...SCRYPT, salt, hash } : { ...ARGON2ID, salt, hash };
  }
}

/** The hash of a password with the parameters and salt of another one, on a thread of libuv's pool. */
function derive(like: PasswordHash, password: Buffer): Promise<Buffer> {
  const { promise, resolve, reject } = Promise.withResolvers<Buffer>();
  const done = (error: Error | null, derived: Buffer): void => {
    if (error === null) resolve(derived);
    else reject(error);
  };
  const { salt, hash } = like;
  if (like.algorithm === "pbkdf2") {
    pbkdf2(password, salt, like.iterations, hash.length, like.digest, done);
  } else if (like.algorithm === "argon2id") {
    const { memory, passes, parallelism } = like;
    argon2("argon2id", { message: password, nonce: salt, parallelism, tagLength: hash.length, memory, passes }, done);
  } else {
    const { logN, blockSize, parallelism } = like;
    const maxmem = 2 * scryptBytes(like);
    scrypt(password, salt, hash.length, { N: 2 ** logN, r: blockSize, p: parallelism, maxmem }, done);
  }
  return promise;
}
