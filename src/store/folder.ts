import { mkdirSync, statSync } from "node:fs";
import { dirname } from "node:path";

/** Makes a folder and what is missing above it, one by one: Node's recursive mkdir never returns where a folder that is there lets
 *  none be made in it and says ENOENT, as /proc does. @throws what the system says */
export function makeFolder(folder: string, mode = 0o777): void {
  const there = statSync(folder, { throwIfNoEntry: false });
  if (there?.isDirectory() === true) return;
  if (there === undefined) makeFolder(dirname(folder), mode); // the root is there
  try {
    mkdirSync(folder, { mode });
  } catch (error) {
    if (statSync(folder, { throwIfNoEntry: false })?.isDirectory() !== true) throw error; // else somebody else was faster
  }
}
