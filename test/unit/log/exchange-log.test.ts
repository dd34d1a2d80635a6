import { pino } from "pino";
import { describe, expect, it } from "vitest";
import type { ExchangeEnded } from "../../../src/events.ts";
import { EventLog } from "../../../src/log.ts";
import { ManualClock } from "../../support/manual-clock.ts";

interface Line {
  readonly level: number;
  readonly msg: string;
  readonly suppressed?: number;
}
const INFO = 30;
const WARN = 40;

function start(level = "info") {
  const clock = new ManualClock();
  const lines: Line[] = [];
  const log = new EventLog(pino({ level }, { write: (line: string) => void lines.push(JSON.parse(line)) }), clock);
  const end = (changes: Partial<ExchangeEnded> = {}): void => {
    log.write({
      type: "exchange.ended",
      atMs: 0,
      exchangeId: "hub-1",
      code: 40,
      trigger: "udp",
      requestId: undefined,
      outcome: "ack",
      replyCode: 41,
      errorCause: undefined,
      linkId: "hub-1",
      nas: "edge-1",
      attempts: 1,
      durationMs: 3.21,
      ...changes,
    });
  };
  const begin = (): void =>
    log.exchangeBegun("hub-1", { code: 40, target: {}, attributes: [], trigger: "udp", requestId: "r-1" });
  return { clock, lines, begin, end };
}

describe("EventLog and exchanges", () => {
  it("tells at debug alone that one has begun", () => {
    const { lines, begin } = start("debug");
    begin();
    expect(lines).toMatchObject([{ event: "exchange.begun", exchangeId: "hub-1", code: 40, requestId: "r-1" }]);
    const silent = start("info");
    silent.begin();
    expect(silent.lines).toEqual([]);
  });

  it("says what went where and how it ended", () => {
    const { lines, end } = start();
    end();
    end({ outcome: "nak", errorCause: 503, replyCode: 42 });
    end({ outcome: "no-route", why: "offline", code: 43 });
    end({ outcome: "closed", why: "abandoned" });
    expect(lines.map(({ level, msg }) => [level, msg])).toEqual([
      [INFO, "Disconnect-Request to edge-1: ack in 3.2 ms"],
      [INFO, "Disconnect-Request to edge-1: nak 503 Session-Context-Not-Found in 3.2 ms"],
      [WARN, "CoA-Request to edge-1: no-route (offline) in 3.2 ms"],
      [INFO, "Disconnect-Request to edge-1: closed (abandoned) in 3.2 ms"],
    ]);
  });

  it("gives 1,000 of one outcome in a second a line each, and the rest one together", () => {
    const { clock, lines, end } = start();
    for (let count = 0; count < 1_500; count += 1) end();
    end({ outcome: "timeout" });
    expect(lines).toHaveLength(1_001);
    clock.advance(1_000);
    expect(lines.at(-1)).toMatchObject({ level: INFO, suppressed: 500 });
    end();
    clock.advance(1_000);
    expect(lines).toHaveLength(1_003);
  });

  it("gives every one a line at level debug", () => {
    const { lines, end } = start("debug");
    for (let count = 0; count < 1_500; count += 1) end();
    expect(lines).toHaveLength(1_500);
  });
});
