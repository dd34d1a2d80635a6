import { join } from "node:path";
import { Dictionary } from "../../src/radius/dictionary.ts";
import { readVectors } from "../vectors/read-vectors.ts";
import { checkCodec, type Reached } from "./codec-promise.ts";
import { mutate, SeededNumbers } from "./mutation.ts";

export interface FuzzReport extends Reached {
  readonly inputs: number;
  /** CPU time of the slowest input. */
  readonly slowestMs: number;
}

export interface FuzzOptions {
  readonly seed: number;
  /** Asked before every input: whether there is to be another one. */
  readonly goOn: (inputs: number) => boolean;
}

/** CPU time, a hundred times what the largest input takes. */
const INPUT_MS_MAX = 1000;

const dictionary = Dictionary.load(join(import.meta.dirname, "../../config/dictionaries"));

/** Vectors, several in a row, and text that the dictionary's reader takes. */
const corpus: readonly Buffer[] = [
  ...readVectors().map(({ octets }) => octets),
  Buffer.concat(readVectors().map(({ octets }) => octets)),
  Buffer.concat([
    Buffer.from("0100003400000000000000000000000000000000", "hex"),
    Buffer.from("1a2000003a8c0805314d2f1304786c6305010203f1040801f5060100616161616161", "hex"),
  ]),
  Buffer.from("VENDOR Acme 9 format=2,1\nBEGIN-VENDOR Acme\nATTRIBUTE Foo 0x1ff octets[4] has_tag\nVALUE Foo Bar 1\n"),
  Buffer.from("User-Name   bob"),
  Buffer.from("Attr-245.1  0x0102"),
];

/** Runs mutated inputs until told to stop. Throws the first broken promise, with the seed and the input in its message. */
export function fuzzCodec({ seed, goOn }: FuzzOptions): FuzzReport {
  const numbers = new SeededNumbers(seed);
  const reached: Reached = { packets: 0, values: 0, errors: 0 };
  let inputs = 0;
  let slowestMs = 0;
  for (; goOn(inputs); inputs++) {
    const octets = mutate(corpus, numbers);
    const before = process.cpuUsage();
    try {
      checkCodec(octets, dictionary, numbers, reached);
      const spent = process.cpuUsage(before);
      slowestMs = Math.max(slowestMs, (spent.user + spent.system) / 1000);
      if (slowestMs > INPUT_MS_MAX) throw new Error(`took ${Math.round(slowestMs)} ms`);
    } catch (cause) {
      throw new Error(`seed ${seed}, input ${inputs}: ${String(cause)}\n${octets.toString("hex")}`, { cause });
    }
  }
  return { ...reached, inputs, slowestMs };
}
