import { describe, expect, it } from "vitest";
import type { Told } from "../../../../../src/aaa/modules/rest/answer-body.ts";
import { UnreadableAnswer } from "../../../../../src/aaa/modules/rest/answer-body.ts";
import { apply, effectsOf } from "../../../../../src/aaa/modules/rest/effects.ts";
import { PipelineRequest } from "../../../../../src/aaa/pipeline/request.ts";
import { contextOf, DICTIONARY } from "../../../../support/module-rig.ts";

const reply = (name: string, op: Told["op"], ...values: Told["values"]): Told => ({ list: "reply", name, op, values });
const control = (name: string, value: string | number): Told => ({ list: "control", name, op: ":=", values: [value] });

function applied(told: readonly Told[]) {
  const request = new PipelineRequest(contextOf([]), DICTIONARY);
  request.reply.add("Reply-Message", "before");
  const unknown: string[] = [];
  const deps = {
    dictionary: DICTIONARY,
    hasPool: (name: string) => name === "upper",
    unknown: (name: string) => unknown.push(name),
  };
  apply(effectsOf(told, deps), request);
  const shown = DICTIONARY.decode(request.reply.attributes).map(({ name, value }) => `${name}=${value}`);
  return { shown, unknown, control: request.control };
}

describe("effectsOf() and apply(), reply", () => {
  it.each([
    [":= takes the place of what was there", [reply("Reply-Message", ":=", "a")], ["Reply-Message=a"]],
    [
      "= leaves what was there",
      [reply("reply-message", "=", "a"), reply("Class", "=", "0x01")],
      ["Reply-Message=before", "Class=0x01"],
    ],
    [
      "+= adds",
      [reply("Reply-Message", "+=", "a", "b")],
      ["Reply-Message=before", "Reply-Message=a", "Reply-Message=b"],
    ],
    [
      "a vendor's",
      [reply("Mikrotik-Rate-Limit", ":=", "2M/10M")],
      ["Reply-Message=before", "Mikrotik-Rate-Limit=2M/10M"],
    ],
    ["a number as text", [reply("Session-Timeout", ":=", "60")], ["Reply-Message=before", "Session-Timeout=60"]],
    [
      "a name of a value",
      [reply("Service-Type", ":=", "Framed-User")],
      ["Reply-Message=before", "Service-Type=Framed-User"],
    ],
  ])("%s", (_, told, shown) => {
    expect(applied(told)).toMatchObject({ shown, unknown: [] });
  });

  it("leaves out names that no dictionary has, and tells of them", () => {
    expect(
      applied([reply("No-Such", ":=", 1), control("No-Such", 1), control("Proxy-To-Realm", "nowhere")]),
    ).toMatchObject({
      shown: ["Reply-Message=before"],
      unknown: ["No-Such", "control:No-Such", "control:Proxy-To-Realm"],
    });
  });

  it.each([
    [reply("Session-Timeout", ":=", "soon")],
    [reply("Session-Timeout", ":=", 1.5)],
    [reply("Framed-IP-Address", ":=", "10.0.0.256")],
    [reply("Reply-Message", ":=", "x".repeat(254))],
    [control("NT-Password", "00ff")],
    [control("Simultaneous-Use", "many")],
  ])("takes an answer with a wrong value for none at all: %j", (wrong) => {
    expect(() => applied([reply("Class", ":=", "0x01"), wrong])).toThrow(UnreadableAnswer);
  });
});

describe("effectsOf() and apply(), control", () => {
  it("sets what modules tell each other", () => {
    const hash = "8846f7eaee8fb117ad06bdd830b7586c";
    expect(
      applied([control("auth-type", "Accept"), control("Simultaneous-Use", 2), control("Proxy-To-Realm", "upper")])
        .control,
    ).toMatchObject({
      authType: "Accept",
      simultaneousUse: 2,
      proxyTo: "upper",
    });
    expect(applied([control("Cleartext-Password", "p\u00e4ss")]).control.password).toEqual({
      kind: "clear-text",
      octets: Buffer.from("p\u00e4ss"),
    });
    for (const text of [hash, `0x${hash}`]) {
      expect(applied([control("NT-Password", text)]).control.password).toEqual({
        kind: "nt-hash",
        octets: Buffer.from(hash, "hex"),
      });
    }
    expect(applied([{ list: "request", name: "User-Name", op: ":=", values: ["robert"] }]).control.username).toBe(
      "robert",
    );
  });
});
