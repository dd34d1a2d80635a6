import { readdirSync, readFileSync } from "node:fs";
import { dirname, join, relative } from "node:path";
import { describe, expect, it } from "vitest";

const ROOT = join(import.meta.dirname, "..");
const SRC = join(ROOT, "src");

/** Lowest first. A file may import its own layer and those before it (DESIGN.md "Layout"). Names in one row are one level. */
const LAYERS: readonly (readonly string[])[] = [
  ["errors.ts", "clock.ts", "events.ts"],
  ["radius"],
  ["transport"],
  ["registry"],
  ["store", "cluster"],
  ["dynauth"],
  ["aaa"],
  ["http"],
  ["nas"],
  ["cli", "config.ts", "config"],
  [
    "log.ts",
    "log",
    "link-events.ts",
    "tls-material.ts",
    "expiry-watch.ts",
    "bookkeeping.ts",
    "api-books.ts",
    "request-chain.ts",
    "listen-faults.ts",
    "listeners.ts",
    "module-services.ts",
  ],
  ["hub.ts"],
  ["serve.ts"],
  ["main.ts"],
];

/** Who may import what; everybody may import what is not named here. */
const OWNERS: readonly { readonly module: RegExp; readonly folders: readonly string[] }[] = [
  { module: /^node:(tls|net|dgram)$/, folders: ["transport", "nas"] },
  { module: /^node:sqlite$|^mongodb$/, folders: ["store"] },
  { module: /^@nats-io\//, folders: ["cluster"] },
  { module: /^radius$/, folders: ["radius"] },
  { module: /^hono|^@hono\//, folders: ["http"] },
  { module: /^prom-client$/, folders: ["http"] },
  { module: /^undici$/, folders: ["aaa"] },
  { module: /^pino/, folders: ["log.ts", "log"] },
  { module: /^yaml$/, folders: ["config"] },
  { module: /^node:process$/, folders: ["main.ts"] },
];

interface Import {
  readonly file: string;
  readonly target: string;
  readonly typeOnly: boolean;
}

function sourceFiles(folder: string): string[] {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && entry.name.endsWith(".ts"))
    .map((entry) => join(entry.parentPath, entry.name));
}

function importsOf(file: string): Import[] {
  const text = readFileSync(file, "utf8");
  const found = text.matchAll(
    /(?:^|\n)\s*(?:import|export)\s(type\s)?[^;]*?from\s+"([^"]+)"|(?:^|\n)import\s+"([^"]+)"|import\("([^"]+)"\)/g,
  );
  return [...found].map((match) => ({
    file,
    target: (match[2] ?? match[3] ?? match[4]) as string,
    typeOnly: match[1] !== undefined,
  }));
}

/** "transport", "config.ts", ... : the first step below src. */
function layerName(file: string): string {
  return relative(SRC, file).split("/")[0] as string;
}

function level(name: string): number {
  return LAYERS.findIndex((row) => row.includes(name));
}

const imports = sourceFiles(SRC).flatMap(importsOf);

describe("architecture", () => {
  it("has a level for every folder and file of src", () => {
    const unknown = readdirSync(SRC).filter((name) => level(name) === -1);
    expect(unknown).toEqual([]);
  });

  it("imports downwards only", () => {
    const wrong = imports
      .filter(({ target }) => target.startsWith("."))
      .map(({ file, target }) => ({ file, to: join(dirname(file), target) }))
      .filter(({ to }) => to.startsWith(SRC))
      .filter(({ file, to }) => level(layerName(to)) > level(layerName(file)))
      .map(({ file, to }) => `${relative(ROOT, file)} -> ${relative(ROOT, to)}`);
    expect(wrong).toEqual([]);
  });

  it("keeps sockets, drivers and libraries in the folders that own them", () => {
    const wrong = imports
      .filter(({ file, target }) =>
        OWNERS.some(({ module, folders }) => module.test(target) && !folders.includes(layerName(file))),
      )
      .filter(({ target, typeOnly }) => !(typeOnly && target.startsWith("node:")))
      .map(({ file, target }) => `${relative(ROOT, file)} imports ${target}`);
    expect(wrong).toEqual([]);
  });

  it("keeps src/radius pure: no sockets and no clock; files only to load the dictionary", () => {
    const allowed = new Set([
      "node:buffer",
      "node:crypto",
      "node:fs",
      "node:path",
      "node:module",
      "ipaddr.js",
      "radius",
    ]);
    const wrong = imports
      .filter(({ file, target }) => layerName(file) === "radius" && !target.startsWith("."))
      .filter(({ target }) => !allowed.has(target))
      .map(({ file, target }) => `${relative(ROOT, file)} imports ${target}`);
    expect(wrong).toEqual([]);
  });

  it("reads process.* in main.ts alone", () => {
    const wrong = sourceFiles(SRC)
      .filter((file) => layerName(file) !== "main.ts")
      .filter((file) => /\bprocess\.[a-z]/.test(code(readFileSync(file, "utf8"))))
      .map((file) => relative(ROOT, file));
    expect(wrong).toEqual([]);
  });

  it("imports only what it uses from pki/: errors and clock", () => {
    const wrong = sourceFiles(join(ROOT, "pki"))
      .flatMap(importsOf)
      .filter(({ target }) => target.includes("/src/"))
      .filter(({ target }) => !/\/src\/(errors|clock)\.ts$/.test(target))
      .map(({ file, target }) => `${relative(ROOT, file)} -> ${target}`);
    expect(wrong).toEqual([]);
  });
});

/** Of DESIGN.md. */
const INVARIANTS = 10;

describe("invariants 1 to 10 of DESIGN.md", () => {
  const cited = (folders: readonly string[]) => {
    const text = folders.flatMap((folder) => sourceFiles(join(ROOT, folder))).map((file) => readFileSync(file, "utf8"));
    const numbers = text.flatMap((each) => [...each.matchAll(/\binvariants? (\d+(?:(?:, | and )\d+)*)/gi)]);
    return new Set(numbers.flatMap(([, list = ""]) => list.match(/\d+/g) ?? []).map(Number));
  };
  const all = Array.from({ length: INVARIANTS }, (_, index) => index + 1);

  it.each([["the code that keeps it", ["src", "pki"]] as const, ["a test", ["test"]] as const])(
    "are each cited by %s",
    (_who, folders) => {
      const found = cited(folders);
      expect(all.filter((number) => !found.has(number))).toEqual([]);
      expect([...found].filter((number) => !all.includes(number))).toEqual([]);
    },
  );
});

/** Without comments and texts. */
function code(text: string): string {
  return text.replaceAll(/\/\*[\s\S]*?\*\/|\/\/.*$|"(?:[^"\\\n]|\\.)*"/gm, "");
}
