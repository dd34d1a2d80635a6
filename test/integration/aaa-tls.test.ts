import { describe, expect, it } from "vitest";
import { BUILT_IN_MODULES } from "../../src/aaa/modules/built-in.ts";
import type { ModuleDefinition } from "../../src/aaa/pipeline/types.ts";
import { type Attribute, ATTRIBUTE, firstValue, textAttribute } from "../../src/radius/attribute.ts";
import { encodeRequest, RADSEC_SECRET } from "../../src/radius/authenticator.ts";
import { CODE } from "../../src/radius/codes.ts";
import { hideUserPassword } from "../../src/radius/hidden.ts";
import { AaaHub, withPassword } from "../support/aaa-hub.ts";
import { RawNas } from "../support/raw-nas.ts";

const AUTHENTICATOR = Buffer.alloc(16, 9);
const NAS = textAttribute(32, "nas-07");
const USER = textAttribute(1, "nemo");

async function router(hub: AaaHub): Promise<RawNas> {
  const nas = await RawNas.dial(hub.running.radsecPort, await hub.running.credentials("nas-07"));
  await nas.register("nas-07");
  return nas;
}

function pap(password: string): Attribute {
  return { type: 2, value: hideUserPassword(Buffer.from(password), RADSEC_SECRET, AUTHENTICATOR) };
}

async function ask(nas: RawNas, identifier: number, code: number, attributes: readonly Attribute[]) {
  const index = nas.received.length;
  nas.send(encodeRequest(code, identifier, attributes, AUTHENTICATOR, RADSEC_SECRET));
  const reply = await nas.packet(index);
  return { code: reply.code, message: firstValue(reply.attributes, ATTRIBUTE.replyMessage)?.toString() };
}

describe("users of the store over RadSec", () => {
  it("PAP: lets in who knows the password, and nobody else", async () => {
    const hub = await AaaHub.start({ users: [withPassword("nemo", "20000 leagues")] });
    const nas = await router(hub);
    expect(await ask(nas, 1, CODE.accessRequest, [NAS, USER, pap("20000 leagues")])).toMatchObject({
      code: CODE.accessAccept,
    });
    expect(await ask(nas, 2, CODE.accessRequest, [NAS, USER, pap("wrong")])).toMatchObject({ code: CODE.accessReject });
  });

  it("a reload changes the sections under an open link", async () => {
    const hub = await AaaHub.start({ users: [withPassword("nemo", "20000 leagues")] });
    const nas = await router(hub);
    const config = (sections: string) =>
      hub.reconfigured(
        `modules: { instances: [{ module: attr-filter, settings: { set: { Reply-Message: hello } } }], ${sections} }`,
      );
    await hub.running.hub.apply(config("sections: { postauth: [plan, attr-filter] }"));
    expect(await ask(nas, 1, CODE.accessRequest, [NAS, USER, pap("20000 leagues")])).toEqual({
      code: CODE.accessAccept,
      message: "hello",
    });
    await hub.running.hub.apply(config("sections: { authorize: [] }"));
    expect(await ask(nas, 2, CODE.accessRequest, [NAS, USER, pap("20000 leagues")])).toMatchObject({
      code: CODE.accessReject,
    });
  });

  it("a reload that can not be built leaves the modules as they were", async () => {
    const hub = await AaaHub.start({ users: [withPassword("nemo", "20000 leagues")] });
    const nas = await router(hub);
    const log = BUILT_IN_MODULES.get("log") as ModuleDefinition;
    const instantiate = () => {
      throw new Error("no room for it");
    };
    const broken = new Map([...BUILT_IN_MODULES, ["log", { ...log, instantiate }] as const]);
    const config = hub.reconfigured("modules: { sections: { authorize: [log] } }");
    await expect(hub.running.hub.apply(config, broken)).rejects.toThrow("no room for it");
    expect(await ask(nas, 1, CODE.accessRequest, [NAS, USER, pap("20000 leagues")])).toMatchObject({
      code: CODE.accessAccept,
    });
  });

  it("accounting through sections of its own is stored before it is acknowledged", async () => {
    const hub = await AaaHub.start({ yaml: "modules: { sections: { accounting: [log, sessions] } }" });
    const nas = await router(hub);
    const record = [NAS, USER, textAttribute(44, "a1"), { type: 40, value: Buffer.from([0, 0, 0, 1]) }];
    expect(await ask(nas, 1, CODE.accountingRequest, record)).toMatchObject({ code: CODE.accountingResponse });
    expect(await hub.running.hub.store?.acctSessions.countOpen()).toBe(1);
  });
});
