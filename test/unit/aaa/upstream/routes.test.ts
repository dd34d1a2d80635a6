import { describe, expect, it } from "vitest";
import { routeOf } from "../../../../src/aaa/upstream/routes.ts";
import { ATTRIBUTE, textAttribute } from "../../../../src/radius/attribute.ts";
import { CODE } from "../../../../src/radius/codes.ts";

const rules = [
  { listeners: ["heartbeat"], pool: undefined },
  { realm: "example.org", kind: "acct", pool: "accounting" },
  { realm: "example.org", pool: "home" },
  { realm: "*.example.org", pool: "below" },
  { realm: "local", pool: undefined },
  { realm: "*", pool: "anybody" },
  { realm: "", pool: "nobody" },
] as const;

describe("routeOf()", () => {
  it.each([
    ["bob@example.org", "home"],
    ["bob@EXAMPLE.org", "home"],
    ["a@b@example.org", "home"],
    ["EXAMPLE.ORG\\bob", "home"],
    ["LOCAL\\bob@example.org", "home"],
    ["bob@west.example.org", "below"],
    ["bob@notexample.org", "anybody"],
    ["bob@local", undefined],
    ["bob", "nobody"],
    ["bob@", "nobody"],
    [undefined, "nobody"],
  ])("takes %s to %s", (userName, pool) => {
    const attributes = userName === undefined ? [] : [textAttribute(ATTRIBUTE.userName, userName)];
    expect(routeOf(rules, CODE.accessRequest, attributes, "main")).toBe(pool);
  });

  it("tells accounting from access, and listeners from each other", () => {
    const bob = [textAttribute(ATTRIBUTE.userName, "bob@example.org")];
    expect(routeOf(rules, CODE.accountingRequest, bob, "main")).toBe("accounting");
    expect(routeOf(rules, CODE.accessRequest, bob, "heartbeat")).toBeUndefined();
  });

  it.each([CODE.statusServer, CODE.coaRequest, CODE.disconnectRequest, 99])("ST-03 never forwards code %i", (code) => {
    expect(routeOf([{ pool: "home" }], code, [], "main")).toBeUndefined();
  });
});
