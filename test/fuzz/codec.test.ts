import { describe, expect, it } from "vitest";
import { fuzzCodec } from "./codec-fuzz.ts";
import { mutate, SeededNumbers } from "./mutation.ts";

describe("fuzzCodec()", () => {
  it("T4 src/radius yields a packet or a HubError for 3,000 mutated inputs", () => {
    const report = fuzzCodec({ seed: 20_260_701, goOn: (inputs) => inputs < 3000 });
    expect(report.inputs).toBe(3000);
    // It would prove nothing if every input ended at the header.
    expect(report.packets).toBeGreaterThan(1000);
    expect(report.values).toBeGreaterThan(3000);
    expect(report.errors).toBeGreaterThan(1000);
  });

  it("makes the same inputs from the same seed", () => {
    const inputs = (seed: number) => {
      const numbers = new SeededNumbers(seed);
      return Array.from({ length: 50 }, () => mutate([Buffer.from("0c000014", "hex")], numbers).toString("hex"));
    };
    expect(inputs(1)).toEqual(inputs(1));
    expect(inputs(1)).not.toEqual(inputs(2));
  });
});
