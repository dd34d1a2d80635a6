import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { PlanAttributes, type SessionChange } from "../../../../src/aaa/plans/plan-attributes.ts";
import { VENDORS, vendorProfile } from "../../../../src/aaa/plans/vendor-table.ts";
import { knownUser } from "../../../../src/aaa/users/user-directory.ts";
import type { Attribute } from "../../../../src/radius/attribute.ts";
import { Dictionary } from "../../../../src/radius/dictionary.ts";
import type { PlanValues, User } from "../../../../src/store/user-types.ts";
import { planRecord, userRecord } from "../../../support/user-records.ts";

const DICTIONARY = Dictionary.load(join(import.meta.dirname, "../../../../config/dictionaries"));
const README = readFileSync(join(import.meta.dirname, "../../../../README.md"), "utf8");
const NOW_MS = Date.UTC(2026, 10, 22);
const BOUNDS = { nowMs: NOW_MS, startedAtMs: NOW_MS - 60_000, throttled: false };

function known(values: PlanValues, user: Partial<User> = {}) {
  return knownUser(userRecord("alice", user), planRecord("gold", { values }));
}

function texts(attributes: readonly Attribute[]): string[] {
  return DICTIONARY.decode(attributes).map(({ name, value }) => `${name}=${value}`);
}

function accepted(values: PlanValues, vendor?: string, more: { secondsLeft?: number; user?: Partial<User> } = {}) {
  const plans = new PlanAttributes(DICTIONARY, 120);
  const attributes = plans.accept(known(values, more.user), vendor, { nowMs: NOW_MS, secondsLeft: more.secondsLeft });
  return texts(attributes);
}

function changed(values: PlanValues, vendor: string, bounds: Partial<typeof BOUNDS> = {}, user: Partial<User> = {}) {
  const change: SessionChange = new PlanAttributes(DICTIONARY, 120).change(known(values, user), vendor, {
    ...BOUNDS,
    ...bounds,
  });
  return change.kind === "coa" ? texts(change.attributes) : change.kind;
}

const RATES = { rateUpBps: 2_000_000, rateDownBps: 10_000_000, group: "staff" };
const INTERIM = "Acct-Interim-Interval=120";
const WISPR = ["WISPr-Bandwidth-Max-Up=2000000", "WISPr-Bandwidth-Max-Down=10000000"];
const CHILLI = ["ChilliSpot-Bandwidth-Max-Up=2000", "ChilliSpot-Bandwidth-Max-Down=10000"];
const CISCO = [
  "Cisco-AVPair=ip:qos-policy-in=add-class(sub,(class-default),police(2000000))",
  "Cisco-AVPair=ip:qos-policy-out=add-class(sub,(class-default),police(10000000))",
];
const CISCO_PPP = [
  "Cisco-AVPair=lcp:interface-config#1=rate-limit input 2000000 375000 750000 conform-action transmit exceed-action drop",
  "Cisco-AVPair=lcp:interface-config#2=rate-limit output 10000000 1875000 3750000 conform-action transmit exceed-action drop",
];

