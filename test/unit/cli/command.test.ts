import { describe, expect, it } from "vitest";
import { parseAcctSession } from "../../../src/cli/acct-session-option.ts";
import { EXIT, EXIT_CODE_MEANINGS, Options, parsePair } from "../../../src/cli/command.ts";
import { printable } from "../../../src/cli/printable.ts";
import { textTable } from "../../../src/cli/text-table.ts";

const refused = expect.objectContaining({ code: "ERR_INPUT" });

describe("EXIT", () => {
  it("has a meaning in the help for every code", () => {
    expect(EXIT_CODE_MEANINGS.map(([code]) => code)).toEqual(Object.values(EXIT));
  });
});

describe("Options", () => {
  const options = new Options({ count: "12", empty: "", json: true, many: ["a", "b"] });

  it("whole() takes digits within its bounds only", () => {
    expect(options.whole("count", 1, 1, 12)).toBe(12);
    expect(options.whole("absent", 7, 1, 12)).toBe(7);
    for (const count of ["13", "0", "-1", "1.5", "1e1", "", " 1"]) {
      expect(() => new Options({ count }).whole("count", 1, 1, 12), count).toThrow(refused);
    }
  });

  it("gives each option in its own type and nothing else", () => {
    expect([options.text("json"), options.flag("count"), options.list("count")]).toEqual([undefined, false, []]);
    expect([options.text("count"), options.flag("json"), options.list("many")]).toEqual(["12", true, ["a", "b"]]);
    expect(() => options.required("empty")).toThrow(refused);
  });
});

describe("parsePair()", () => {
  it("splits at the first =", () => {
    expect(parsePair("Filter-Id=a=b", "attribute")).toEqual(["Filter-Id", "a=b"]);
    expect(parsePair("Class=", "attribute")).toEqual(["Class", ""]);
    for (const text of ["", "=x", "x"]) expect(() => parsePair(text, "attribute"), text).toThrow(refused);
  });
});

describe("parseAcctSession()", () => {
  it("reads all keys, in any order", () => {
    expect(parseAcctSession("id=a1;ip=10.0.0.7;mac=02-00;user=alice")).toEqual({
      username: "alice",
      acctSessionId: "a1",
      callingStationId: "02-00",
      framedIp: "10.0.0.7",
    });
  });

  it.each(["", "user=alice", "id=a1", "user=;id=a1", "user=alice;id=a1;colour=red", "user=a;user=b;id=a1"])(
    "refuses %j",
    (text) => {
      expect(() => parseAcctSession(text)).toThrow(refused);
    },
  );
});

describe("textTable()", () => {
  it("aligns columns without lines or colours", () => {
    const table = textTable(
      ["NAS", "LINK"],
      [
        ["shop-7", "hub-1"],
        ["x", "hub-22"],
      ],
    );
    expect(table).toBe("NAS     LINK\nshop-7  hub-1\nx       hub-22");
  });
});

describe("printable()", () => {
  it("keeps control characters out of a terminal, and letters of every language in", () => {
    expect(printable("\u001b]0;owned\u0007 \u009b31m Zoë 店")).toBe("?]0;owned? ?31m Zoë 店");
    expect(printable("admin\u202eecila\u2028\u200b")).toBe("admin?ecila??");
  });
});
