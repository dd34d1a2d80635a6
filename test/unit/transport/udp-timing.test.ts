import { describe, expect, it } from "vitest";
import { systemRandom } from "../../../src/clock.ts";
import { RETRANSMIT_DEFAULT, retransmitAfterMs } from "../../../src/transport/retransmission.ts";

const fraction = (value: number) => ({ ...systemRandom, fraction: () => value });

/** The first waits under a random source that always says the same. */
function waits(value: number, count = 6): number[] {
  const all: number[] = [];
  for (let index = 0; index < count; index += 1) {
    all.push(retransmitAfterMs(RETRANSMIT_DEFAULT, all.at(-1), fraction(value)));
  }
  return all;
}

describe("retransmitAfterMs()", () => {
  it("UC-02 is 2, 4, 8, 16, 16 s without jitter", () => {
    expect(waits(0.5)).toEqual([2_000, 4_000, 8_000, 16_000, 16_000, 16_000]);
  });

  it("UC-02 is at most a tenth away from that at each step", () => {
    expect(waits(0)[0]).toBeCloseTo(1_800);
    expect(waits(0)[1]).toBeCloseTo(1_800 * 1.9);
    expect(waits(1)[0]).toBeCloseTo(2_200);
    expect(waits(1)[1]).toBeCloseTo(2_200 * 2.1);
    expect(waits(1).at(-1)).toBeCloseTo(17_600);
    expect(waits(0).at(-1)).toBeCloseTo(14_400);
  });

  it("UC-02 the jitter is a new one each time", () => {
    const first = Array.from({ length: 50 }, () => retransmitAfterMs(RETRANSMIT_DEFAULT, undefined, systemRandom));
    expect(new Set(first).size).toBeGreaterThan(40);
    expect(Math.min(...first)).toBeGreaterThanOrEqual(1_800);
    expect(Math.max(...first)).toBeLessThanOrEqual(2_200);
  });

  it("MRT 0 is no limit", () => {
    expect(retransmitAfterMs({ ...RETRANSMIT_DEFAULT, mrtMs: 0 }, 16_000, fraction(0.5))).toBe(32_000);
  });
});
