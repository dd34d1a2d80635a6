import { describe, expect, it } from "vitest";
import { WATCHDOG_JITTER_MS, WATCHDOG_PERIOD_MS, Watchdog } from "../../../src/transport/watchdog.ts";
import { ManualClock } from "../../support/manual-clock.ts";

/** @param fraction 0.5 is no jitter */
function watch(options: { fraction?: number; onProbation?: boolean } = {}) {
  const clock = new ManualClock();
  const log: string[] = [];
  const note = (what: string) => () => void log.push(`${what} ${clock.now()}`);
  const random = { bytes: () => Buffer.alloc(0), fraction: () => options.fraction ?? 0.5 };
  const watchdog = new Watchdog(
    { clock, random },
    {
      periodMs: WATCHDOG_PERIOD_MS,
      jitterMs: WATCHDOG_JITTER_MS,
      onProbation: options.onProbation ?? false,
      send: note("send"),
      dead: note("dead"),
    },
  );
  const answer = () => {
    watchdog.received();
    watchdog.answered();
  };
  return { clock, log, watchdog, answer };
}

describe("Watchdog", () => {
  it("ST-17 WD-03 sends a Status-Server after 15 s of silence, and the next 15 s after its answer", () => {
    const { clock, log, watchdog, answer } = watch();
    watchdog.start(false);
    clock.advance(15_000);
    clock.advance(1_000);
    answer();
    clock.advance(14_999);
    expect(log).toEqual(["send 15000"]);
    clock.advance(1);
    expect(log).toEqual(["send 15000", "send 31000"]);
  });

  it.each([
    [0, 13_000],
    [1, 17_000],
  ])("WD-02 jitter %d puts the first one at %d ms", (fraction, atMs) => {
    const { clock, log, watchdog } = watch({ fraction });
    watchdog.start(false);
    clock.advance(20_000);
    expect(log).toEqual([`send ${atMs}`]);
  });

  it("ST-18 WD-03 a busy link never sends one: any message starts Tw again", () => {
    const { clock, log, watchdog } = watch();
    watchdog.start(false);
    for (let message = 0; message < 100; message += 1) {
      clock.advance(10_000);
      watchdog.received();
    }
    expect(log).toEqual([]);
    expect(clock.waiting).toBe(1);
  });

  it("WD-04 a dead peer is given up when Tw has expired twice after the unanswered Status-Server", () => {
    const { clock, log, watchdog } = watch();
    watchdog.start(true);
    clock.advance(29_999);
    expect(log).toEqual(["send 0"]);
    clock.advance(1);
    expect(log).toEqual(["send 0", "dead 30000"]);
    expect(clock.waiting).toBe(0);
  });

  it("WD-03 while one is unanswered no second one leaves, though other messages keep the link alive", () => {
    const { clock, log, watchdog } = watch();
    watchdog.start(true);
    for (let turn = 0; turn < 20; turn += 1) {
      clock.advance(16_000);
      watchdog.received();
    }
    expect(log).toEqual(["send 0"]);
  });

  it("WD-05 after a watchdog failure three answers end the probation", () => {
    const { watchdog, answer } = watch({ onProbation: true });
    watchdog.start(true);
    const seen = [watchdog.onProbation];
    for (let turn = 0; turn < 3; turn += 1) {
      answer();
      seen.push(watchdog.onProbation);
    }
    expect(seen).toEqual([true, true, true, false]);
  });

  it("stop() leaves no timer", () => {
    const { clock, log, watchdog } = watch();
    watchdog.start(false);
    watchdog.stop();
    clock.advance(60_000);
    expect({ log, waiting: clock.waiting }).toEqual({ log: [], waiting: 0 });
  });
});
