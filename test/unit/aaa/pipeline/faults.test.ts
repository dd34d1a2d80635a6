import { describe, expect, it } from "vitest";
import { callOf } from "../../../../src/aaa/pipeline/options.ts";
import type { AaaRequest, ReturnCode } from "../../../../src/aaa/pipeline/types.ts";
import { CODE } from "../../../../src/radius/codes.ts";
import type { Reply } from "../../../../src/transport/link.ts";
import { moduleOf, ModuleRig } from "../../../support/module-rig.ts";

const accept = moduleOf("accept", {
  authorize({ control }) {
    control.authType = "Accept";
    return "updated";
  },
});
const SECTIONS = { authorize: [callOf("accept")], postauth: [callOf("odd")] };
const REJECTED: Reply = { kind: "reply", code: CODE.accessReject, attributes: [] };

/** Everything that has been promised so far has happened, and the turn of the event loop has ended. */
const settled = async () => {
  for (let turn = 0; turn < 2; turn += 1) await new Promise((resolve) => setImmediate(resolve));
};

describe("a module that does what it must not", () => {
  it.each([
    {
      how: "throws",
      postauth: () => {
        throw new Error("a fault of mine");
      },
    },
    { how: "rejects", postauth: () => Promise.reject(new Error("a fault of mine")) },
  ])("$how: fails its own packet and is named, with the message and the place", async ({ postauth }) => {
    const rig = new ModuleRig();
    await rig.use([accept, moduleOf("odd", { postauth })], SECTIONS);
    expect(await rig.ask()).toEqual(REJECTED);
    const [fault, ...more] = rig.faults();
    expect(more).toEqual([]);
    expect(fault).toMatchObject({ fault: "threw", modules: ["odd.postauth"] });
    expect(fault?.detail).toMatch(/^Error: a fault of mine at .*faults\.test\.ts/);
  });

  it("fails no other packet", async () => {
    const rig = new ModuleRig();
    let calls = 0;
    const odd = moduleOf("odd", {
      postauth() {
        if ((calls += 1) === 2) throw new Error("once");
        return "ok";
      },
    });
    await rig.use([accept, odd], SECTIONS);
    const replies = await Promise.all([rig.ask(), rig.ask(), rig.ask()]);
    expect(replies.map((reply) => reply.kind === "reply" && reply.code)).toEqual([2, 3, 2]);
  });

  it.each(["yes", undefined, 3, null])("answers %s: fails", async (code) => {
    const rig = new ModuleRig();
    await rig.use([accept, moduleOf("odd", { postauth: () => code as ReturnCode })], SECTIONS);
    expect(await rig.ask()).toEqual(REJECTED);
    expect(rig.faults()).toMatchObject([{ fault: "bad-code", modules: ["odd.postauth"] }]);
  });
});

describe("a module that does not answer in time", () => {
  it("fails its packet at the time limit, and its signal has fired by then", async () => {
    const rig = new ModuleRig();
    const signals: AbortSignal[] = [];
    const odd = moduleOf("odd", {
      postauth: ({ signal }) => (signals.push(signal), new Promise<never>(() => undefined)),
    });
    await rig.use([accept, odd], SECTIONS);
    const reply = rig.ask();
    await settled();
    rig.clock.advance(999);
    expect(signals.map(({ aborted }) => aborted)).toEqual([false]);
    rig.clock.advance(1);
    expect(await reply).toEqual(REJECTED);
    expect(signals.map(({ aborted }) => aborted)).toEqual([true]);
    expect(rig.faults()).toMatchObject([{ fault: "timed-out", modules: ["odd.postauth"] }]);
  });

  it("finds its signal fired also when it asks for it later", async () => {
    const rig = new ModuleRig();
    const seen: AaaRequest[] = [];
    const odd = moduleOf("odd", { postauth: (request) => (seen.push(request), new Promise<never>(() => undefined)) });
    await rig.use([accept, odd], SECTIONS);
    const reply = rig.ask();
    await settled();
    rig.clock.advance(1_000);
    await reply;
    expect(seen[0]?.signal.aborted).toBe(true);
  });

  it("changes nothing any more once it was given up", async () => {
    const rig = new ModuleRig();
    let wake: () => void = () => undefined;
    const odd = moduleOf("odd", {
      async postauth({ reply, control }) {
        await new Promise<void>((resolve) => {
          wake = resolve;
        });
        reply.add("Reply-Message", "too late");
        control.rejectReason = "too late";
        return "ok" as const;
      },
    });
    const last = moduleOf("last", {
      async postauth({ reply, control }) {
        wake();
        await settled();
        expect(control.rejectReason).toBeUndefined();
        reply.add("Class", "0x01");
        return "ok" as const;
      },
    });
    const sections = {
      authorize: [callOf("accept")],
      postauth: [{ ...callOf("odd"), on: { fail: 1 } }, callOf("last")],
    };
    await rig.use([accept, odd, last], sections);
    const reply = rig.ask();
    await settled();
    rig.clock.advance(1_000);
    expect(await reply).toMatchObject({ code: CODE.accessAccept, attributes: [{ type: 25 }] });
  });

  it("is told when nobody can receive the reply any more", async () => {
    const rig = new ModuleRig();
    const { contextOf } = await import("../../../support/module-rig.ts");
    const context = contextOf([]);
    const signals: AbortSignal[] = [];
    const odd = moduleOf("odd", { postauth: ({ signal }) => (signals.push(signal), "ok") });
    await rig.use([accept, odd], SECTIONS);
    await rig.pipeline.answer(context);
    context.controller.abort();
    expect(signals[0]?.aborted).toBe(true);
  });
});

describe("a module that holds the event loop", () => {
  it("before its first await: is named, with how long", async () => {
    const rig = new ModuleRig();
    const odd = moduleOf("odd", { postauth: () => (rig.clock.advance(250), "ok") });
    await rig.use([accept, odd], SECTIONS);
    await rig.ask();
    expect(rig.faults()).toMatchObject([{ fault: "blocked", modules: ["odd.postauth"], tookMs: 250 }]);
  });

  it("is not named below the limit", async () => {
    const rig = new ModuleRig();
    await rig.use([accept, moduleOf("odd", { postauth: () => (rig.clock.advance(99), "ok") })], SECTIONS);
    await rig.ask();
    expect(rig.faults()).toEqual([]);
  });

  it("after an await, in the same turn: is named", async () => {
    const rig = new ModuleRig();
    const odd = moduleOf("odd", {
      async postauth() {
        await Promise.resolve();
        rig.clock.stall(300);
        return "ok" as const;
      },
    });
    await rig.use([accept, odd], SECTIONS);
    await rig.ask();
    await settled();
    expect(rig.faults()).toMatchObject([{ fault: "blocked", modules: ["odd.postauth"], tookMs: 300 }]);
  });

  it("after an await: the calls that were under way are named", async () => {
    const rig = new ModuleRig();
    let wake: () => void = () => undefined;
    const odd = moduleOf("odd", {
      postauth: () =>
        new Promise<ReturnCode>((resolve) => {
          wake = () => resolve("ok");
        }),
    });
    await rig.use([accept, odd], SECTIONS);
    const reply = rig.ask();
    await settled();
    // The loop stands still for 400 ms: the look that was due after 100 comes so late.
    rig.clock.stall(400);
    wake();
    await reply;
    const [fault] = rig.faults();
    expect(fault).toMatchObject({ fault: "blocked", modules: ["odd.postauth"], tookMs: 300 });
  });
});
