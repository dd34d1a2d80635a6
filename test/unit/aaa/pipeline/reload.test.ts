import { describe, expect, it } from "vitest";
import { z } from "zod";
import { callOf } from "../../../../src/aaa/pipeline/options.ts";
import type { ModuleDefinition, ModuleServices } from "../../../../src/aaa/pipeline/types.ts";
import { textAttribute } from "../../../../src/radius/attribute.ts";
import { CODE } from "../../../../src/radius/codes.ts";
import { moduleOf, ModuleRig } from "../../../support/module-rig.ts";

const settled = () => new Promise((resolve) => setImmediate(resolve));

/** A module whose life is written down, and whose packets wait until they are let go. */
function watched(name: string, life: string[], holds = false): ModuleDefinition & { release(): void } {
  const waiting: (() => void)[] = [];
  return {
    name,
    settings: z.strictObject({ says: z.string().default("hello") }),
    init: () => void life.push(`${name} init`),
    instantiate(settings, { instance }) {
      const { says } = settings as { says: string };
      life.push(`${instance} made`);
      return {
        async authorize({ control, reply }) {
          control.authType = "Accept";
          if (holds) await new Promise<void>((resolve) => waiting.push(resolve));
          reply.add("Reply-Message", says);
          return "updated" as const;
        },
        detach: () => void life.push(`${instance} detached`),
      };
    },
    destroy: () => void life.push(`${name} destroyed`),
    release: () => waiting.splice(0).forEach((resolve) => resolve()),
  };
}

const says = (text: string) => ({
  kind: "reply",
  code: CODE.accessAccept,
  attributes: [textAttribute(18, text)],
});
const instance = (name: string, text: string, module = "greet") => ({ name, module, settings: { says: text } });