describe("plans as attributes of a vendor", () => {
  it.each<[string | undefined, string[], string | string[]]>([
    // Seen from the router: it receives what the user sends, so "2M/10M" is 2M up and 10M down.
    [
      "mikrotik",
      ["Mikrotik-Rate-Limit=2M/10M", "Mikrotik-Group=staff"],
      ["Mikrotik-Rate-Limit=2M/10M", "Mikrotik-Group=staff"],
    ],
    [
      "MikroTik",
      ["Mikrotik-Rate-Limit=2M/10M", "Mikrotik-Group=staff"],
      ["Mikrotik-Rate-Limit=2M/10M", "Mikrotik-Group=staff"],
    ],
    ["chillispot", [...CHILLI, "Filter-Id=staff"], [...CHILLI, "Filter-Id=staff"]],
    ["coovachilli", [...CHILLI, "Filter-Id=staff"], [...CHILLI, "Filter-Id=staff"]],
    ["cisco", [...CISCO, "Filter-Id=staff"], [...CISCO, "Filter-Id=staff"]],
    ["cisco-ppp", [...CISCO_PPP, "Filter-Id=staff"], "disconnect"],
    ["ruckus", [...WISPR, "Ruckus-User-Groups=staff"], [...WISPR, "Ruckus-User-Groups=staff"]],
    ["aruba", ["Aruba-User-Role=staff"], ["Aruba-User-Role=staff"]],
    ["unifi", [...WISPR, "Filter-Id=staff"], "disconnect"],
    ["hostapd", [...WISPR, "Filter-Id=staff"], "disconnect"],
    [undefined, [...WISPR, "Filter-Id=staff"], [...WISPR, "Filter-Id=staff"]],
    ["nobody-knows", [...WISPR, "Filter-Id=staff"], [...WISPR, "Filter-Id=staff"]],
  ])("%s", (vendor, accept, change) => {
    expect(accepted(RATES, vendor)).toEqual([...accept, INTERIM]);
    expect(changed(RATES, vendor ?? "default")).toEqual(typeof change === "string" ? change : [...change, INTERIM]);
  });

  it.each<[string, string | string[]]>([
    ["mikrotik", ["Mikrotik-Rate-Limit=0/0"]],
    ["chillispot", ["ChilliSpot-Bandwidth-Max-Up=0", "ChilliSpot-Bandwidth-Max-Down=0"]],
    ["aruba", []],
    ["cisco", "disconnect"],
    ["ruckus", "disconnect"],
  ])("takes the rates of an open session away: %s", (vendor, change) => {
    expect(accepted({}, vendor)).toEqual([INTERIM]);
    expect(changed({}, vendor)).toEqual(typeof change === "string" ? change : [...change, INTERIM]);
  });

  it.each([
    [{ rateUpBps: 512_000, rateDownBps: 1_500_000 }, "512k/1500k"],
    [{ rateUpBps: 999, rateDownBps: 1_000_000_000 }, "999/1000M"],
    [{ rateDownBps: 5_000_000 }, "0/5M"],
    [{ rateUpBps: 5_000_000 }, "5M/0"],
  ])("writes %o as RouterOS does: %s", (values, text) => {
    expect(accepted(values, "mikrotik")).toEqual([`Mikrotik-Rate-Limit=${text}`, INTERIM]);
  });

  it("stays within what 32 bits hold, and never makes a small rate unlimited", () => {
    const [up, down] = accepted({ rateUpBps: 1, rateDownBps: 5e9 }, "default");
    expect([up, down]).toEqual(["WISPr-Bandwidth-Max-Up=1", "WISPr-Bandwidth-Max-Down=4294967295"]);
    expect(accepted({ rateUpBps: 400 }, "chillispot")[0]).toBe("ChilliSpot-Bandwidth-Max-Up=1");
  });

  it("carries Session-Timeout, Idle-Timeout, Acct-Interim-Interval and Port-Limit", () => {
    const values = { sessionTimeoutSeconds: 3_600, idleTimeoutSeconds: 600, interimSeconds: 300, portLimit: 2 };
    const expected = ["Acct-Interim-Interval=300", "Idle-Timeout=600", "Port-Limit=2", "Session-Timeout=3600"];
    expect(accepted(values)).toEqual(expected);
    expect(accepted({}, undefined, { user: { overrides: { portLimit: 1 } } })).toEqual([INTERIM, "Port-Limit=1"]);
  });

  it.each([
    ["the plan", { secondsLeft: 9_000 }, 3_600],
    ["the time quota", { secondsLeft: 100 }, 100],
    ["nothing left", { secondsLeft: 0 }, 1],
    ["the validity", { user: { validUntilMs: NOW_MS + 50_900 }, secondsLeft: 100 }, 50],
  ])("never lets a session last beyond %s", (_what, more, seconds) => {
    expect(accepted({ sessionTimeoutSeconds: 3_600 }, "mikrotik", more)).toContain(`Session-Timeout=${seconds}`);
  });

  it("counts what has passed of an open session, and leaves a throttled rate alone", () => {
    const user = { validUntilMs: NOW_MS + 100_000 };
    expect(changed(RATES, "mikrotik", {}, user)).toContain("Session-Timeout=160");
    const throttled = changed({ ...RATES, sessionTimeoutSeconds: 70 }, "mikrotik", { throttled: true }, user);
    expect(throttled).toEqual(["Mikrotik-Group=staff", INTERIM, "Session-Timeout=70"]);
  });

  it("has every name once, and attributes that the dictionaries know", () => {
    const names = VENDORS.flatMap((profile) => profile.names);
    expect(new Set(names).size).toBe(names.length);
    for (const { rates, group } of VENDORS) {
      for (const name of [group, ...rates.map(({ attribute }) => attribute)]) {
        expect(DICTIONARY.find(name), name).toBeDefined();
      }
    }
    expect(vendorProfile("CISCO-PPP").change).toBe("disconnect");
  });

  it.each(VENDORS.slice(1))("is in the table of the README as it is: $names", ({ names, group, change }) => {
    const cells = README.split("\n")
      .map((line) => line.split("|").map((cell) => cell.trim()))
      .find(([, vendors = ""]) => names.some((name) => vendors.includes(`\`${name}\``)));
    for (const name of names) expect(cells?.[1]).toContain(`\`${name}\``);
    expect(cells?.[3]).toBe(`\`${group}\``);
    expect(cells?.[4]?.startsWith(change === "coa" ? "CoA" : "Disconnect")).toBe(true);
  });
});
