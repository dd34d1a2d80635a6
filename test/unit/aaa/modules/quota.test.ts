import { describe, expect, it } from "vitest";
import { callOf } from "../../../../src/aaa/pipeline/options.ts";
import { HubError } from "../../../../src/errors.ts";
import { textAttribute } from "../../../../src/radius/attribute.ts";
import { CODE } from "../../../../src/radius/codes.ts";
import { moduleOf, ModuleRig } from "../../../support/module-rig.ts";

const USER = textAttribute(1, "nemo");

async function rigWith(standingsOn: () => Promise<never[]>, userKnown: boolean): Promise<ModuleRig> {
  const rig = new ModuleRig({ quota: { hasRules: true, standingsOn, throttle: () => [] } });
  const first = moduleOf("first", {
    authorize({ control }) {
      control.authType = "Accept";
      control.userKnown = userKnown;
      return "updated";
    },
  });
  await rig.use([first], { authorize: [callOf("first"), callOf("quota")] });
  return rig;
}

describe("quota at authorize", () => {
  it("does not answer while the store is down, so that the router asks another server, and is no fault of the module", async () => {
    const rig = await rigWith(() => Promise.reject(new HubError("ERR_STORE", "down")), false);
    expect(await rig.ask([USER])).toEqual({ kind: "discard", reason: "handled" });
    expect(rig.faults()).toEqual([]);
  });

  it("is looked up also for a name that nobody has: the time of the answer does not tell who is known", async () => {
    let asked = 0;
    const rig = await rigWith(() => ((asked += 1), Promise.resolve([])), true);
    expect(await rig.ask([USER])).toMatchObject({ code: CODE.accessAccept });
    expect(asked).toBe(1);
  });

  it("takes a fault that is no trouble of the store for one", async () => {
    const rig = await rigWith(() => Promise.reject(new Error("a fault of ours")), false);
    expect(await rig.ask([USER])).toMatchObject({ code: CODE.accessReject });
    expect(rig.faults()).toMatchObject([{ fault: "threw", modules: ["quota.authorize"] }]);
  });
});
