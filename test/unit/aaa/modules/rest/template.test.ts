import { describe, expect, it } from "vitest";
import { Template } from "../../../../../src/aaa/modules/rest/template.ts";

const VALUES: Readonly<Record<string, string>> = {
  "User-Name": "b%{ob",
  "json:a.b[0]": "x",
  Empty: "",
  "Tunnel-Type:1": "VLAN",
};

function parse(text: string): Template {
  const parsed = Template.parse(text);
  if ("problem" in parsed) throw new Error(parsed.problem);
  return parsed;
}

describe("Template", () => {
  it.each([
    ["", ""],
    ["plain, 100 % and %20", "plain, 100 % and %20"],
    ["/users/%{User-Name}/x", "/users/b%{ob/x"],
    ["%{json:a.b[0]}%{User-Name}", "xb%{ob"],
    ["%{Tunnel-Type:1}", "VLAN"],
    ["%{Absent}|%{Empty}", "|"],
    ["%{Absent:-none}|%{Empty:-}|%{User-Name:-none}", "none||b%{ob"],
    ["%{%{Absent}:-0}", "0"],
    ["%%{User-Name}", "%{User-Name}"],
  ])("expands %j to %j", (text, expanded) => {
    expect(parse(text).expand((name) => VALUES[name])).toBe(expanded);
  });

  it("escapes values and defaults, and nothing else", () => {
    const escape = (value: string) => `<${value}>`;
    expect(parse("a&%{User-Name}&%{Absent:-b}").expand((name) => VALUES[name], escape)).toBe("a&<b%{ob>&<b>");
  });

  it.each(["%{", "%{User-Name", "x %{} y", "%{urlquote:%{User-Name}}", "%{%{%{a}}}"])(
    "takes %j for a mistake",
    (text) => {
      expect(Template.parse(text)).toMatchObject({ problem: expect.stringContaining("write %%{ for a plain %{") });
    },
  );

  it("names what is in it, and what it can not do without", () => {
    const template = parse("%{A}%{B:-}%{%{C}:-1}");
    expect([template.names, template.required]).toEqual([["A", "B", "C"], ["A"]]);
  });
});
