import { describe, expect, it } from "vitest";
import type { CallName } from "../../../../../src/aaa/modules/rest/settings.ts";
import { statusMeaning } from "../../../../../src/aaa/modules/rest/status-codes.ts";

/** FreeRADIUS v3.2.x raddb/mods-available/rest, the tables "Authorize/Authenticate" and "Preacct/Accounting/Post-auth/...". */
const ASKING = [
  [404, "notfound", false],
  [410, "notfound", false],
  [403, "userlock", false],
  [401, "reject", true],
  [204, "ok", false],
  [200, "ok", true],
  [201, "ok", true],
  [299, "ok", true],
  [500, "fail", false],
  [503, "fail", false],
  [599, "fail", false],
  [199, "invalid", false],
  [302, "invalid", false],
  [400, "invalid", false],
  [402, "invalid", false],
  [429, "invalid", false],
] as const;

const TELLING = [
  [404, "invalid", false],
  [410, "invalid", false],
  [403, "invalid", false],
  [401, "invalid", false],
  [204, "ok", false],
  [200, "ok", true],
  [500, "fail", false],
  [302, "invalid", false],
] as const;

describe.each(["authorize", "authenticate"] as const)("statusMeaning() for %s", (name) => {
  it.each(ASKING)("%i is %s, body read: %s", (status, code, readsBody) => {
    expect(statusMeaning(name, status)).toEqual({ code, readsBody, isDown: status >= 500 });
  });
});

describe.each(["accounting", "postauth"] as const)("statusMeaning() for %s", (name) => {
  it.each(TELLING)("%i is %s, body read: %s", (status, code, readsBody) => {
    expect(statusMeaning(name, status)).toEqual({ code, readsBody, isDown: status >= 500 });
  });
});

describe("statusMeaning() with codes of the settings", () => {
  const own = { "402": "userlock", "4xx": "reject", "5xx": "noop" } as const;
  it.each([
    ["authorize", 402, "userlock", false],
    ["authorize", 404, "reject", false],
    ["authorize", 401, "reject", true],
    ["authorize", 200, "ok", true],
    // Whoever says what a 5xx means does not mean that the back end is down.
    ["postauth", 500, "noop", false],
  ] as const)("%s, %i: %s", (name: CallName, status, code, readsBody) => {
    expect(statusMeaning(name, status, own)).toEqual({ code, readsBody, isDown: false });
  });
});
