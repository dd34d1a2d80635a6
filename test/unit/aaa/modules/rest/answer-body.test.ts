import { describe, expect, it } from "vitest";
import { jsonAt, readBody, toldIn, UnreadableAnswer } from "../../../../../src/aaa/modules/rest/answer-body.ts";

const JSON_TYPE = "application/json; charset=utf-8";
const FORM_TYPE = "application/x-www-form-urlencoded";

describe("readBody()", () => {
  it.each([
    ["nothing, whatever the type", "", "text/html", undefined, undefined],
    ["JSON", '{"a":1}', JSON_TYPE, undefined, { a: 1 }],
    ["JSON of a kind", "[]", "application/problem+json", undefined, []],
    ["JSON without a type", "3", undefined, undefined, 3],
    ["JSON by force", "{}", "text/plain", "json", {}],
    [
      "a form",
      "a=1&b=x%20y&a=2",
      FORM_TYPE,
      undefined,
      { a: { op: "+=", value: ["1", "2"] }, b: { op: ":=", value: ["x y"] } },
    ],
    ["a form by force", "a=1", JSON_TYPE, "post", { a: { op: ":=", value: ["1"] } }],
  ] as const)("reads %s", (_, body, type, force, read) => {
    expect(readBody(Buffer.from(body), type, force)).toEqual(read);
  });

  it.each([
    ["HTML", "<html>", "text/html"],
    ["HTML that says it is JSON", "<html>", JSON_TYPE],
    ["half of it", '{"a":', JSON_TYPE],
    ["another type", '{"a":1}', "application/octet-stream"],
  ])("refuses %s without quoting it", (_, body, type) => {
    expect(() => readBody(Buffer.from(body), type, undefined)).toThrow(UnreadableAnswer);
    expect(() => readBody(Buffer.from(body), type, undefined)).not.toThrow(body);
  });

  it("refuses octets that are no UTF-8", () => {
    expect(() => readBody(Buffer.from([0x22, 0xff, 0x22]), JSON_TYPE, undefined)).toThrow("it is no UTF-8");
  });
});

describe("toldIn()", () => {
  it.each([
    ["a bare name is one of the reply", { A: "x" }, [{ list: "reply", name: "A", op: ":=", values: ["x"] }]],
    [
      "lists",
      { "reply:A": 1, "control:B": true, "request:C": "c", "outer.reply:D": "d" },
      [
        { list: "reply", name: "A", op: ":=", values: [1] },
        { list: "control", name: "B", op: ":=", values: [true] },
        { list: "request", name: "C", op: ":=", values: ["c"] },
        { list: "reply", name: "D", op: ":=", values: ["d"] },
      ],
    ],
    [
      "a tag is part of the name",
      { "Tunnel-Type:1": 13 },
      [{ list: "reply", name: "Tunnel-Type:1", op: ":=", values: [13] }],
    ],
    [
      "all of several with +=",
      { A: { op: "+=", value: [1, 2] } },
      [{ list: "reply", name: "A", op: "+=", values: [1, 2] }],
    ],
    ["all of several with :=", { A: { value: [1, 2] } }, [{ list: "reply", name: "A", op: ":=", values: [1, 2] }]],
    [
      "all of several with =",
      { A: { op: "=", value: [1, 2] } },
      [{ list: "reply", name: "A", op: "=", values: [1, 2] }],
    ],
    ["all of a plain list", { A: ["x", "y"] }, [{ list: "reply", name: "A", op: ":=", values: ["x", "y"] }]],
    [
      "JSON in a value as text",
      { A: { value: { b: [1] } } },
      [{ list: "reply", name: "A", op: ":=", values: ['{"b":[1]}'] }],
    ],
    [
      "do_xlat is not obeyed",
      { A: { do_xlat: true, value: "%{User-Password}" } },
      [{ list: "reply", name: "A", op: ":=", values: ["%{User-Password}"] }],
    ],
    ["nothing of null and of empty texts", { A: null, B: "", C: [], D: { value: [null] } }, []],
  ])("reads %s", (_, body, told) => {
    expect(toldIn(body as never)).toEqual(told);
  });

  it("reads nothing of no body", () => expect(toldIn(undefined)).toEqual([]));

  it.each([["text"], [["a"]], [1], [null], [{ A: { value: 1, op: "-=" } }], [{ A: { op: ":=" } }]])(
    "refuses %j",
    (body) => {
      expect(() => toldIn(body as never)).toThrow(UnreadableAnswer);
    },
  );
});

describe("jsonAt()", () => {
  const body = { a: { "b-c": [10, { d: "x" }] }, t: true, z: 0, n: null, __proto__x: 1 };
  it.each([
    ["a.b-c[0]", "10"],
    ["a.b-c[1].d", "x"],
    ["a.b-c", '[10,{"d":"x"}]'],
    ["t", "true"],
    ["z", "0"],
    ["n", undefined],
    ["a.b-c[2]", undefined],
    ["constructor.name", undefined],
    ["t.x", undefined],
  ])("%s is %j", (path, value) => expect(jsonAt(body, path)).toBe(value));
});
