import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { beforeEach, describe, expect, it } from "vitest";
import { GAPS, LATER, PARTS } from "./conformance-gaps.ts";

const ROOT = join(import.meta.dirname, "..");
const LIST = join(ROOT, "../shared/CONFORMANCE.md");
const ARCHITECTURE = join(ROOT, "ARCHITECTURE.md");

/** All that the hub does: sections 1 to 12. */
const SECTIONS = new Set(Array.from({ length: 12 }, (_, index) => String(index + 1)));
const PREFIXES = "PKT|CRY|TLS|PSK|CON|ST|WD|IDX|RC|DP|UC|UL|BR|PE";
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

/** Situations of the table of section 18, "situation at the hub -> answer to the DAC". */
function situations(): string[] {
  const section =
    readFileSync(LIST, "utf8")
      .split(/^## /m)
      .find((each) => each.startsWith("18.")) ?? "";
  const table = section.slice(section.indexOf("| situation at the hub |"));
  return [...table.matchAll(/^\| ([^|]+) \| [^|]+ \| [^|]+ \|$/gm)].map(([, situation = ""]) => situation).slice(1);
}

/** The text of tests, titles and table rows among it; a comment proves nothing. */
function textOfTests(): string[] {
  const files = readdirSync(import.meta.dirname, { recursive: true, encoding: "utf8" });
  return files
    .filter((each) => each.endsWith(".test.ts"))
    .map((file) => readFileSync(join(import.meta.dirname, file), "utf8"))
    .map((text) => text.replaceAll(/^\s*(\/\/|\/?\*).*$|\s\/\/ .*$/gm, ""));
}

/** Ids that stand in the text of tests. */
function named(): Set<string> {
  return new Set(textOfTests().flatMap((text) => [...text.matchAll(IDS)].map(([id]) => id)));
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
    expect(levels.length).toBeGreaterThanOrEqual(236);
    expect(levels.filter((level) => level.includes("MUST")).length).toBeGreaterThanOrEqual(159);
  });

  it("has no line that is neither named by a test nor a declared gap", () => {
    const tested = named();
    const open = [...requirements()].filter(([id]) => !tested.has(id) && GAPS[id] === undefined);
    expect(open.map(([id, level]) => `${id} ${level}`)).toEqual([]);
  });

  it("has no situation in its table of answers to a DAC that no test names", () => {
    const tests = textOfTests().join("\n");
    const table = situations();
    expect(table).toHaveLength(12);
    expect(table.filter((situation) => !tests.includes(situation))).toEqual([]);
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
