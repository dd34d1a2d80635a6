import { inspect } from "node:util";
import { describe, expect, it } from "vitest";
import { AnswerMemory, type MemoryOptions, type Verdict } from "../../../../../src/aaa/modules/rest/memory.ts";
import { PipelineRequest } from "../../../../../src/aaa/pipeline/request.ts";
import { systemRandom } from "../../../../../src/clock.ts";
import { type Attribute, textAttribute } from "../../../../../src/radius/attribute.ts";
import { ManualClock } from "../../../../support/manual-clock.ts";
import { contextOf, DICTIONARY, login } from "../../../../support/module-rig.ts";

const OPTIONS: MemoryOptions = { ttlMs: 30_000, rejectTtlMs: 5_000, lastKnownMs: 60_000, entriesMax: 3 };
const YES: Verdict = { code: "updated", effects: [] };
const NO: Verdict = { code: "reject", effects: [] };

function rig(changes: Partial<MemoryOptions> = {}) {
  const clock = new ManualClock();
  const memory = new AnswerMemory(clock, systemRandom, { ...OPTIONS, ...changes });
  const keyOf = (question: readonly string[], attributes: readonly Attribute[]) =>
    memory.keyOf(question, new PipelineRequest(contextOf(attributes), DICTIONARY));
  return { clock, memory, keyOf };
}

describe("AnswerMemory", () => {
  it("lets an answer hold for its time: one that lets in, and one that turns away", () => {
    const { clock, memory } = rig();
    memory.put("yes", YES);
    memory.put("no", NO);
    clock.advance(4_999);
    expect([memory.fresh("yes"), memory.fresh("no")]).toEqual([YES, NO]);
    clock.advance(1);
    expect([memory.fresh("yes"), memory.fresh("no"), memory.last("no")]).toEqual([YES, undefined, NO]);
    clock.advance(25_000);
    expect([memory.fresh("yes"), memory.last("yes")]).toEqual([undefined, YES]);
    clock.advance(30_000);
    expect(memory.last("yes")).toBeUndefined();
  });

  it("keeps what was said last, and nothing that is no verdict", () => {
    const { memory } = rig();
    memory.put("key", YES);
    memory.put("key", NO);
    expect(memory.last("key")).toBe(NO);
    for (const code of ["invalid", "fail", "noop", "handled"] as const) memory.put("other", { code, effects: [] });
    expect([memory.last("other"), memory.size]).toEqual([undefined, 1]);
  });

  it("forgets the one not asked for longest at its bound, of large answers sooner", () => {
    const { memory } = rig();
    for (const key of ["a", "b", "c"]) memory.put(key, YES);
    memory.fresh("a");
    memory.put("d", YES);
    expect(["a", "b", "c", "d"].map((key) => memory.last(key))).toEqual([YES, undefined, YES, YES]);
    const value = Buffer.alloc(250);
    const attributes = Array.from({ length: 8 }, () => ({ type: 18, value }));
    memory.put("large", { code: "updated", effects: [{ kind: "reply", op: "+=", name: "Reply-Message", attributes }] });
    expect([memory.size, memory.last("large")]).toEqual([1, expect.anything()]);
  });

  it("is not used where nothing is to be remembered", () => {
    expect(rig().memory.isUsed).toBe(true);
    expect(rig({ ttlMs: 0, rejectTtlMs: 0, lastKnownMs: 0 }).memory.isUsed).toBe(false);
  });

  it("tells users, questions and passwords apart, also where the question has no password in it", () => {
    const { keyOf } = rig();
    const bob = keyOf(["bob"], login("bob", "secret"));
    expect(keyOf(["bob"], login("bob", "secret"))).toBe(bob);
    const others = [
      keyOf(["bob"], login("bob", "Secret")),
      keyOf(["bob"], [textAttribute(1, "bob")]),
      keyOf(["bo", "b"], login("bob", "secret")),
      keyOf(["carol"], login("bob", "secret")),
      keyOf(["bob"], [...login("bob", "secret"), { type: 3, value: Buffer.alloc(17) }]),
      keyOf(["bob"], [...login("bob", "secret"), { type: 79, value: Buffer.alloc(4) }]),
      keyOf(["bob"], [...login("bob", "secret"), { type: 26, value: Buffer.from("00000137190600000000", "hex") }]),
    ];
    expect(new Set([bob, ...others]).size).toBe(others.length + 1);
  });

  it("has no password in it, and another process finds nothing by its keys", () => {
    const { memory, keyOf } = rig();
    const key = keyOf(["bob", "a-very-secret-word"], login("bob", "a-very-secret-word"));
    memory.put(key, YES);
    expect(inspect(memory, { depth: 9, showHidden: true }) + key).not.toMatch(/a-very-secret-word/);
    expect(rig().keyOf(["bob", "a-very-secret-word"], login("bob", "a-very-secret-word"))).not.toBe(key);
  });
});
