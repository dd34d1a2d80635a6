/** A hashed password in PHC string format: what it was made with, salt and hash. */
export type PasswordHash = Argon2idHash | ScryptHash | Pbkdf2Hash;

export interface Argon2idHash extends Hashed {
  readonly algorithm: "argon2id";
  /** KiB. */
  readonly memory: number;
  readonly passes: number;
  readonly parallelism: number;
}

export interface ScryptHash extends Hashed {
  readonly algorithm: "scrypt";
  /** N is 2 to the power of it. */
  readonly logN: number;
  readonly blockSize: number;
  readonly parallelism: number;
}

/** Of another system: verified, and never made. */
export interface Pbkdf2Hash extends Hashed {
  readonly algorithm: "pbkdf2";
  readonly digest: "sha256" | "sha1";
  readonly iterations: number;
}

interface Hashed {
  readonly salt: Buffer;
  readonly hash: Buffer;
}

/** Our choice: a hash that somebody imports may cost some ten times what ours do, and no more. */
const MEMORY_KIB_MAX = 262_144;
const PASSES_MAX = 16;
const PARALLELISM_MAX = 16;
const LOG_N_MAX = 18;
const BLOCK_SIZE_MAX = 32;
const SCRYPT_BYTES_MAX = MEMORY_KIB_MAX * 1_024;
/** Django makes 1,200,000 today. */
const ITERATIONS_MAX = 2_000_000;
const FORMAT =
  /^\$(argon2id\$v=19|scrypt)\$([a-z]+=\d{1,9}(?:,[a-z]+=\d{1,9}){2})\$([A-Za-z0-9+/]{8,86})\$([A-Za-z0-9+/]{16,86})$/;

const PBKDF2 = /^\$pbkdf2-(sha256|sha1)\$i=(\d{1,9})\$([A-Za-z0-9+/]{2,172})\$([A-Za-z0-9+/]{16,86})$/;

/** Parses "$argon2id$v=19$m=…,t=…,p=…$salt$hash", "$scrypt$ln=…,r=…,p=…$salt$hash" or "$pbkdf2-sha256$i=…$salt$hash"; undefined
 *  for anything else, and for parameters that would cost more than a login may. */
export function parsePhc(text: string): PasswordHash | undefined {
  if (text.startsWith("$pbkdf2-")) return parsePbkdf2(text);
  const [, algorithm, parameters = "", salt64 = "", hash64 = ""] = FORMAT.exec(text) ?? [];
  if (algorithm === undefined) return undefined;
  const values = new Map(parameters.split(",").map((pair) => pair.split("=") as [string, string]));
  const of = (name: string) => Number(values.get(name) ?? Number.NaN);
  const salt = Buffer.from(salt64, "base64");
  const hash = Buffer.from(hash64, "base64");
  const parallelism = of("p");
  if (!within(parallelism, 1, PARALLELISM_MAX)) return undefined;
  if (algorithm === "scrypt") {
    const [logN, blockSize] = [of("ln"), of("r")];
    if (!within(logN, 1, LOG_N_MAX) || !within(blockSize, 1, BLOCK_SIZE_MAX)) return undefined;
    const found: ScryptHash = { algorithm, logN, blockSize, parallelism, salt, hash };
    return scryptBytes(found) <= SCRYPT_BYTES_MAX ? found : undefined;
  }
  const [memory, passes] = [of("m"), of("t")];
  const fits = within(memory, 8 * parallelism, MEMORY_KIB_MAX) && within(passes, 1, PASSES_MAX);
  return fits ? { algorithm: "argon2id", memory, passes, parallelism, salt, hash } : undefined;
}

function parsePbkdf2(text: string): Pbkdf2Hash | undefined {
  const [, digest, iterations = "", salt = "", hash = ""] = PBKDF2.exec(text) ?? [];
  if ((digest !== "sha256" && digest !== "sha1") || !within(Number(iterations), 1, ITERATIONS_MAX)) return undefined;
  const octets = { salt: Buffer.from(salt, "base64"), hash: Buffer.from(hash, "base64") };
  return { algorithm: "pbkdf2", digest, iterations: Number(iterations), ...octets };
}

export function phcText(of: PasswordHash): string {
  return `${head(of)}$${unpadded(of.salt)}$${unpadded(of.hash)}`;
}

function head(of: PasswordHash): string {
  switch (of.algorithm) {
    case "argon2id":
      return `$argon2id$v=19$m=${of.memory},t=${of.passes},p=${of.parallelism}`;
    case "scrypt":
      return `$scrypt$ln=${of.logN},r=${of.blockSize},p=${of.parallelism}`;
    case "pbkdf2":
      return `$pbkdf2-${of.digest}$i=${of.iterations}`;
  }
}

/** Memory that scrypt takes. */
export function scryptBytes({ logN, blockSize, parallelism }: ScryptHash): number {
  return 128 * blockSize * (2 ** logN + parallelism);
}

function within(value: number, min: number, max: number): boolean {
  return value >= min && value <= max;
}

function unpadded(octets: Buffer): string {
  return octets.toString("base64").replaceAll("=", "");
}
