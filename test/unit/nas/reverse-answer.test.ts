import { describe, expect, it } from "vitest";
import { ACCT_SESSION_ATTRIBUTES_MAX, AcctSessions } from "../../../src/nas/acct-sessions.ts";
import type { AnswerPlan } from "../../../src/nas/answer-plan.ts";
import { answerRequest, judgeRequest } from "../../../src/nas/reverse-answer.ts";
import {
  ATTRIBUTE,
  type Attribute,
  attribute,
  firstInteger,
  integerAttribute,
  textAttribute,
} from "../../../src/radius/attribute.ts";
import { encodeRequest, RADSEC_SECRET, SharedSecret, signRequest } from "../../../src/radius/authenticator.ts";
import { CODE } from "../../../src/radius/codes.ts";
import { decodePacket, encodePacket } from "../../../src/radius/packet.ts";

const WALL_MS = 1_700_000_000_000;
const WINDOW_MS = 300_000;
const NAS = {
  nasIdentifier: textAttribute(ATTRIBUTE.nasIdentifier, "shop-7"),
  nasIpAddress: attribute(ATTRIBUTE.nasIpAddress, Buffer.of(10, 9, 0, 1)),
};
const ALICE = [textAttribute(ATTRIBUTE.userName, "alice")];
const BY_SESSIONS: AnswerPlan = { verdict: "acct-sessions" };

function packet(code: number, attributes: readonly Attribute[], secret = RADSEC_SECRET) {
  return decodePacket(encodeRequest(code, 9, attributes, Buffer.alloc(16, 7), secret));
}

function sessions() {
  const all = new AcctSessions();
  all.add({ username: "alice", acctSessionId: "a1" }, 0);
  all.add({ username: "alice", acctSessionId: "a2" }, 0);
  all.add({ username: "bob", acctSessionId: "b1" }, 0);
  return all;
}

function answered(code: number, attributes: readonly Attribute[], all = sessions(), plan = BY_SESSIONS) {
  const answer = answerRequest(packet(code, attributes), NAS, all, plan);
  const errorCause = firstInteger(answer?.attributes ?? [], ATTRIBUTE.errorCause);
  return { code: answer?.code, errorCause, left: [...all].map(({ acctSessionId }) => acctSessionId), answer };
}

describe("judgeRequest()", () => {
  const judge = (candidate: ReturnType<typeof packet>) => judgeRequest(candidate, RADSEC_SECRET, WALL_MS, WINDOW_MS);
  const stamped = (offsetMs: number) =>
    packet(CODE.coaRequest, [integerAttribute(ATTRIBUTE.eventTimestamp, (WALL_MS + offsetMs) / 1_000)]);

  it.each([
    [-301_000, "stale-timestamp"],
    [-299_000, "ok"],
    [299_000, "ok"],
    [301_000, "stale-timestamp"],
  ])("DP-04 Event-Timestamp off by %d ms is %s", (offsetMs, verdict) => {
    expect(judge(stamped(offsetMs))).toBe(verdict);
  });

  it("DP-05 takes a request without Event-Timestamp", () => {
    expect(judge(packet(CODE.disconnectRequest, ALICE))).toBe("ok");
  });

  it("CRY-03 CRY-07 tells a forged Request Authenticator from a forged Message-Authenticator", () => {
    expect(judge(packet(CODE.disconnectRequest, ALICE, new SharedSecret("other")))).toBe("bad-authenticator");
    const forged = encodePacket(CODE.disconnectRequest, 9, Buffer.alloc(16), [attribute(80, Buffer.alloc(16, 1))]);
    signRequest(forged, -1, RADSEC_SECRET);
    expect(judge(decodePacket(forged))).toBe("bad-message-authenticator");
  });

  it.each([CODE.accessRequest, CODE.statusServer, CODE.accountingRequest])(
    "a router does not answer code %d",
    (code) => {
      expect(judge(packet(code, []))).toBe("unsupported-code");
    },
  );
});

