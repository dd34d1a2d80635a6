import { describe, expect, it } from "vitest";
import { callOf } from "../../../../src/aaa/pipeline/options.ts";
import { textAttribute } from "../../../../src/radius/attribute.ts";
import { CODE } from "../../../../src/radius/codes.ts";
import { contextOf, login, moduleOf, ModuleRig } from "../../../support/module-rig.ts";

interface Line {
  readonly level: string;
  readonly message: string;
  readonly [fact: string]: unknown;
}

/** A rig whose modules write into `lines`. */
async function logging(settings: object, sections: Parameters<ModuleRig["use"]>[1]) {
  const lines: Line[] = [];
  const at = (level: string) => (facts: object, message: string) => void lines.push({ level, message, ...facts });
  const log = { debug: at("debug"), info: at("info"), warn: at("warn"), error: at("error") };
  const rig = new ModuleRig({ log });
  const accept = moduleOf("accept", {
    authorize({ control }) {
      control.authType = "Accept";
      return "updated";
    },
  });
  await rig.use([accept], sections, { instances: [{ name: "log", module: "log", settings }] });
  return { rig, lines };
}

const AUTH = { authorize: [callOf("log"), callOf("accept")], postauth: [callOf("log")] };
const STATION = textAttribute(31, "00-11-22-AA-BB-CC");
const NAS = textAttribute(32, "nas-07");

describe("log", () => {
  it("writes a line at each place that a section gives it, with who, where and the attributes that it was told", async () => {
    const { rig, lines } = await logging({ level: "warn" }, AUTH);
    expect(await rig.ask([textAttribute(1, "nemo"), STATION, NAS])).toMatchObject({ code: CODE.accessAccept });
    expect(lines.map(({ level, message }) => `${level} ${message}`)).toEqual([
      "warn authorize: nemo",
      "warn postauth: nemo",
    ]);
    expect(lines[0]).toMatchObject({
      username: "nemo",
      linkId: "l1",
      "Calling-Station-Id": "00-11-22-AA-BB-CC",
      "NAS-Identifier": "nas-07",
    });
  });

  it("says why somebody was rejected, in postauthReject", async () => {
    const { rig, lines } = await logging({}, { authorize: [callOf("log")], postauthReject: [callOf("log")] });
    await rig.ask([textAttribute(1, "nemo")]);
    expect(lines.at(-1)).toMatchObject({ replyCode: CODE.accessReject, rejectReason: "no Auth-Type" });
  });

  it("tells of a password only that there was one, even when it is asked for it", async () => {
    const { rig, lines } = await logging({ attributes: ["User-Password", "Called-Station-Id"] }, AUTH);
    await rig.ask(login("nemo", "20000 leagues"));
    expect(lines).toHaveLength(2);
    expect(JSON.stringify(lines)).not.toContain("leagues");
    expect(lines[0]).toMatchObject({ "User-Password": expect.any(String), "Called-Station-Id": undefined });
    expect(lines[0]?.["User-Password"]).not.toMatch(/^0x/);
  });

  it("keeps quiet of the hub's own heartbeat", async () => {
    const { rig, lines } = await logging({}, AUTH);
    await rig.pipeline.answer({ ...contextOf([textAttribute(1, "probe")]), heartbeat: true as const });
    expect(lines).toEqual([]);
  });
});
