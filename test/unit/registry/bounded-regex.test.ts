import { describe, expect, it } from "vitest";
import { compileBoundedRegex, SUBJECT_LENGTH_MAX } from "../../../src/registry/bounded-regex.ts";

describe("compileBoundedRegex()", () => {
  it.each([
    ["^edge-\\d+$", "edge-12", "edge-"],
    ["^(?:ams|fra)-edge", "fra-edge-1", "lon-edge-1"],
    ["^(ab){3}$", "ababab", "abab"],
    ["^[0-9a-f]{4}(?:-[0-9a-f]{4}){2}$", "00ff-00ff-00ff", "00ff-00ff"],
    ["^[*+?(|)]{2}$", "(|", "ab"],
    ["^\\(a\\)+\\*$", "(a))*", "(a)a*"],
    ["^(www\\.)?edge", "www.edge", "ww.edge"],
  ])("takes %s", (pattern, yes, no) => {
    const test = compileBoundedRegex(pattern, "");
    expect([test(yes), test(no)]).toEqual([true, false]);
  });

  it.each([
    ["a repeated group with a repeat inside", "^(a+)+$"],
    ["one level deeper", "^((a*)b)*$"],
    ["a lazy one", "^(?:a+?)*?$"],
    ["a counted one", "^(a*){20}$"],
    ["an optional inside a repeat", "^(a?){30}$"],
    ["an alternative inside a repeat", "^(a|aa)+$"],
    ["a group after a class that looks like one", "[(](a+)+"],
    ["a named group", "^(?<x>a+)+$"],
    ["a lookahead", "(?=(a+)+)b"],
    ["a back-reference", "^(a+)\\1$"],
    ["a named back-reference", "^(?<x>a)\\k<x>$"],
    ["many repeats in a row", "a*a*a*a*b"],
    ["many optional parts in a row", "a?a?a?a?a?a?a?a?a?b"],
  ])("refuses %s", (_, pattern) => {
    expect(() => compileBoundedRegex(pattern, "")).toThrow(expect.objectContaining({ code: "ERR_CONFIG" }));
  });

  it("matches no subject over the bound", () => {
    const test = compileBoundedRegex("^a", "i");
    expect(test("A".repeat(SUBJECT_LENGTH_MAX))).toBe(true);
    expect(test("A".repeat(SUBJECT_LENGTH_MAX + 1))).toBe(false);
  });
});
