/** Numbers from a seed, so that a finding can be had again (mulberry32). */
export class SeededNumbers {
  #state: number;

  constructor(seed: number) {
    this.#state = seed >>> 0;
  }

  /** A whole number 0..limit-1. */
  below(limit: number): number {
    this.#state = (this.#state + 0x6d2b79f5) >>> 0;
    let mixed = this.#state;
    mixed = Math.imul(mixed ^ (mixed >>> 15), mixed | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return Math.floor((((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32) * limit);
  }

  pick<T>(items: readonly T[]): T {
    return items[this.below(items.length)] as T;
  }
}

/** Octets at which length and type checks change their mind. */
const EDGES = [0, 1, 2, 3, 4, 5, 16, 18, 20, 26, 80, 127, 128, 241, 245, 246, 253, 254, 255];

type Mutation = (octets: Buffer, numbers: SeededNumbers, corpus: readonly Buffer[]) => Buffer;

const MUTATIONS: readonly Mutation[] = [
  function flipBit(octets, numbers) {
    const at = numbers.below(octets.length);
    octets[at] = (octets[at] as number) ^ (1 << numbers.below(8));
    return octets;
  },
  function setEdge(octets, numbers) {
    octets[numbers.below(octets.length)] = numbers.pick(EDGES);
    return octets;
  },
  function truncate(octets, numbers) {
    return octets.subarray(0, numbers.below(octets.length + 1));
  },
  function insert(octets, numbers) {
    const at = numbers.below(octets.length + 1);
    const added = Buffer.from(Array.from({ length: numbers.below(300) }, () => numbers.below(256)));
    return Buffer.concat([octets.subarray(0, at), added, octets.subarray(at)]);
  },
  function repeatTail(octets, numbers) {
    const from = numbers.below(octets.length);
    const times = 1 + numbers.below(20);
    return Buffer.concat([octets, ...Array.from({ length: times }, () => octets.subarray(from))]);
  },
  function splice(octets, numbers, corpus) {
    const other = numbers.pick(corpus);
    return Buffer.concat([
      octets.subarray(0, numbers.below(octets.length + 1)),
      other.subarray(numbers.below(other.length + 1)),
    ]);
  },
];

const INPUT_BYTES_MAX = 20_000;

/** The same octets with every Length corrected as little as it takes, so that what is inside of attributes gets its turn. */
function madeWhole(octets: Buffer): Buffer {
  const whole = octets.subarray(0, 4096);
  if (whole.length < 20) return whole;
  whole.writeUInt16BE(whole.length, 2);
  let offset = 20;
  while (offset + 2 <= whole.length) {
    const length = Math.min(Math.max(2, whole[offset + 1] as number), whole.length - offset);
    whole[offset + 1] = length;
    offset += length;
  }
  if (offset < whole.length) return madeWhole(whole.subarray(0, offset));
  return whole;
}

/** One of the corpus after a few mutations. */
export function mutate(corpus: readonly Buffer[], numbers: SeededNumbers): Buffer {
  let octets = Buffer.from(numbers.pick(corpus));
  for (let count = numbers.below(8); count >= 0 && octets.length > 0; count--) {
    octets = Buffer.from(numbers.pick(MUTATIONS)(octets, numbers, corpus).subarray(0, INPUT_BYTES_MAX));
  }
  // Most inputs would end at the header or at the first attribute if none were made whole.
  return numbers.below(2) === 0 ? madeWhole(octets) : octets;
}
