import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { callOf } from "../../../../src/aaa/pipeline/options.ts";
import { tellStrayError } from "../../../../src/aaa/pipeline/stray-errors.ts";
import type { ModuleInstance } from "../../../../src/aaa/pipeline/types.ts";
import { CODE } from "../../../../src/radius/codes.ts";
import { contextOf, moduleOf, ModuleRig } from "../../../support/module-rig.ts";

const accept = moduleOf("accept", {
  authorize({ control }) {
    control.authType = "Accept";
    return "updated";
  },
});
const SECTIONS = { authorize: [callOf("accept")], postauth: [callOf("odd")] };

/** What the process would have heard, and whether a module has taken it for its own. */
const uncaught: { readonly message: string; readonly isTold: boolean }[] = [];
let others: { uncaught: NodeJS.UncaughtExceptionListener[]; unhandled: NodeJS.UnhandledRejectionListener[] };
const listen = (error: unknown) => void uncaught.push({ message: String(error), isTold: tellStrayError(error) });

beforeEach(() => {
  uncaught.length = 0;
  others = { uncaught: process.listeners("uncaughtException"), unhandled: process.listeners("unhandledRejection") };
  process.removeAllListeners("uncaughtException").on("uncaughtException", listen);
  process.removeAllListeners("unhandledRejection");
});
afterEach(() => {
  process.removeAllListeners("uncaughtException");
  for (const each of others.uncaught) process.on("uncaughtException", each);
  for (const each of others.unhandled) process.on("unhandledRejection", each);
});

const settled = () => new Promise((resolve) => setTimeout(resolve, 5));

async function ran(instance: ModuleInstance): Promise<ModuleRig> {
  const rig = new ModuleRig();
  await rig.use([accept, moduleOf("odd", instance)], SECTIONS);
  expect(await rig.ask()).toMatchObject({ code: CODE.accessAccept });
  await settled();
  return rig;
}

describe("what a module starts and does not wait for", () => {
  it.each([
    { what: "a promise that rejects", start: () => void Promise.reject(new Error("mine")) },
    {
      what: "a function that throws after an await",
      start: () =>
        void (async () => {
          await settled();
          throw new Error("mine");
        })(),
    },
    {
      what: "a timer that throws",
      start: () =>
        void setTimeout(() => {
          throw new Error("mine");
        }),
    },
  ])("$what: is told of as the module's, whose packet was answered", async ({ start }) => {
    const rig = await ran({ postauth: () => (start(), "ok") });
    await settled();
    expect(uncaught).toEqual([{ message: "Error: mine", isTold: true }]);
    expect(rig.faults()).toMatchObject([{ fault: "threw", modules: ["odd.postauth"] }]);
    expect(rig.faults()[0]?.detail).toMatch(/^Error: mine at .*stray-errors\.test\.ts/);
  });

  it("is told of also when its instance was being made", async () => {
    const rig = new ModuleRig();
    const odd = moduleOf(
      "odd",
      {},
      { instantiate: () => (void Promise.reject(new Error("mine")), { postauth: () => "ok" }) },
    );
    await rig.use([accept, odd], SECTIONS);
    await settled();
    expect(rig.faults()).toMatchObject([{ fault: "threw", modules: ["odd.instantiate"] }]);
  });

  it("is nobody's when no module has started it", async () => {
    void Promise.reject(new Error("of the hub"));
    await settled();
    expect(uncaught).toEqual([{ message: "Error: of the hub", isTold: false }]);
  });
});

describe("what a module leaves for the time after the reply", () => {
  it.each([
    {
      how: "throws",
      action: () => {
        throw new Error("mine");
      },
    },
    { how: "rejects", action: async () => Promise.reject(new Error("mine")) },
  ])("$how: is told of and disturbs nobody", async ({ action }) => {
    const rig = new ModuleRig();
    const ended: string[] = [];
    const odd = moduleOf("odd", {
      postauth(request) {
        request.afterReply(action as () => void);
        request.afterReply(() => void ended.push("the next"));
        return "ok";
      },
    });
    await rig.use([accept, odd], SECTIONS);
    const context = contextOf([]);
    await rig.pipeline.answer(context);
    for (const each of context.after) each();
    await settled();
    expect(ended).toEqual(["the next"]);
    expect(uncaught).toEqual([]);
    expect(rig.faults()).toMatchObject([{ fault: "threw", modules: ["odd.postauth"] }]);
  });
});
