import { describe, expect, it } from "vitest";
import {
  altNamesOfNas,
  checkedAltNames,
  checkedCommonName,
  hostNames,
  isDnsName,
} from "../../../pki/subject-alt-names.ts";

const inputError: unknown = expect.objectContaining({ code: "ERR_INPUT" });

describe("isDnsName()", () => {
  it.each(["edge-1", "a.b.example", "*.nas.example", "1and1.example", "a".repeat(63)])("accepts %s", (name) => {
    expect(isDnsName(name)).toBe(true);
  });

  it.each([
    "",
    ".",
    "a..b",
    "-a",
    "a-",
    "a_b",
    "a b",
    "büro",
    "10.0.0.1",
    "n*.a.example",
    "a.*.example",
    "*",
    "*.example",
    "a".repeat(64),
    `${"a.".repeat(126)}aa`,
  ])("TLS-15 rejects %j", (name) => {
    expect(isDnsName(name)).toBe(false);
  });
});

describe("hostNames()", () => {
  it("sorts names from addresses and drops duplicates, whatever their case", () => {
    expect(hostNames(["localhost", "127.0.0.1", "::1", "Hub.Example.org", "hub.example.org"])).toEqual({
      dns: ["localhost", "hub.example.org"],
      ip: ["127.0.0.1", "::1"],
    });
  });

  it("throws ERR_INPUT naming what is neither", () => {
    expect(() => hostNames(["hub_1.example"])).toThrow(/"hub_1.example" is not a DNS name/);
    expect(() => hostNames(["fe80::1%eth0"])).toThrow(inputError);
  });
});

describe("altNamesOfNas()", () => {
  it.each([
    ["edge-1", { dns: ["edge-1"] }],
    ["10.0.0.7", { ip: ["10.0.0.7"] }],
    ["2001:db8::7", { ip: ["2001:db8::7"] }],
    ["Office 1/2", { uri: ["nas:Office%201%2F2"] }],
    ["Büro", { uri: ["nas:B%C3%BCro"] }],
    ["*.example.org", { uri: ["nas:*.example.org"] }],
  ])("gives %s a name of its own, so that no two routers are one peer", (name, expected) => {
    expect(altNamesOfNas(name)).toEqual(expected);
    expect(checkedAltNames(expected)).toBe(expected);
  });
});

describe("checkedAltNames()", () => {
  it.each([
    { dns: ["a b"] },
    { ip: ["10.0.0"] },
    { ip: ["10.0.0.256"] },
    { ip: ["1"] },
    { uri: ["no-scheme"] },
    { uri: ["http://bü.example"] },
    { uri: ["x: y"] },
    { email: ["nobody"] },
    { email: ["a@b@c"] },
    { naiRealm: ["not a realm"] },
  ])("throws ERR_INPUT for %j", (names) => {
    expect(() => checkedAltNames(names)).toThrow(inputError);
  });
});

describe("checkedCommonName()", () => {
  it.each(["", " ", " a", "a ", "a\nb", "a\0", "a\u202eb", "x".repeat(65)])("throws ERR_INPUT for %j", (name) => {
    expect(() => checkedCommonName(name)).toThrow(inputError);
  });

  it("takes 64 characters", () => {
    expect(checkedCommonName("x".repeat(64))).toHaveLength(64);
  });
});
