import { describe, expect, it } from "vitest";
import { Breaker, type BreakerState, type Ticket } from "../../../../../src/aaa/modules/rest/breaker.ts";
import { ManualClock } from "../../../../support/manual-clock.ts";

const OPTIONS = { failures: 3, ratio: 0.5, windowMs: 10_000, openMs: 5_000, probes: 2 };

class Rig {
  readonly clock = new ManualClock();
  readonly told: BreakerState[] = [];
  readonly breaker: Breaker;

  constructor(changes: Partial<typeof OPTIONS> = {}) {
    this.breaker = new Breaker(this.clock, { ...OPTIONS, ...changes }, (state) => this.told.push(state));
  }

  admit(): Ticket {
    const ticket = this.breaker.admit();
    if (ticket === undefined) throw new Error("refused");
    return ticket;
  }

  ends(...ends: readonly ("ok" | "failed" | "unknown")[]): void {
    for (const end of ends) this.breaker.end(this.admit(), end);
  }

  get state(): BreakerState {
    return this.breaker.state;
  }
}

const times = <T>(count: number, value: T): T[] => Array.from({ length: count }, () => value);

describe("Breaker, closed", () => {
  it.each([
    { name: "two failures", ends: times(2, "failed" as const), state: "closed" },
    { name: "three failures", ends: times(3, "failed" as const), state: "open" },
    {
      name: "three failures, four that went well",
      ends: [...times(4, "ok" as const), ...times(3, "failed" as const)],
      state: "closed",
    },
    {
      name: "three failures, three that went well",
      ends: [...times(3, "ok" as const), ...times(3, "failed" as const)],
      state: "open",
    },
    { name: "any number of which nobody saw the end", ends: times(9, "unknown" as const), state: "closed" },
  ])("after $name is $state", ({ ends, state }) => {
    const rig = new Rig();
    rig.ends(...ends);
    expect(rig.state).toBe(state);
  });

  it("forgets what is older than the window, by tenths of it", () => {
    const rig = new Rig();
    rig.ends("failed", "failed");
    rig.clock.advance(9_999);
    rig.ends("failed");
    expect(rig.state).toBe("open");
    const other = new Rig();
    other.ends("failed", "failed");
    other.clock.advance(10_000);
    other.ends("failed");
    expect(other.state).toBe("closed");
  });

  it("never opens with failures: 0", () => {
    const rig = new Rig({ failures: 0 });
    rig.ends(...times(100, "failed" as const));
    expect(rig.state).toBe("closed");
  });
});

describe("Breaker, open", () => {
  function opened(changes: Partial<typeof OPTIONS> = {}): Rig {
    const rig = new Rig(changes);
    rig.ends("failed", "failed", "failed");
    return rig;
  }

  it("lets nothing through until its time is over, then so many probes and no more", () => {
    const rig = opened();
    expect([rig.breaker.admit(), rig.breaker.refuses]).toEqual([undefined, true]);
    rig.clock.advance(4_999);
    expect(rig.breaker.admit()).toBeUndefined();
    rig.clock.advance(1);
    expect(rig.state).toBe("half-open");
    rig.admit();
    rig.admit();
    expect([rig.breaker.admit(), rig.breaker.refuses]).toEqual([undefined, true]);
    expect(rig.told).toEqual(["open", "half-open"]);
  });

  it("closes when every probe went well, with nothing held against it", () => {
    const rig = opened();
    rig.clock.advance(5_000);
    rig.ends("ok");
    expect(rig.state).toBe("half-open");
    rig.ends("ok");
    expect(rig.state).toBe("closed");
    rig.ends("failed", "failed");
    expect(rig.state).toBe("closed");
  });

  it("opens anew, for the whole time, when one probe fails", () => {
    const rig = opened();
    rig.clock.advance(5_000);
    rig.ends("ok", "failed");
    expect(rig.state).toBe("open");
    rig.clock.advance(4_999);
    expect(rig.state).toBe("open");
  });

  it("gives the place of a probe that went away to the next", () => {
    const rig = opened({ probes: 1 });
    rig.clock.advance(5_000);
    rig.ends("unknown");
    expect(rig.state).toBe("half-open");
    rig.ends("ok");
    expect(rig.state).toBe("closed");
  });

  it("takes no notice of what was asked before it opened", () => {
    const rig = new Rig();
    const early = [rig.admit(), rig.admit()] as const;
    rig.ends("failed", "failed", "failed");
    rig.clock.advance(5_000);
    expect(rig.state).toBe("half-open");
    rig.breaker.end(early[0], "failed");
    rig.breaker.end(early[1], "ok");
    expect(rig.state).toBe("half-open");
    rig.ends("ok", "ok");
    expect(rig.state).toBe("closed");
  });
});
