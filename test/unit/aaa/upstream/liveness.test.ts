import { describe, expect, it } from "vitest";
import { Liveness } from "../../../../src/aaa/upstream/liveness.ts";
import { ManualClock } from "../../../support/manual-clock.ts";

/** A server that answers probes as a test says. */
function watched() {
  const clock = new ManualClock();
  const changes: string[] = [];
  const server = { answers: true, probes: [] as number[] };
  const liveness = new Liveness(
    {
      clock,
      random: { bytes: () => Buffer.alloc(0), fraction: () => 0 },
      probe: () => {
        server.probes.push(clock.now());
        return Promise.resolve(server.answers ? undefined : "silent");
      },
      changed: (up, detail) => void changes.push(`${up ? "up" : "down"}: ${detail}`),
    },
    { suspectAfter: 3, intervalMs: 1_000, intervalMaxMs: 8_000 },
  );
  /** Lets time pass in steps, so that each probe is judged before the next is due. */
  const pass = async (ms: number) => {
    for (let passed = 0; passed < ms; passed += 100) {
      await Promise.resolve();
      await Promise.resolve();
      clock.advance(100);
    }
    await Promise.resolve();
    await Promise.resolve();
  };
  const unanswered = (count: number) => {
    for (let each = 0; each < count; each += 1) liveness.requestUnanswered();
  };
  return { clock, changes, server, liveness, pass, unanswered };
}

describe("Liveness", () => {
  it("WD-06 requests that stay unanswered only raise suspicion; a probe that is answered ends it, and nobody is told", async () => {
    const { changes, server, liveness, pass, unanswered } = watched();
    unanswered(2);
    expect(liveness.state).toBe("alive");
    liveness.requestAnswered();
    unanswered(2);
    expect({ state: liveness.state, probes: server.probes }).toEqual({ state: "alive", probes: [] });
    unanswered(1);
    expect({ state: liveness.state, probes: server.probes.length }).toEqual({ state: "suspect", probes: 1 });
    await pass(100);
    expect({ state: liveness.state, changes }).toEqual({ state: "alive", changes: [] });
  });

  it("a suspect that answers a request is alive", () => {
    const { liveness, server, unanswered } = watched();
    server.answers = false;
    unanswered(3);
    liveness.requestAnswered();
    expect(liveness.state).toBe("alive");
  });

  it("three unanswered probes make a suspect dead, told once", async () => {
    const { changes, server, liveness, pass, unanswered } = watched();
    server.answers = false;
    unanswered(3);
    await pass(5_000);
    expect({ state: liveness.state, changes }).toEqual({ state: "dead", changes: ["down: silent"] });
    expect(server.probes.slice(0, 3)).toEqual([0, 1_000, 2_000]);
  });

  it("WD-07 a dead server is probed less and less often, up to the longest interval", async () => {
    const { server, pass, unanswered } = watched();
    server.answers = false;
    unanswered(3);
    await pass(60_000);
    const gaps = server.probes.slice(3).map((at, index) => at - (server.probes[index + 2] as number));
    expect(gaps.slice(0, 5)).toEqual([1_000, 2_000, 4_000, 4_000, 4_000]);
  });

  it("WD-05 a dead server needs three answered probes in a row, whatever else it says", async () => {
    const { changes, server, liveness, pass, unanswered } = watched();
    server.answers = false;
    unanswered(3);
    await pass(2_100);
    expect(liveness.state).toBe("dead");
    server.answers = true;
    liveness.requestAnswered();
    await pass(2_000);
    expect(liveness.state).toBe("dead");
    server.answers = false;
    await pass(1_000);
    server.answers = true;
    await pass(12_000);
    expect({ state: liveness.state, changes: changes.length }).toEqual({ state: "alive", changes: 2 });
    const before = server.probes.length;
    await pass(20_000);
    expect(server.probes).toHaveLength(before);
  });

  it("WD-07 whoever dies again is probed as often at first as the first time", async () => {
    const { server, liveness, pass, unanswered } = watched();
    const dies = async () => {
      server.answers = false;
      unanswered(3);
      await pass(20_000);
      expect(liveness.state).toBe("dead");
    };
    await dies();
    server.answers = true;
    await pass(20_000);
    expect(liveness.state).toBe("alive");
    const begun = server.probes.length;
    await dies();
    const gaps = server.probes.slice(begun + 3).map((at, index) => at - (server.probes[begun + index + 2] as number));
    expect(gaps.slice(0, 3)).toEqual([1_000, 2_000, 4_000]);
  });

  it("WD-06 requests without an answer count for nothing once a probe has none: three probes make it dead", async () => {
    const { server, liveness, pass, unanswered } = watched();
    server.answers = false;
    unanswered(2);
    liveness.probe();
    await pass(100);
    expect(liveness.state).toBe("suspect");
  });

  it("WD-05 one unanswered probe begins the row of three anew", async () => {
    const { server, liveness, pass, unanswered } = watched();
    server.answers = false;
    unanswered(3);
    await pass(3_000);
    expect(liveness.state).toBe("dead");
    const next = async (answers: boolean) => {
      server.answers = answers;
      for (const before = server.probes.length; server.probes.length === before; ) await pass(100);
      await pass(100);
      return liveness.state;
    };
    for (const answers of [true, true, false, true, true]) expect(await next(answers)).toBe("dead");
    expect(await next(true)).toBe("alive");
  });

  it("a probe out of turn that stays unanswered raises suspicion", async () => {
    const { server, liveness, pass } = watched();
    server.answers = false;
    liveness.probe();
    await pass(100);
    expect(liveness.state).toBe("suspect");
  });

  it("stop() leaves no timer and reports nothing", async () => {
    const { clock, changes, server, liveness, pass, unanswered } = watched();
    server.answers = false;
    unanswered(3);
    await pass(1_500);
    liveness.stop();
    await pass(60_000);
    expect({ waiting: clock.waiting, changes, probes: server.probes.length }).toEqual({
      waiting: 0,
      changes: [],
      probes: 2,
    });
  });
});
