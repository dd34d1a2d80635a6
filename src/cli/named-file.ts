import { readFileSync } from "node:fs";
import { resolve } from "node:path";
import { HubError } from "../errors.ts";

/** Reads a file that an option names.
 *  @throws {HubError} ERR_INPUT, naming the file and why it cannot be read */
export function readNamedFile(cwd: string, file: string): string {
  try {
    return readFileSync(resolve(cwd, file), "utf8");
  } catch (error) {
    const code = error instanceof Error && "code" in error ? String(error.code) : "unknown";
    const why = code === "ENOENT" ? "it does not exist" : code;
    throw new HubError("ERR_INPUT", `cannot read ${file}: ${why}`, { file, code });
  }
}
