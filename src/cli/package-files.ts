import { existsSync, readFileSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { HubError } from "../errors.ts";
import type { CliIo } from "./command.ts";

/** The folder of package.json: two levels up in a checkout, three in the built package. */
export function packageFolder(): string {
  let folder = import.meta.dirname;
  while (!existsSync(join(folder, "package.json")) && dirname(folder) !== folder) folder = dirname(folder);
  return folder;
}

export function packageVersion(): string {
  const { version } = JSON.parse(readFileSync(join(packageFolder(), "package.json"), "utf8")) as { version: string };
  return version;
}

/** The hub.yaml that a command means: the one named, else config/hub.yaml here, else the one that the package ships.
 *  @throws {HubError} ERR_INPUT when the one named does not exist */
export function findConfigFile(io: CliIo, named: string | undefined): string {
  if (named !== undefined) {
    const file = resolve(io.cwd, named);
    if (!existsSync(file)) throw new HubError("ERR_INPUT", `${named} does not exist`);
    return file;
  }
  const local = resolve(io.cwd, "config/hub.yaml");
  return existsSync(local) ? local : join(packageFolder(), "config/hub.yaml");
}