describe("a reload", () => {
  it("builds the new set, lets packets in flight finish on the old one, and detaches that when the last has ended", async () => {
    const rig = new ModuleRig();
    const life: string[] = [];
    const greet = watched("greet", life, true);
    await rig.use([greet], { authorize: [callOf("old")] }, { instances: [instance("old", "old")] });
    const [first, second] = [rig.ask(), rig.ask()];
    await settled();
    await rig.use([greet], { authorize: [callOf("new")] }, { instances: [instance("new", "new")] });
    const third = rig.ask();
    await settled();
    expect(life).toEqual(["greet init", "old made", "new made"]);
    greet.release();
    expect(await Promise.all([first, second, third])).toEqual([says("old"), says("old"), says("new")]);
    await settled();
    expect(life).toEqual(["greet init", "old made", "new made", "old detached"]);
    await rig.pipeline.stop();
    expect(life.slice(4)).toEqual(["new detached", "greet destroyed"]);
  });

  it("that can not be built keeps the old set, takes down what was made, and names the key", async () => {
    const rig = new ModuleRig();
    const life: string[] = [];
    const greet = watched("greet", life);
    const broken = moduleOf(
      "broken",
      {},
      {
        instantiate: () => {
          throw new Error("the file is not there");
        },
      },
    );
    await rig.use([greet], { authorize: [callOf("one")] }, { instances: [instance("one", "one")] });
    const instances = [instance("two", "two"), { name: "broken", module: "broken", settings: {} }];
    await expect(rig.use([greet, broken], { authorize: [callOf("two")] }, { instances })).rejects.toMatchObject({
      code: "ERR_CONFIG",
      message: "instance broken could not be made: the file is not there",
      details: { path: ["modules", "instances", 1] },
    });
    expect(life).toEqual(["greet init", "one made", "two made", "two detached"]);
    expect(await rig.ask()).toEqual(says("one"));
  });

  it.each([{ what: "a section that asks for a component that the module has not", key: "postauth", index: 0 }])(
    "names $what",
    async ({ key, index }) => {
      const rig = new ModuleRig();
      const greet = watched("greet", []);
      await expect(rig.use([greet], { [key]: [callOf("greet")] })).rejects.toMatchObject({
        message: "module greet has no component postauth",
        details: { path: ["modules", "sections", key, index] },
      });
    },
  );

  it("that is dropped after all detaches what it made", async () => {
    const rig = new ModuleRig();
    const life: string[] = [];
    const greet = watched("greet", life);
    const prepared = await rig.prepare([greet], { authorize: [callOf("greet")] });
    prepared.drop();
    await rig.pipeline.stop();
    expect(life).toEqual(["greet init", "greet made", "greet detached", "greet destroyed"]);
  });

  it("with nothing new keeps the set as it is", async () => {
    const rig = new ModuleRig();
    const life: string[] = [];
    const greet = watched("greet", life);
    await rig.use([greet], { authorize: [callOf("greet")] });
    await rig.use([greet], { authorize: [callOf("greet")] });
    expect(life).toEqual(["greet init", "greet made"]);
  });

  it("inits a module once for all its instances, and again only after it was destroyed", async () => {
    const rig = new ModuleRig();
    const life: string[] = [];
    const greet = watched("greet", life);
    const instances = [instance("one", "1"), instance("two", "2")];
    await rig.use([greet], { authorize: [callOf("one"), callOf("two")] }, { instances });
    expect(life).toEqual(["greet init", "one made", "two made"]);
    await rig.use([], {});
    await settled();
    expect(life.slice(3)).toEqual(["two detached", "one detached", "greet destroyed"]);
    await rig.use([greet], { authorize: [callOf("one")] }, { instances: instances.slice(0, 1) });
    expect(life.slice(6)).toEqual(["greet init", "one made"]);
  });

  it("a module whose init fails is named, and its destroy is not called", async () => {
    const rig = new ModuleRig();
    const life: string[] = [];
    const greet = { ...watched("greet", life), init: () => Promise.reject(new Error("no licence")) };
    await expect(rig.use([greet], { authorize: [callOf("greet")] })).rejects.toThrow(
      "module greet could not begin: no licence",
    );
    expect(life).toEqual([]);
  });

  it("a module that throws while it is taken down keeps none of the others from it", async () => {
    const rig = new ModuleRig();
    const life: string[] = [];
    const greet = watched("greet", life);
    const odd = moduleOf("odd", {
      authorize: () => "noop",
      detach() {
        throw new Error("stuck");
      },
    });
    await rig.use([odd, greet], { authorize: [callOf("greet"), callOf("odd")] });
    await rig.pipeline.stop();
    expect(life.slice(-2)).toEqual(["greet detached", "greet destroyed"]);
    expect(rig.errors).toHaveLength(1);
  });

  it("a module is destroyed completely before it begins anew", async () => {
    const rig = new ModuleRig();
    const life: string[] = [];
    const destroyed = Promise.withResolvers<void>();
    const greet = {
      ...watched("greet", life),
      async destroy() {
        life.push("greet goes");
        await destroyed.promise;
        life.push("greet destroyed");
      },
    };
    await rig.use([greet], { authorize: [callOf("greet")] });
    await rig.use([], {});
    await settled();
    expect(life.at(-1)).toBe("greet goes");
    const again = rig.use([greet], { authorize: [callOf("greet")] });
    await settled();
    expect(life.at(-1)).toBe("greet goes");
    destroyed.resolve();
    await again;
    expect(life.slice(-3)).toEqual(["greet destroyed", "greet init", "greet made"]);
  });

  it.each(["init", "instantiate"] as const)(
    "gives up a module whose %s does not end, and keeps the old set",
    async (step) => {
      const rig = new ModuleRig();
      const greet = watched("greet", []);
      await rig.use([greet], { authorize: [callOf("greet")] });
      const life: string[] = [];
      const come = Promise.withResolvers<void>();
      const slow = watched("slow", life);
      const stuck = {
        ...slow,
        async [step](settings: unknown, services: ModuleServices) {
          await come.promise;
          return step === "init" ? undefined : slow.instantiate(settings, services);
        },
      } as ModuleDefinition;
      const reloaded = rig.use([stuck], { authorize: [callOf("slow")] });
      await settled();
      rig.clock.advance(30_000);
      await expect(reloaded).rejects.toThrow(`${step} took longer than 30 seconds`);
      expect(await rig.ask()).toEqual(says("hello"));
      come.resolve();
      await settled();
      // An instance that comes after all is taken down again.
      expect(life.slice(-2)).toEqual(step === "init" ? [] : ["slow made", "slow detached"]);
    },
  );

  it("one that does not end while it is taken down keeps none of the others from it", async () => {
    const rig = new ModuleRig();
    const life: string[] = [];
    const stuck = moduleOf("stuck", { authorize: () => "noop", detach: () => new Promise(() => undefined) });
    await rig.use([watched("greet", life), stuck], { authorize: [callOf("greet"), callOf("stuck")] });
    const stopped = rig.pipeline.stop();
    await settled();
    rig.clock.advance(30_000);
    await stopped;
    expect(life.slice(-2)).toEqual(["greet detached", "greet destroyed"]);
    expect(rig.errors).toHaveLength(1);
  });

  it("answers nothing after stop()", async () => {
    const rig = new ModuleRig();
    await rig.use([watched("greet", [])], { authorize: [callOf("greet")] });
    await rig.pipeline.stop();
    expect(await rig.ask()).toEqual({ kind: "discard", reason: "stopping" });
  });
});
