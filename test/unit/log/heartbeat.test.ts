import { pino } from "pino";
import { expect, it } from "vitest";
import { EventLog } from "../../../src/log.ts";
import { ManualClock } from "../../support/manual-clock.ts";

it("EventLog has one line for a heartbeat that fails and one for its recovery", () => {
  const lines: { level: number; msg: string }[] = [];
  const log = new EventLog(
    pino({}, { write: (line: string) => void lines.push(JSON.parse(line) as { level: number; msg: string }) }),
    new ManualClock(),
  );
  log.write({ type: "heartbeat.failed", atMs: 0, detail: "no answer within 10 s" });
  log.write({ type: "heartbeat.recovered", atMs: 0, detail: "answered" });
  expect(lines.map(({ level, msg }) => [level, msg])).toEqual([
    [50, "the hub does not answer its own Access-Request: no answer within 10 s"],
    [30, "the hub answers its own Access-Request again"],
  ]);
});
