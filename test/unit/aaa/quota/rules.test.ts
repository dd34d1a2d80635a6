import { describe, expect, it } from "vitest";
import { periodRules } from "../../../../src/aaa/quota/options.ts";
import {
  amountFor,
  countedBy,
  overshootOf,
  percentOf,
  rulesFor,
  type Standing,
  strongest,
} from "../../../../src/aaa/quota/rules.ts";
import { DISCONNECT_100, quotaRule, THROTTLE_80 } from "../../../support/quota-rig.ts";

const SUBJECT = { username: "bob@example.org", plan: undefined, planRules: [], nasIdentifier: "ap-1" };

describe("rulesFor()", () => {
  const user = quotaRule({ name: "user", match: { users: ["bob@example.org"] } });
  const plan = quotaRule({ name: "plan", match: { plans: ["gold"] } });
  const nas = quotaRule({ name: "nas", match: { nas: ["ap-1"] } });
  const realm = quotaRule({ name: "realm", match: { realms: ["example.org"] } });
  const both = quotaRule({ name: "both", match: { realms: ["*"], nas: ["ap-2"] } });
  const fallback = quotaRule({ name: "fallback" });

  it.each([
    { name: "by user", rules: [user, fallback], subject: SUBJECT, held: ["user"] },
    { name: "by another user", rules: [user, fallback], subject: { ...SUBJECT, username: "eve" }, held: ["fallback"] },
    { name: "by plan", rules: [plan], subject: { ...SUBJECT, plan: "gold" }, held: ["plan"] },
    {
      name: "by a plan that names it",
      rules: [plan],
      subject: { ...SUBJECT, plan: "x", planRules: ["plan"] },
      held: ["plan"],
    },
    { name: "not without a plan", rules: [plan], subject: SUBJECT, held: [] },
    { name: "by NAS", rules: [nas, fallback], subject: SUBJECT, held: ["nas"] },
    { name: "not for a NAS without a name", rules: [nas], subject: { ...SUBJECT, nasIdentifier: undefined }, held: [] },
    { name: "by realm", rules: [realm, fallback], subject: SUBJECT, held: ["realm"] },
    { name: "all keys must fit", rules: [both], subject: SUBJECT, held: [] },
    {
      name: "all that fit hold",
      rules: [realm, user, nas, fallback],
      subject: SUBJECT,
      held: ["realm", "user", "nas"],
    },
  ])("$name", ({ rules, subject, held }) => {
    expect(rulesFor(rules, subject).map(({ name }) => name)).toEqual(held);
  });
});

describe("countedBy(), amountFor(), percentOf()", () => {
  it.each([
    ["upload", 1],
    ["download", 20],
    ["both", 21],
    ["time", 300],
  ] as const)("counts %s", (counts, used) => {
    expect(countedBy(counts, { uploadOctets: 1, downloadOctets: 20, seconds: 300 })).toBe(used);
  });

  it("takes the amount of an override, also one that lifts the limit", () => {
    const override = (amount: number | undefined) => ({
      username: "bob",
      limits: [{ rule: "daily", amount }],
      note: undefined,
      setAtMs: 0,
      setBy: "test",
    });
    expect(amountFor(quotaRule(), undefined)).toBe(1_000);
    expect(amountFor(quotaRule(), override(5))).toBe(5);
    expect(amountFor(quotaRule(), override(undefined))).toBeUndefined();
    expect(amountFor(quotaRule({ name: "other" }), override(5))).toBe(1_000);
  });

  it("an amount of nothing is used up at once, no amount never", () => {
    expect([percentOf(0, 0), percentOf(1e15, undefined), percentOf(500, 1_000)]).toEqual([Infinity, 0, 50]);
  });
});

describe("strongest()", () => {
  const standing: Standing = {
    rule: quotaRule(),
    used: 1_300,
    amount: 1_000,
    percent: 130,
    periodKey: "total",
    periodEndsAtMs: 0,
  };
  const later: Standing = { ...standing, rule: quotaRule({ name: "later" }) };
  const throttle90 = { ...THROTTLE_80, percent: 90 };
  const throttle120 = { ...THROTTLE_80, percent: 120 };
  it.each([
    { name: "disconnect before a throttle of more percent", given: [throttle120, DISCONNECT_100], best: 100 },
    { name: "the throttle of the most percent", given: [THROTTLE_80, throttle90], best: 90 },
    {
      name: "nothing of what only notifies",
      given: [{ percent: 50, notify: true, action: undefined }],
      best: undefined,
    },
  ])("is $name", ({ given, best }) => {
    expect(strongest(given.map((threshold) => ({ standing, threshold })))?.threshold.percent).toBe(best);
  });

  it("is that of the first rule among equals", () => {
    const both = [standing, later].map((each) => ({ standing: each, threshold: DISCONNECT_100 }));
    expect(strongest(both)?.standing).toBe(standing);
  });

  it("overshootOf() is what was used beyond the threshold's share", () => {
    expect([overshootOf(standing, 100), overshootOf(standing, 80), overshootOf(standing, 150)]).toEqual([300, 500, 0]);
  });
});

describe("periodRules()", () => {
  it("names each period once, for what is named twice would count twice", () => {
    const month = { kind: "month", startDay: 1 } as const;
    const rules = [quotaRule({ period: month }), quotaRule({ period: { kind: "month", startDay: 15 } })];
    const { specs } = periodRules({ rules: [...rules, quotaRule(), quotaRule()], timeZone: "UTC" });
    expect(specs).toEqual([{ kind: "day" }, month, { kind: "month", startDay: 15 }]);
  });
});
