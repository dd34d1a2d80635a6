import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { HubError } from "../../../src/errors.ts";
import { parseForm } from "../../../src/http/form-text.ts";
import { parseJson } from "../../../src/http/json-text.ts";
import { nasName, parseNasName } from "../../../src/registry/nas-name.ts";

/** Numbers that parseJson() refuses on purpose. */
const hasUnsafeInteger = (value: unknown): boolean =>
  typeof value === "number"
    ? Number.isInteger(value) && !Number.isSafeInteger(value)
    : typeof value === "object" && value !== null && Object.values(value).some(hasUnsafeInteger);

describe("parseJson()", () => {
  it("reads what JSON.stringify() writes, spaced or not", () => {
    fc.assert(
      fc.property(fc.jsonValue({ maxDepth: 8 }), fc.constantFrom(0, 1, "\t"), (value, space) => {
        fc.pre(!hasUnsafeInteger(value));
        const text = JSON.stringify(value, null, space);
        expect(parseJson(text)).toEqual(JSON.parse(text));
      }),
    );
  });

  it("takes nothing that JSON.parse() does not take, and throws HubError only", () => {
    const soup = fc.string({ unit: fc.constantFrom(...'{}[]",:\\ \n0-.eE1tfnrul\u0001\u00e9'.split("")) });
    fc.assert(
      fc.property(soup, (text) => {
        try {
          expect(parseJson(text)).toEqual(JSON.parse(text));
        } catch (error) {
          expect(error).toBeInstanceOf(HubError);
        }
      }),
      { numRuns: 2_000 },
    );
  });

  it("refuses more than 5,000 values, which nobody means and which take their time", () => {
    const list = (count: number) => `[${Array.from({ length: count }, () => "0").join()}]`;
    expect(parseJson(list(4_999))).toHaveLength(4_999);
    expect(() => parseJson(list(5_000))).toThrow("more than 5000 values");
  });

  it("refuses every proper prefix", () => {
    const text = '{"a":[1,{"b":"\\u00e9"}],"c":null}';
    for (let length = 0; length < text.length; length += 1) {
      expect(() => parseJson(text.slice(0, length)), `${length} characters`).toThrow(HubError);
    }
  });

  it('keeps "__proto__" as a member', () => {
    const value = parseJson('{"__proto__":{"polluted":true}}') as object;
    expect(Object.keys(value)).toEqual(["__proto__"]);
    expect(Object.getPrototypeOf(value)).toBe(Object.prototype);
  });

  it("reads text of a megabyte at once", () => {
    const text = "\\n\u00e9".repeat(300_000);
    expect(parseJson(`"${text}"`)).toHaveLength(600_000);
  });

  it.each(["9007199254740992", "-9007199254740992", "1e400"])("refuses %s, which a double cannot hold", (text) => {
    expect(() => parseJson(text)).toThrow(/double quotes/);
  });
});

describe("parseForm()", () => {
  it("reads what URLSearchParams writes", () => {
    const pairs = fc.array(fc.tuple(fc.string({ unit: "grapheme" }), fc.string({ unit: "grapheme" })));
    fc.assert(
      fc.property(pairs, (given) => {
        const named = given.filter(([name, value]) => name !== "" || value !== "");
        expect(parseForm(new URLSearchParams(named).toString(), "query")).toEqual(named);
      }),
    );
  });

  it.each(["a=%", "a=%4", "a=%zz", "a=%ff", "%c3=1", "a=%ed%a0%80", "a=\u00ff"])(
    "refuses %j, which is not UTF-8",
    (text) => {
      expect(() => parseForm(text, "body")).toThrow(
        expect.objectContaining({ message: expect.stringMatching(/^body: /) }),
      );
    },
  );
});

describe("nasName() and parseNasName()", () => {
  it("IDX-05 the way back from what is shown is exact, for any octets", () => {
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 1, maxLength: 253 }), (octets) => {
        const latin1 = Buffer.from(octets).toString("latin1");
        expect(parseNasName(nasName(latin1))).toBe(latin1);
      }),
    );
  });

  it.each([
    ["edge-1", "edge-1"],
    [Buffer.from("zürich").toString("latin1"), "zürich"],
    ["\u00ff", "0xff"],
    ["a\u0000", "0x6100"],
    ["a\u0085", "0x6185"],
    ["0x41", "0x30783431"],
    ["0x4", "0x4"],
    [Buffer.from("\ufeffx").toString("latin1"), "\ufeffx"],
  ])("%j is shown as %j", (latin1, shown) => {
    expect(nasName(latin1)).toBe(shown);
    expect(parseNasName(shown)).toBe(latin1);
  });
});
