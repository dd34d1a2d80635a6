import { describe, expect, it } from "vitest";
import { TimingWheel } from "../../../src/transport/timing-wheel.ts";
import { ManualClock } from "../../support/manual-clock.ts";

describe("TimingWheel", () => {
  const start = () => {
    const clock = new ManualClock();
    return { clock, wheel: new TimingWheel(clock, { tickMs: 20 }), ran: [] as string[] };
  };

  it("runs an action at most one tick after its time and never before (1)", () => {
    const { clock, wheel, ran } = start();
    wheel.schedule(100, () => ran.push("a"));
    clock.advance(99);
    expect(ran).toEqual([]);
    clock.advance(21);
    expect(ran).toEqual(["a"]);
  });

  it("keeps actions of later rounds of the wheel apart from those that are due", () => {
    const { clock, wheel, ran } = start();
    wheel.schedule(20 * 1024 + 40, () => ran.push("next round"));
    wheel.schedule(40, () => ran.push("now"));
    clock.advance(60);
    expect(ran).toEqual(["now"]);
    clock.advance(20 * 1024);
    expect(ran).toEqual(["now", "next round"]);
  });

  it("runs everything that is due after a pause longer than the whole wheel, earliest first", () => {
    const late = new ManualClock();
    const wheel = new TimingWheel(
      { now: () => late.now(), wallMs: () => late.wallMs(), after: (_, action) => late.after(20 * 5_000, action) },
      { tickMs: 20 },
    );
    const ran: number[] = [];
    for (const at of [90_000, 30, 45_000]) wheel.schedule(at, () => ran.push(at));
    late.advance(20 * 5_000);
    expect(ran).toEqual([30, 45_000, 90_000]);
  });

  it("loses none that follow when two in a row are cancelled", () => {
    const { clock, wheel, ran } = start();
    const [, second, third] = ["a", "b", "c"].map((name) => wheel.schedule(40, () => ran.push(name)));
    second?.cancel();
    third?.cancel();
    wheel.schedule(40, () => ran.push("d"));
    clock.advance(60);
    expect(ran).toEqual(["a", "d"]);
  });

  it("runs no timer while nothing is scheduled (2)", () => {
    const { clock, wheel } = start();
    expect(clock.waiting).toBe(0);
    const timer = wheel.schedule(40, () => undefined);
    expect(clock.waiting).toBe(1);
    timer.cancel();
    clock.advance(40);
    expect(clock.waiting).toBe(0);
    expect(wheel.size).toBe(0);
  });

  it("wakes once a round for an action that is far away (2)", () => {
    const { clock, wheel, ran } = start();
    let wakes = 0;
    const counting = new TimingWheel(
      { now: () => clock.now(), wallMs: () => 0, after: (ms, action) => clock.after(ms, () => (wakes++, action())) },
      { tickMs: 20 },
    );
    counting.schedule(20 * 1024 * 10, () => ran.push("far"));
    wheel.schedule(20 * 1024 * 10, () => undefined);
    clock.advance(20 * 1024 * 10 + 20);
    expect(ran).toEqual(["far"]);
    expect(wakes).toBeLessThanOrEqual(12);
  });

  it("is woken earlier by an action that is scheduled later for an earlier time", () => {
    const { clock, wheel, ran } = start();
    wheel.schedule(5_000, () => ran.push("late"));
    clock.advance(100);
    wheel.schedule(200, () => ran.push("early"));
    clock.advance(120);
    expect(ran).toEqual(["early"]);
    clock.advance(4_900);
    expect(ran).toEqual(["early", "late"]);
  });

  it("does not run an action that another action of the same tick has cancelled", () => {
    const { clock, wheel, ran } = start();
    const second = { cancel: () => undefined as void };
    wheel.schedule(40, () => second.cancel());
    const cancelled = wheel.schedule(40, () => ran.push("cancelled"));
    second.cancel = () => cancelled.cancel();
    clock.advance(100);
    expect(ran).toEqual([]);
  });

  it("never runs an action scheduled for the past within schedule() itself", () => {
    const { clock, wheel, ran } = start();
    clock.advance(500);
    wheel.schedule(100, () => ran.push("past"));
    expect(ran).toEqual([]);
    clock.advance(20);
    expect(ran).toEqual(["past"]);
  });
});
