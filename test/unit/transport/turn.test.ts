import { once } from "node:events";
import { describe, expect, it, onTestFinished } from "vitest";
import { TurnBatch, whenArrived, whenLeaving } from "../../../src/transport/turn.ts";

const turn = () => new Promise((resolve) => setImmediate(resolve));

function start() {
  const told: string[] = [];
  const arrived = new TurnBatch<string>(whenArrived, (item) => {
    told.push(item);
    if (item.startsWith("ask")) void Promise.resolve().then(() => leaving.add(`answer to ${item}`));
  });
  const leaving = new TurnBatch<string>(whenLeaving, (item) => told.push(item));
  return { told, arrived, leaving };
}

describe("TurnBatch", () => {
  it("takes in one turn what has arrived, and after that what it makes leave", async () => {
    const { told, arrived, leaving } = start();
    leaving.add("left before");
    for (const item of ["ask 1", "ask 2", "tell 3"]) arrived.add(item);
    expect(told).toEqual([]);
    await turn();
    expect(told).toEqual(["ask 1", "ask 2", "tell 3", "left before", "answer to ask 1", "answer to ask 2"]);
    arrived.add("tell 4");
    await turn();
    expect(told.at(-1)).toBe("tell 4");
  });

  it("takes in the next turn what arrives while the rest leaves, or between the two", async () => {
    const { told, arrived, leaving } = start();
    const echo = new TurnBatch<string>(whenLeaving, (item) => arrived.add(item));
    leaving.add("left");
    echo.add("came late");
    await turn();
    expect(told).toEqual(["left"]);
    await turn();
    expect(told).toEqual(["left", "came late"]);
    const late = new TurnBatch<string>(whenArrived, (item) => process.nextTick(() => arrived.add(item)));
    late.add("between");
    await turn();
    await turn();
    expect(told.at(-1)).toBe("between");
  });

  it("takes at once what comes beyond the bound of one batch", async () => {
    const { told, arrived } = start();
    for (let count = 1; count < 64; count += 1) arrived.add("x");
    expect(told).toHaveLength(0);
    arrived.add("x");
    expect(told).toHaveLength(64);
    await turn();
  });

  it("works at once on all that has arrived where it came from more links than the bound", () => {
    const batches = Array.from({ length: 64 }, start);
    for (const { arrived } of batches.slice(1)) arrived.add("x");
    expect(batches.flatMap(({ told }) => told)).toHaveLength(0);
    batches[0]?.arrived.add("x");
    expect(batches.flatMap(({ told }) => told)).toHaveLength(64);
  });

  it("keeps back nothing because of an item that throws, and the process hears of it", async () => {
    const told: number[] = [];
    const batch = new TurnBatch<number>(whenArrived, (item) => {
      if (item === 1) throw new Error("of the first");
      told.push(item);
    });
    const listeners = process.listeners("uncaughtException");
    process.removeAllListeners("uncaughtException");
    onTestFinished(() => listeners.forEach((listener) => process.on("uncaughtException", listener)));
    const uncaught = once(process, "uncaughtException");
    batch.add(1);
    batch.add(2);
    expect(await uncaught).toMatchObject([{ message: "of the first" }, "uncaughtException"]);
    expect(told).toEqual([2]);
  });
});
