/** RFC 1321 Section 3.4: MD5 works on blocks of 64 octets and yields 16. */
export const MD5_BLOCK_BYTES = 64;
export const MD5_BYTES = 16;

/** The four words of MD5 after some whole blocks (RFC 1321 Section 3.3). */
export interface Md5State {
  readonly words: Readonly<Int32Array>;
  readonly bytes: number;
}

const START: Md5State = { words: Int32Array.of(0x67452301, 0xefcdab89, 0x98badcfe, 0x10325476), bytes: 0 };

// RFC 1321 Section 2: the low octet of a word comes first, as in the words of every machine that Node 24 is built for but one.
if (new Uint8Array(Uint16Array.of(1).buffer)[0] !== 1) throw new Error("radsec-hub needs a little-endian machine");

/** MD5 (RFC 1321) over octets that the caller writes into one buffer, for Authenticators and Message-Authenticators.
 *
 *  An exchange takes twelve digests of two blocks each: calling into OpenSSL for one costs twice what the digest does, and can not
 *  begin after the key block of HMAC. Everything that is not an Authenticator is left to node:crypto. */
export class Md5 {
  /** What is digested, from its first octet on. */
  readonly message: Buffer;
  readonly #words: Int32Array;
  readonly #state = new Int32Array(START.words.length);
  readonly #digest: Buffer = Buffer.from(this.#state.buffer);

  /** @param bytesMax the longest message */
  constructor(bytesMax: number) {
    const memory = new ArrayBuffer(paddedBytes(bytesMax));
    this.message = Buffer.from(memory);
    this.#words = new Int32Array(memory);
  }

  /** Digests the first octets of `message` and overwrites some behind them.
   *  @param from what the blocks before the message have led to @returns 16 octets that the next digest overwrites */
  digest(bytes: number, from: Md5State = START): Buffer {
    const { message } = this;
    const words = this.#words;
    // RFC 1321 Sections 3.1 and 3.2: a bit, zeros up to the end of a block, and there the number of bits.
    const end = paddedBytes(bytes);
    message[bytes] = 0x80;
    let zeros = bytes + 1;
    for (; zeros % 4 !== 0; zeros += 1) message[zeros] = 0;
    for (let word = zeros / 4; word < end / 4; word += 1) words[word] = 0;
    words[(end - 8) / 4] = (from.bytes + bytes) * 8;
    for (let word = 0; word < 4; word += 1) this.#state[word] = from.words[word] as number;
    for (let word = 0; word < end / 4; word += BLOCK_WORDS) addBlock(this.#state, words, word);
    return this.#digest;
  }

  /** What the first block of `message` leads to. */
  stateAfterBlock(): Md5State {
    const words = Int32Array.from(START.words);
    addBlock(words, this.#words, 0);
    return { words, bytes: MD5_BLOCK_BYTES };
  }
}

const BLOCK_WORDS = MD5_BLOCK_BYTES / 4;

/** One octet and eight are added at the least. */
function paddedBytes(bytes: number): number {
  return Math.ceil((bytes + 9) / MD5_BLOCK_BYTES) * MD5_BLOCK_BYTES;
}

/** RFC 1321 Section 3.4: the integer part of 4294967296 times abs(sin(i)), with i in radians. */
const T = Int32Array.from({ length: 64 }, (_, index) => Math.floor(Math.abs(Math.sin(index + 1)) * 0x1_0000_0000));

/** The four rounds of RFC 1321 Section 3.4 over sixteen words. */
function addBlock(state: Int32Array, words: Int32Array, at: number): void {
  let a = state[0] as number;
  let b = state[1] as number;
  let c = state[2] as number;
  let d = state[3] as number;
  for (let i = 0; i < 16; i += 4) {
    a = step(a, b, d ^ (b & (c ^ d)), words[at + i] as number, T[i] as number, 7);
    d = step(d, a, c ^ (a & (b ^ c)), words[at + i + 1] as number, T[i + 1] as number, 12);
    c = step(c, d, b ^ (d & (a ^ b)), words[at + i + 2] as number, T[i + 2] as number, 17);
    b = step(b, c, a ^ (c & (d ^ a)), words[at + i + 3] as number, T[i + 3] as number, 22);
  }
  for (let i = 16; i < 32; i += 4) {
    a = step(a, b, (c & ~d) | (b & d), words[at + ((5 * i + 1) & 15)] as number, T[i] as number, 5);
    d = step(d, a, (b & ~c) | (a & c), words[at + ((5 * i + 6) & 15)] as number, T[i + 1] as number, 9);
    c = step(c, d, (a & ~b) | (d & b), words[at + ((5 * i + 11) & 15)] as number, T[i + 2] as number, 14);
    b = step(b, c, (d & ~a) | (c & a), words[at + ((5 * i) & 15)] as number, T[i + 3] as number, 20);
  }
  for (let i = 32; i < 48; i += 4) {
    a = step(a, b, c ^ d ^ b, words[at + ((3 * i + 5) & 15)] as number, T[i] as number, 4);
    d = step(d, a, b ^ c ^ a, words[at + ((3 * i + 8) & 15)] as number, T[i + 1] as number, 11);
    c = step(c, d, a ^ b ^ d, words[at + ((3 * i + 11) & 15)] as number, T[i + 2] as number, 16);
    b = step(b, c, d ^ a ^ c, words[at + ((3 * i + 14) & 15)] as number, T[i + 3] as number, 23);
  }
  for (let i = 48; i < 64; i += 4) {
    a = step(a, b, c ^ (b | ~d), words[at + ((7 * i) & 15)] as number, T[i] as number, 6);
    d = step(d, a, b ^ (a | ~c), words[at + ((7 * i + 7) & 15)] as number, T[i + 1] as number, 10);
    c = step(c, d, a ^ (d | ~b), words[at + ((7 * i + 14) & 15)] as number, T[i + 2] as number, 15);
    b = step(b, c, d ^ (c | ~a), words[at + ((7 * i + 5) & 15)] as number, T[i + 3] as number, 21);
  }
  state[0] = ((state[0] as number) + a) | 0;
  state[1] = ((state[1] as number) + b) | 0;
  state[2] = ((state[2] as number) + c) | 0;
  state[3] = ((state[3] as number) + d) | 0;
}

/** What does not wait for the step before is added first. */
function step(a: number, b: number, mixed: number, word: number, t: number, shift: number): number {
  const sum = (((a + word + t) | 0) + mixed) | 0;
  return (b + ((sum << shift) | (sum >>> (32 - shift)))) | 0;
}
