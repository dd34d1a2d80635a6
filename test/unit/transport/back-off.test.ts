import { describe, expect, it } from "vitest";
import { BACK_OFF_CAP_MS, BackOff } from "../../../src/transport/back-off.ts";

function random(fraction: () => number) {
  return { bytes: () => Buffer.alloc(0), fraction };
}

describe("BackOff", () => {
  it("WD-07 next() doubles from the floor of 0.5 s to the cap of 60 s", () => {
    const least = new BackOff(random(() => 0));
    const most = new BackOff(random(() => 1 - Number.EPSILON));
    const delays = Array.from({ length: 10 }, () => [least.next(), Math.round(most.next())]);
    expect(delays.slice(0, 4)).toEqual([
      [500, 1_000],
      [1_000, 2_000],
      [2_000, 4_000],
      [4_000, 8_000],
    ]);
    expect(delays.at(-1)).toEqual([BACK_OFF_CAP_MS / 2, BACK_OFF_CAP_MS]);
  });

  it("WD-07 next() spreads routers that were lost together", () => {
    let seed = 0;
    const source = random(() => (seed = (seed + 0.618_034) % 1));
    const delays = Array.from({ length: 100 }, () => new BackOff(source).next());
    expect(new Set(delays.map((delay) => Math.floor(delay / 50))).size).toBe(10);
  });

  it("WD-07 an option can not take it below the floor", () => {
    expect(
      new BackOff(
        random(() => 0),
        { floorMs: 1, capMs: 2 },
      ).next(),
    ).toBe(500);
  });

  it("reset() starts again, and a thousand failures stay finite", () => {
    const backOff = new BackOff(random(() => 0));
    for (let failure = 0; failure < 1_000; failure += 1) backOff.next();
    expect(backOff.next()).toBe(BACK_OFF_CAP_MS / 2);
    backOff.reset();
    expect(backOff.next()).toBe(500);
  });
});
