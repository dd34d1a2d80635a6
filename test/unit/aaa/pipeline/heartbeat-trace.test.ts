import { describe, expect, it } from "vitest";
import { callOf } from "../../../../src/aaa/pipeline/options.ts";
import type { ModuleServices } from "../../../../src/aaa/pipeline/types.ts";
import { textAttribute } from "../../../../src/radius/attribute.ts";
import { CODE } from "../../../../src/radius/codes.ts";
import { contextOf, moduleOf, ModuleRig } from "../../../support/module-rig.ts";

const LOGIN = [textAttribute(1, "nemo")];

/** Everything that looks at a login behind its password, and what it asks the store.
 *  @param proxyTo the pool that lets in, instead of the hub */
async function watched(proxyTo?: string) {
  const asked: string[] = [];
  const store = {
    acctSessions: { find: () => (asked.push("acct sessions"), Promise.resolve({ items: [], next: undefined })) },
  } as unknown as NonNullable<ModuleServices["store"]>;
  const standingsOn = () => (asked.push("quota"), Promise.resolve([]));
  const rig = new ModuleRig({ store, quota: { hasRules: true, standingsOn, throttle: () => [] } });
  const first = moduleOf("first", {
    authorize({ control }) {
      control.authType = proxyTo === undefined ? "Accept" : undefined;
      control.proxyTo = proxyTo;
      control.simultaneousUse = 1;
      return "updated";
    },
    preproxy({ onward }) {
      onward.set("Called-Station-Id", "changed on the way");
      return "updated";
    },
  });
  await rig.use([first], {
    authorize: [callOf("first"), callOf("quota")],
    checksimul: [callOf("checksimul")],
    preproxy: [callOf("first")],
    postauth: [callOf("quota")],
  });
  const marks: boolean[] = [];
  rig.upstream = ({ heartbeat }) => {
    marks.push(heartbeat === true);
    return Promise.resolve({ kind: "reply", code: CODE.accessAccept, attributes: [] });
  };
  const ask = (heartbeat: boolean) =>
    rig.pipeline.answer({ ...contextOf(LOGIN), ...(heartbeat && { heartbeat: true as const }) });
  return { asked, marks, ask };
}

describe("the hub's own heartbeat", () => {
  it.each([
    { by: "the hub", pool: undefined },
    { by: "an upstream", pool: "home" },
  ])("let in by $by is no login: it takes no acct session of anybody and asks for nobody's quota", async ({ pool }) => {
    const { asked, ask } = await watched(pool);
    for (let beat = 0; beat < 3; beat += 1) expect(await ask(true)).toMatchObject({ code: CODE.accessAccept });
    expect(asked).toEqual([]);
    // The one acct session that the plan allows is free, and the same modules look at a router's login.
    expect(await ask(false)).toMatchObject({ code: CODE.accessAccept });
    expect(asked.toSorted()).toEqual(["acct sessions", "quota"]);
  });

  it("is still marked as such where preproxy has changed what is passed on", async () => {
    const { marks, ask } = await watched("home");
    await ask(true);
    await ask(false);
    expect(marks).toEqual([true, false]);
  });
});