describe("answerRequest() by acct sessions", () => {
  it("a Disconnect-Request ends every acct session that all of its attributes fit", () => {
    expect(answered(CODE.disconnectRequest, ALICE)).toMatchObject({ code: 41, left: ["b1"] });
    const one = [...ALICE, textAttribute(ATTRIBUTE.acctSessionId, "a2")];
    expect(answered(CODE.disconnectRequest, one)).toMatchObject({ code: 41, left: ["a1", "b1"] });
  });

  it("RC-10 a Disconnect-Request that names only the router ends all", () => {
    expect(answered(CODE.disconnectRequest, [NAS.nasIdentifier])).toMatchObject({ code: 41, left: [] });
  });

  it.each([
    ["503 no such acct session", CODE.disconnectRequest, [textAttribute(ATTRIBUTE.userName, "eve")], 42, 503],
    [
      "503 one attribute does not fit",
      CODE.coaRequest,
      [...ALICE, textAttribute(ATTRIBUTE.acctSessionId, "b1")],
      45,
      503,
    ],
    ["402 nobody is named", CODE.disconnectRequest, [], 42, 402],
    ["403 another NAS-Identifier", CODE.disconnectRequest, [...ALICE, textAttribute(32, "shop-8")], 42, 403],
    ["403 another NAS-IP-Address", CODE.disconnectRequest, [...ALICE, attribute(4, Buffer.of(10, 9, 0, 2))], 42, 403],
    [
      "401 RC-11 Filter-Id in a Disconnect-Request",
      CODE.disconnectRequest,
      [...ALICE, textAttribute(11, "x")],
      42,
      401,
    ],
    [
      "401 RC-11 Service-Type in a Disconnect-Request",
      CODE.disconnectRequest,
      [...ALICE, integerAttribute(6, 17)],
      42,
      401,
    ],
    ["402 RC-12 Authorize-Only without State", CODE.coaRequest, [...ALICE, integerAttribute(6, 17)], 45, 402],
    ["507 RC-12 Authorize-Only", CODE.coaRequest, [...ALICE, integerAttribute(6, 17), textAttribute(24, "s")], 45, 507],
  ])("NAK %s, and nothing is done", (_, code, attributes, replyCode, errorCause) => {
    expect(answered(code, attributes)).toMatchObject({ code: replyCode, errorCause, left: ["a1", "a2", "b1"] });
  });

  it("a CoA-Request changes what it names in every acct session that fits", () => {
    const all = sessions();
    const { code, answer } = answered(CODE.coaRequest, [...ALICE, integerAttribute(27, 600)], all);
    expect(code).toBe(44);
    expect(answer?.changed.map(({ acctSessionId }) => acctSessionId)).toEqual(["a1", "a2"]);
    expect([...all].map(({ attributes }) => firstInteger(attributes, 27))).toEqual([600, 600, undefined]);
  });

  it("506 a CoA-Request changes all acct sessions or none (RFC 5176 Section 2.2)", () => {
    const all = sessions();
    const full = Array.from({ length: ACCT_SESSION_ATTRIBUTES_MAX - 2 }, (_, index) =>
      attribute(26, Buffer.of(0, 0, 0, index, 1, 2)),
    );
    all.change(all.byAcctSessionId("a2") as never, full);
    expect(answered(CODE.coaRequest, [...ALICE, integerAttribute(27, 600)], all)).toMatchObject({
      code: 45,
      errorCause: 506,
    });
    expect([...all].map(({ attributes }) => firstInteger(attributes, 27))).toEqual([undefined, undefined, undefined]);
  });

  it("RC-13 DP-22 State and Proxy-State come back as they were, in order", () => {
    const extra = [textAttribute(33, "one"), textAttribute(24, "state"), textAttribute(33, "two")];
    const { answer } = answered(CODE.coaRequest, [...ALICE, ...extra]);
    expect(answer?.attributes.map(({ type, value }) => [type, value.toString()])).toEqual([
      [33, "one"],
      [24, "state"],
      [33, "two"],
    ]);
  });
});

describe("answerRequest() by plan", () => {
  it("none is silence and nak leaves the acct sessions alone", () => {
    expect(answered(CODE.disconnectRequest, ALICE, sessions(), { verdict: "none" })).toMatchObject({
      answer: undefined,
      left: ["a1", "a2", "b1"],
    });
    expect(answered(CODE.coaRequest, ALICE, sessions(), { verdict: "nak", errorCause: 501 })).toMatchObject({
      code: 45,
      errorCause: 501,
      left: ["a1", "a2", "b1"],
    });
    expect(answered(CODE.coaRequest, ALICE, sessions(), { verdict: "nak" }).errorCause).toBeUndefined();
  });

  it("ack says yes to what no acct session fits, and still ends what fits", () => {
    const eve = [textAttribute(ATTRIBUTE.userName, "eve")];
    expect(answered(CODE.disconnectRequest, eve, sessions(), { verdict: "ack" })).toMatchObject({ code: 41 });
    expect(answered(CODE.disconnectRequest, ALICE, sessions(), { verdict: "ack" })).toMatchObject({
      code: 41,
      left: ["b1"],
    });
  });

  it("PE-02 Protocol-Error carries Original-Packet-Code and Error-Cause", () => {
    const plan: AnswerPlan = { verdict: "protocol-error", errorCause: 406 };
    const { code, errorCause, answer } = answered(CODE.coaRequest, ALICE, sessions(), plan);
    expect({ code, errorCause }).toEqual({ code: 52, errorCause: 406 });
    expect(answer?.attributes.find(({ type }) => type === 241)?.value).toEqual(Buffer.of(4, 0, 0, 0, 43));
  });
});
