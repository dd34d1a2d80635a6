import { pino } from "pino";
import { describe, expect, it } from "vitest";
import { TurnLines } from "../../../src/log/turn-lines.ts";

function start() {
  const writes: string[] = [];
  const log = pino({ base: null, timestamp: false }, new TurnLines((lines) => writes.push(lines)));
  const messages = () => writes.map((lines) => Array.from(lines.matchAll(/"msg":"(\w+)"/g), ([, msg]) => msg));
  return { log, messages };
}
const turn = () => new Promise((resolve) => setImmediate(resolve));

describe("TurnLines", () => {
  it("writes the lines of a turn at its end, in one write", async () => {
    const { log, messages } = start();
    log.info("one");
    log.info("two");
    expect(messages()).toEqual([]);
    await turn();
    expect(messages()).toEqual([["one", "two"]]);
    log.info("three");
    await turn();
    expect(messages()).toEqual([["one", "two"], ["three"]]);
  });

  it.each(["warn", "error", "fatal"] as const)("writes %s at once, after what came before it", (level) => {
    const { log, messages } = start();
    log.info("one");
    log[level]("two");
    expect(messages()).toEqual([["one", "two"]]);
  });

  it("holds 256 lines at most", () => {
    const { log, messages } = start();
    for (let line = 0; line < 300; line += 1) log.info("line");
    expect(messages().map((lines) => lines.length)).toEqual([256]);
  });

  it("flush() writes what waits, once", async () => {
    const { log, messages } = start();
    log.info("one");
    let flushed = 0;
    log.flush(() => (flushed += 1));
    await turn();
    expect([messages(), flushed]).toEqual([[["one"]], 1]);
  });
});
