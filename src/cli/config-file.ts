import { readFileSync } from "node:fs";
import { join, relative, resolve } from "node:path";
import type { Config, LoadedConfig } from "../config.ts";
import { problemText } from "../config/problem.ts";
import { HubError } from "../errors.ts";
import type { CliIo } from "./command.ts";
import { readNamedFile } from "./named-file.ts";
import { findConfigFile, packageFolder } from "./package-files.ts";

/** The hub.yaml that a command means, read and checked with everything that it names.
 *  @throws {HubError} ERR_INPUT when it is not there */
export async function loadConfigFile(
  io: CliIo,
  named: string | undefined,
): Promise<{ readonly file: string; readonly loaded: LoadedConfig }> {
  // Loaded when asked for: the other commands start without the schema and the dictionaries.
  const { loadConfig } = await import("../config.ts");
  const { catalogueFor } = await import("../config/module-catalogue.ts");
  const { Dictionary } = await import("../radius/dictionary.ts");
  const path = findConfigFile(io, named);
  const file = relative(io.cwd, path);
  const text = readNamedFile(io.cwd, path);
  const source = {
    file,
    env: io.env,
    readFile: (other: string) => readFileSync(resolve(io.cwd, other), "utf8"),
    dictionary: Dictionary.load(join(packageFolder(), "config/dictionaries")),
  };
  const { modules, problems } = await catalogueFor(text, source);
  const loaded = loadConfig(text, { ...source, modules });
  if (problems.length === 0) return { file, loaded };
  return { file, loaded: { ok: false, problems: [...problems, ...(loaded.ok ? [] : loaded.problems)], warnings: [] } };
}

/** @throws {HubError} ERR_INPUT when it is not there, ERR_CONFIG with every mistake in it */
export async function readConfig(io: CliIo, named: string | undefined): Promise<Config> {
  const { loaded } = await loadConfigFile(io, named);
  if (loaded.ok) return loaded.config;
  throw new HubError("ERR_CONFIG", loaded.problems.map(problemText).join("\n"));
}
