import { describe, expect, it } from "vitest";
import { z } from "zod";
import { BUILT_IN_MODULES } from "../../../../src/aaa/modules/built-in.ts";
import { readSettings } from "../../../../src/aaa/pipeline/module-settings.ts";
import { callOf } from "../../../../src/aaa/pipeline/options.ts";
import { COMPONENTS, type ModuleServices } from "../../../../src/aaa/pipeline/types.ts";
import { ModuleRig } from "../../../support/module-rig.ts";

describe("readSettings()", () => {
  const schema = z.strictObject({
    limit: z.int().default(1),
    inner: z.strictObject({ on: z.boolean(), share: z.number() }).optional(),
    name: z.string().optional(),
  });

  it("takes text that is a number or a boolean where one is wanted, and leaves other text", () => {
    const given = { limit: "12", inner: { on: "true", share: "-0.5" }, name: "7" };
    expect(readSettings(schema, given).data).toEqual({ limit: 12, inner: { on: true, share: -0.5 }, name: "7" });
    expect(given.limit).toBe("12");
    expect(readSettings(schema, undefined).data).toEqual({ limit: 1 });
  });

  it.each(["", " 1", "1e3", "0x10", "1.5", "yes"])("%j is no whole number", (limit) => {
    expect(readSettings(schema, { limit }).success).toBe(false);
  });
});

const SETTINGS: Readonly<Record<string, object>> = {
  rest: { url: "http://127.0.0.1:9", authenticate: { uri: "/" }, postauth: { uri: "/" } },
};

describe("the modules that come with the hub", () => {
  it.each([...BUILT_IN_MODULES.values()])("$name says which components it has", async (definition) => {
    let services: ModuleServices | undefined;
    const read = readSettings(definition.settings, SETTINGS[definition.name]);
    if (!read.success) throw read.error;
    const { name } = definition;
    const rig = new ModuleRig();
    const spy = {
      name: "spy",
      settings: z.strictObject({}),
      instantiate: (_: unknown, given: ModuleServices) => {
        services = given;
        return { authorize: () => "noop" as const };
      },
    };
    await rig.use([spy], { authorize: [callOf("spy")] });
    const instance = await definition.instantiate(read.data, { ...services, instance: name } as ModuleServices);
    const has = COMPONENTS.filter((component) => instance[component] !== undefined);
    expect(new Set(definition.components?.(read.data))).toEqual(new Set(has));
    await instance.detach?.();
    await rig.pipeline.stop();
  });
});
