import { describe, expect, it } from "vitest";
import { HUB_ERROR_CODES, HubError } from "../../../src/errors.ts";
import { closest } from "../../../src/http/closest.ts";
import { LogGate } from "../../../src/http/log-gate.ts";
import { pageOf } from "../../../src/http/page.ts";
import { PROBLEMS, problemJson, problemOf, refusal } from "../../../src/http/problem.ts";
import { ManualClock } from "../../support/manual-clock.ts";

describe("problemOf()", () => {
  it.each(HUB_ERROR_CODES)("maps %s to a problem of a caller, or hides it", (code) => {
    const problem = problemOf(new HubError(code, "message"));
    if (problem === undefined) return;
    expect(PROBLEMS[problem.code][0]).toBeLessThan(504);
    expect(problem.detail).toBe("message");
  });

  it.each(["ERR_SECRET", "ERR_PKI", "ERR_CONFIG", "ERR_RADIUS_LENGTH"] as const)("hides %s", (code) => {
    expect(problemOf(new HubError(code, "message"))).toBeUndefined();
  });

  it("hides what is no HubError, and a problem code that a detail only looks like", () => {
    expect(problemOf(new Error("message"))).toBeUndefined();
    expect(problemOf(new HubError("ERR_INPUT", "m", { problem: "toString" }))?.code).toBe("bad-input");
  });

  it("problemJson(): the standard members win over facts of the same name (RFC 9457 Section 3.2)", () => {
    const problem = problemOf(refusal("nak", "why", { status: 200, code: 42, type: 6, outcome: "nak" }));
    expect(problem && problemJson(problem, "r1")).toEqual({
      type: "urn:radsec-hub:problem:nak",
      title: "The NAS refused",
      status: 409,
      detail: "why",
      instance: "urn:radsec-hub:request:r1",
      code: "nak",
      request_id: "r1",
      outcome: "nak",
    });
  });
});

describe("closest()", () => {
  const known = [
    "nas_identifier",
    "username",
    "session_id",
    "acct_multi_session_id",
    "nas_port",
    "nas_port_id",
    "class",
  ];
  it.each([
    ["User-Name", "username"],
    ["usrname", "username"],
    ["nasIdentifier", "nas_identifier"],
    ["acct_session_id", "session_id"],
    ["nas_prot", "nas_port"],
    ["NAS-Port-Id", "nas_port_id"],
    ["colour", undefined],
    ["", undefined],
    ["x".repeat(100_000), undefined],
  ])("%s means %s", (word, meant) => {
    expect(closest(word, known)).toBe(meant);
  });
});

describe("pageOf()", () => {
  const few = ["\u00ffé", "b", "a", "c\u0000d", "e"];
  const many = Array.from({ length: 500 }, (_, n) => `key-${(n * 7_919) % 500}`);
  it.each([
    { what: "few", keys: few },
    { what: "many", keys: many },
    { what: "many, highest first", keys: many.toSorted().toReversed() },
  ])("gives every key once and in order, whatever the size of the page: $what", ({ keys }) => {
    for (const limit of [1, 2, 3, 4, 5, 6, 100, 499, 500, 501, 1_000]) {
      const seen: string[] = [];
      let cursor: string | undefined;
      do {
        const page = pageOf(keys, (key) => key, { cursor, limit });
        seen.push(...page.items);
        cursor = page.next ?? undefined;
      } while (cursor !== undefined);
      expect(seen).toEqual(keys.toSorted());
    }
  });

  it.each(["", "*", "YQ==", "Y"])("refuses the cursor %j", (cursor) => {
    expect(() => pageOf([], String, { cursor, limit: 1 })).toThrow(/cursor/);
  });
});

describe("LogGate", () => {
  it("lets one line a cause through in ten seconds and then says how many were left out", () => {
    const clock = new ManualClock();
    const gate = new LogGate(clock);
    expect([gate.pass("a"), gate.pass("a"), gate.pass("b"), gate.pass("a")]).toEqual([0, undefined, 0, undefined]);
    clock.advance(10_000);
    expect([gate.pass("a"), gate.pass("a")]).toEqual([2, undefined]);
  });
});
