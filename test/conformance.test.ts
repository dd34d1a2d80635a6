import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { beforeEach, describe, expect, it } from "vitest";
import { GAPS, LATER, PARTS } from "./conformance-gaps.ts";

const ROOT = join(import.meta.dirname, "..");
const LIST = join(ROOT, "../shared/CONFORMANCE.md");
const ARCHITECTURE = join(ROOT, "ARCHITECTURE.md");

/** What a RadSec server and a reverse sender have to keep: sections 1 to 7 and 12. */
const SECTIONS = new Set(["1", "2", "3", "4", "5", "6", "7", "12"]);
const PREFIXES = "PKT|CRY|TLS|PSK|CON|ST|IDX|RC|PE";
const IDS = new RegExp(`\\b(?:${PREFIXES})-\\d\\d\\b`, "g");

/** Every line of those sections: id and level. */
function requirements(): Map<string, string> {
  const found = new Map<string, string>();
  for (const section of readFileSync(LIST, "utf8").split(/^## /m)) {
    if (!SECTIONS.has(section.match(/^\d+/)?.[0] ?? "")) continue;
    const rows = section.matchAll(new RegExp(`^\\| ((?:${PREFIXES})-\\d\\d) \\| ([^|]+) \\|`, "gm"));
    for (const [, id = "", level = ""] of rows) found.set(id, level.trim());
  }
  return found;
}

/** Ids that stand in the text of tests: titles and table rows; a comment proves nothing. */
function named(): Set<string> {
  const files = readdirSync(import.meta.dirname, { recursive: true, encoding: "utf8" });
  const ids = new Set<string>();
  for (const file of files.filter((each) => each.endsWith(".test.ts"))) {
    const text = readFileSync(join(import.meta.dirname, file), "utf8").replaceAll(
      /^\s*(\/\/|\/?\*).*$|\s\/\/ .*$/gm,
      "",
    );
    for (const [id] of text.matchAll(IDS)) ids.add(id);
  }
  return ids;
}

/** Consecutive ids with one reason are one row. */
function gapTable(): string {
  const rows: { first: string; last: string; reason: string }[] = [];
  for (const [id, reason] of Object.entries(GAPS)) {
    const open = rows.at(-1);
    if (open?.reason === reason && isNext(open.last, id)) open.last = id;
    else rows.push({ first: id, last: id, reason });
  }
  const span = ({ first, last }: { first: string; last: string }) => (first === last ? first : `${first} to ${last}`);
  return [
    "| line | what is missing |",
    "|---|---|",
    ...rows.map((row) => `| ${span(row)} | ${row.reason} |`),
    ...Object.entries(PARTS).map(([id, missing]) => `| ${id}, in part | ${missing} |`),
    ...Object.entries(LATER).map(([families, reason]) => `| ${families} | ${reason} |`),
  ].join("\n");
}

function isNext(before: string, id: string): boolean {
  const [prefix, number] = before.split("-");
  return id === `${prefix}-${String(Number(number) + 1).padStart(2, "0")}`;
}

describe("CONFORMANCE.md", () => {
  beforeEach((context) => {
    if (!existsSync(LIST)) context.skip("../shared/CONFORMANCE.md is not there");
  });

  it("is read: all families, and MUST lines among them", () => {
    const levels = [...requirements().values()];
    expect(levels.length).toBeGreaterThanOrEqual(152);
    expect(levels.filter((level) => level.includes("MUST")).length).toBeGreaterThanOrEqual(96);
  });

  it("has no line that is neither named by a test nor a declared gap", () => {
    const tested = named();
    const open = [...requirements()].filter(([id]) => !tested.has(id) && GAPS[id] === undefined);
    expect(open.map(([id, level]) => `${id} ${level}`)).toEqual([]);
  });

  it("has every line that is declared a gap, whole or in part, and every id that a test names", () => {
    const lines = requirements();
    const claimed = [...Object.keys(GAPS), ...Object.keys(PARTS), ...named()];
    expect(claimed.filter((id) => !lines.has(id))).toEqual([]);
  });
});

describe("declared gaps", () => {
  it("are no gaps any more once a test names them; what is kept in part is named", () => {
    const tested = named();
    expect(Object.keys(GAPS).filter((id) => tested.has(id))).toEqual([]);
    expect(Object.keys(PARTS).filter((id) => !tested.has(id))).toEqual([]);
  });

  it("stand in ARCHITECTURE.md as they stand here", () => {
    const section = readFileSync(ARCHITECTURE, "utf8").split(/^## Declared gaps\n/m)[1] ?? "";
    // The formatter may pad cells.
    const rows = (section.match(/^\|.*$/gm) ?? []).map((row) =>
      row.replaceAll(/ +/g, " ").replaceAll(/ ?-{3,} ?/g, "---"),
    );
    expect(rows.join("\n")).toBe(gapTable());
  });
});

describe("rules that only the source can show", () => {
  it("CRY-14 authenticators are compared by timingSafeEqual and nothing else", () => {
    const source = readFileSync(join(ROOT, "src/radius/authenticator.ts"), "utf8");
    expect(source).toContain("timingSafeEqual(");
    expect(source).not.toMatch(/\.equals\(|\.compare\(|=== *packet\.authenticator/);
  });
});
