import { describe, expect, it } from "vitest";
import { Patience } from "../../../../../src/aaa/modules/rest/patience.ts";
import { Turns } from "../../../../../src/aaa/modules/rest/turns.ts";

const waiting = () => new Patience();

describe("Turns", () => {
  it("gives so many at once, lets so many wait in order, and refuses the rest", async () => {
    const turns = new Turns(1, 2);
    const began: string[] = [];
    const take = async (name: string) => {
      const how = await turns.take(waiting());
      began.push(`${name} ${how}`);
    };
    const all = ["a", "b", "c", "d"].map(take);
    await all[0];
    await all[3];
    expect([began, turns.running, turns.waiting]).toEqual([["a now", "d full"], 1, 2]);
    turns.done();
    await all[1];
    turns.done();
    await all[2];
    expect([began.slice(2), turns.running, turns.waiting]).toEqual([["b later", "c later"], 1, 0]);
    turns.done();
    expect(turns.running).toBe(0);
  });

  it("lets go who waits no longer, and gives the turn to the next", async () => {
    const turns = new Turns(1, 2);
    await turns.take(waiting());
    const leaving = waiting();
    const gone = turns.take(leaving);
    const next = turns.take(waiting());
    leaving.end("timeout");
    expect(await gone).toBe("gone");
    turns.done();
    expect([await next, turns.running, turns.waiting]).toEqual(["later", 1, 0]);
    const over = waiting();
    over.end("gone");
    expect(turns.take(over)).toBe("gone");
  });
});
