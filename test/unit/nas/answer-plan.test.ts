import { describe, expect, it } from "vitest";
import { encodeAnswer, parseAnswerPlan } from "../../../src/nas/answer-plan.ts";
import { encodeRequest, RADSEC_SECRET, verifyResponse } from "../../../src/radius/authenticator.ts";
import { CODE } from "../../../src/radius/codes.ts";
import { decodePacket } from "../../../src/radius/packet.ts";

describe("parseAnswerPlan()", () => {
  it.each([
    ["ack", { verdict: "ack" }],
    ["acct-sessions", { verdict: "acct-sessions" }],
    ["none", { verdict: "none" }],
    ["nak", { verdict: "nak", errorCause: undefined }],
    ["nak:503", { verdict: "nak", errorCause: 503 }],
    ["protocol-error", { verdict: "protocol-error", errorCause: 406 }],
    ["protocol-error:502", { verdict: "protocol-error", errorCause: 502 }],
    ["delay:250", { verdict: "ack", delayMs: 250 }],
    ["nak:503, delay:5, no-ma", { verdict: "nak", errorCause: 503, delayMs: 5, flaw: "no-message-authenticator" }],
    ["bad-auth", { verdict: "ack", flaw: "bad-authenticator" }],
    ["bad-ma", { verdict: "ack", flaw: "bad-message-authenticator" }],
  ])("reads %s", (text, plan) => {
    expect(parseAnswerPlan(text)).toEqual(plan);
  });

  it.each(["", "yes", "ack:1", "none:5", "nak:", "nak:x", "delay", "delay:-1", "delay:3600001", "ack,"])(
    "refuses %j with ERR_INPUT",
    (text) => {
      expect(() => parseAnswerPlan(text)).toThrow(expect.objectContaining({ code: "ERR_INPUT" }));
    },
  );
});

describe("encodeAnswer()", () => {
  const request = decodePacket(encodeRequest(CODE.disconnectRequest, 7, [], Buffer.alloc(16), RADSEC_SECRET));
  const answer = (flaw?: Parameters<typeof encodeAnswer>[4]) =>
    decodePacket(encodeAnswer(request, CODE.disconnectAck, [], RADSEC_SECRET, flaw));

  it.each([
    [undefined, "ok", 22],
    ["no-message-authenticator", "ok", -1],
    ["bad-message-authenticator", "bad-message-authenticator", 22],
    ["bad-authenticator", "bad-authenticator", 22],
  ] as const)("CRY-08 with flaw %s verifies as %s", (flaw, verdict, messageAuthenticatorOffset) => {
    const packet = answer(flaw);
    expect(verifyResponse(packet, request.authenticator, RADSEC_SECRET)).toBe(verdict);
    expect(packet).toMatchObject({ code: 41, identifier: 7, messageAuthenticatorOffset });
  });
});
