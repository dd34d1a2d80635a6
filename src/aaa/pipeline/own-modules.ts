import { createHash } from "node:crypto";
import { readdirSync, readFileSync } from "node:fs";
import { registerHooks } from "node:module";
import { join, resolve } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import type { ModuleCatalogue } from "./module-set.ts";
import type { ModuleDefinition } from "./types.ts";

/** What is wrong with a file of the folder. */
export interface OwnModuleProblem {
  readonly file: string;
  /** From 1. */
  readonly line: number;
  readonly message: string;
}

export interface OwnModules {
  readonly modules: ModuleCatalogue;
  readonly problems: readonly OwnModuleProblem[];
}

/** What a module of an operator imports. */
const PACKAGE = "radsec-hub/module";
const FILE = /\.(?:ts|js|mjs)$/;
/** Files in the folder; it is no place for anything else. */
const FILES_MAX = 100;

let resolves = false;

/** Reads the operator's own modules: each file of the folder exports one as `module`. A file that has changed since it was read
 *  last is read anew. TypeScript works as it is; it is not checked here.
 *  @param builtIn modules whose names are taken */
export async function loadOwnModules(folder: string, builtIn: ModuleCatalogue): Promise<OwnModules> {
  resolvePackage();
  const modules = new Map<string, ModuleDefinition>();
  const problems: OwnModuleProblem[] = [];
  let files: readonly string[];
  try {
    files = readdirSync(folder).filter((each) => FILE.test(each) && !each.endsWith(".d.ts"));
  } catch {
    return { modules, problems: [{ file: folder, line: 1, message: "the folder of modules can not be read" }] };
  }
  if (files.length > FILES_MAX) {
    return { modules, problems: [{ file: folder, line: 1, message: `more than ${FILES_MAX} files` }] };
  }
  for (const file of files.toSorted().map((each) => join(folder, each))) {
    const read = await loadOne(file);
    const mistake = "definition" in read ? nameMistake(read.definition.name, builtIn, modules) : undefined;
    if ("problem" in read) problems.push(read.problem);
    else if (mistake === undefined) modules.set(read.definition.name, read.definition);
    else problems.push({ file, line: 1, message: mistake });
  }
  return { modules, problems };
}

async function loadOne(
  file: string,
): Promise<{ readonly definition: ModuleDefinition } | { readonly problem: OwnModuleProblem }> {
  const url = pathToFileURL(resolve(file));
  try {
    url.searchParams.set("content", createHash("sha256").update(readFileSync(file)).digest("hex").slice(0, 16));
    const { module } = (await import(url.href)) as { readonly module?: unknown };
    if (isDefinition(module)) return { definition: module };
    const message = "exports no module: it needs `export const module = defineModule({ name, settings, instantiate })`";
    return { problem: { file, line: 1, message } };
  } catch (error) {
    return { problem: { file, line: lineOf(error, url), message: text(error) } };
  }
}

function isDefinition(value: unknown): value is ModuleDefinition {
  if (typeof value !== "object" || value === null) return false;
  const { name, settings, instantiate } = value as Partial<ModuleDefinition>;
  const isSchema = typeof settings === "object" && settings !== null && typeof settings.safeParse === "function";
  return (
    typeof name === "string" &&
    /^[A-Za-z0-9][A-Za-z0-9_-]{0,62}$/.test(name) &&
    isSchema &&
    typeof instantiate === "function"
  );
}

function nameMistake(name: string, builtIn: ModuleCatalogue, own: ReadonlyMap<string, unknown>): string | undefined {
  if (builtIn.has(name)) return `the name ${name} belongs to a module that comes with the hub`;
  return own.has(name) ? `another file has a module ${name} already` : undefined;
}

/** Wherever the folder is, "radsec-hub/module" is this hub, so that a module needs no node_modules beside it. */
function resolvePackage(): void {
  if (resolves) return;
  resolves = true;
  const url = import.meta.resolve(import.meta.url.endsWith(".ts") ? "./module.ts" : "./module.js");
  registerHooks({
    resolve: (specifier, context, next) => next(specifier === PACKAGE ? url : specifier, context),
  });
}

/** The line of the file in what an import threw: a syntax error names it first, everything else in its stack. */
function lineOf(error: unknown, url: URL): number {
  const stack = error instanceof Error ? (error.stack ?? "") : "";
  for (const place of [url.href, fileURLToPath(url)]) {
    const at = stack.indexOf(`${place}:`);
    if (at >= 0) return Number.parseInt(stack.slice(at + place.length + 1), 10) || 1;
  }
  return 1;
}

function text(error: unknown): string {
  return error instanceof Error ? (error.message.split("\n", 1)[0] ?? "") : "failed";
}
