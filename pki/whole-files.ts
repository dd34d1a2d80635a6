import { randomBytes } from "node:crypto";
import { chmod, mkdir, open, readFile, rename, rm, stat } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { HubError } from "../src/errors.ts";

/** Files and folders that appear whole or not at all: each is made under a hidden name beside its place and renamed into it.
 *  So a crash leaves no half key, and of two processes one wins without a lock that could go stale. */

const OWNER_ONLY_FOLDER = 0o700;
const OWNER_ONLY_FILE = 0o600;
const READABLE_FILE = 0o644;
const OTHERS = 0o077;

export interface FileContent {
  readonly text: string;
  /** A secret is readable by its owner only. */
  readonly secret: boolean;
}

/** Makes a folder with mode 0700. One that exists keeps its mode: it may be somebody's mount.
 *  @throws {HubError} ERR_PKI */
export async function makeFolder(folder: string): Promise<void> {
  await named("make the folder", folder, async () => {
    await mkdir(dirname(folder), { recursive: true });
    await mkdir(folder, { mode: OWNER_ONLY_FOLDER }).catch(async (error: unknown) => {
      if (codeOf(error) !== "EEXIST" || !(await stat(folder)).isDirectory()) throw error;
    });
  });
}

/** @returns the text, or undefined where there is no such file. @throws {HubError} ERR_PKI */
export async function readText(file: string): Promise<string | undefined> {
  return await named("read", file, async () => {
    try {
      return await readFile(file, "utf8");
    } catch (error) {
      if (codeOf(error) === "ENOENT") return undefined;
      throw error;
    }
  });
}

/** Reads a secret; modes that a copy or an archive has loosened are put back first. @throws {HubError} ERR_PKI */
export async function readSecret(file: string): Promise<string | undefined> {
  const text = await readText(file);
  if (text !== undefined) {
    await named("keep others from reading", file, async () => {
      if (((await stat(file)).mode & OTHERS) !== 0) await chmod(file, OWNER_ONLY_FILE);
    });
  }
  return text;
}

/** Writes or replaces one file. @throws {HubError} ERR_PKI */
export async function replaceFile(file: string, content: FileContent): Promise<void> {
  await named("write", file, async () => {
    const hidden = hiddenBeside(file);
    try {
      await writeNew(hidden, content);
      await rename(hidden, file);
    } catch (error) {
      await rm(hidden, { force: true });
      throw error;
    }
  });
}

/** Makes a folder with all its files at once. @returns false, having changed nothing, if it is there already
 *  @throws {HubError} ERR_PKI */
export async function createFolder(folder: string, files: Readonly<Record<string, FileContent>>): Promise<boolean> {
  return await named("write", folder, async () => {
    const hidden = hiddenBeside(folder);
    try {
      await mkdir(hidden, { mode: OWNER_ONLY_FOLDER });
      for (const [name, content] of Object.entries(files)) await writeNew(join(hidden, name), content);
      await rename(hidden, folder);
      return true;
    } catch (error) {
      await rm(hidden, { recursive: true, force: true });
      // rename(2) replaces an empty folder only: this is what makes the creation exclusive.
      if (codeOf(error) === "ENOTEMPTY" || codeOf(error) === "EEXIST") return false;
      throw error;
    }
  });
}

/** Moves a folder out of the way and deletes it; none there is fine. @throws {HubError} ERR_PKI */
export async function removeFolder(folder: string): Promise<void> {
  await named("remove", folder, async () => {
    const hidden = hiddenBeside(folder);
    try {
      await rename(folder, hidden);
    } catch (error) {
      if (codeOf(error) === "ENOENT") return;
      throw error;
    }
    await rm(hidden, { recursive: true });
  });
}

/** Adds one line in one write, so that lines of two processes do not mix. @throws {HubError} ERR_PKI */
export async function appendLine(file: string, line: string): Promise<void> {
  await named("write", file, async () => {
    const handle = await open(file, "a", OWNER_ONLY_FILE);
    try {
      await handle.write(`${line}\n`);
      await handle.sync();
    } finally {
      await handle.close();
    }
  });
}

async function writeNew(file: string, { text, secret }: FileContent): Promise<void> {
  const handle = await open(file, "wx", secret ? OWNER_ONLY_FILE : READABLE_FILE);
  try {
    await handle.writeFile(text);
    // Without this a power cut after the rename can leave the new name on an empty file.
    await handle.sync();
  } finally {
    await handle.close();
  }
}

function hiddenBeside(path: string): string {
  return join(dirname(path), `.${basename(path)}.${randomBytes(6).toString("hex")}`);
}

async function named<Result>(action: string, file: string, step: () => Promise<Result>): Promise<Result> {
  try {
    return await step();
  } catch (error) {
    const code = codeOf(error);
    throw new HubError(
      "ERR_PKI",
      `cannot ${action} ${file}: ${reasonOf(code, error)}`,
      { file, code },
      { cause: error },
    );
  }
}

function codeOf(error: unknown): string | undefined {
  return error instanceof Error && "code" in error && typeof error.code === "string" ? error.code : undefined;
}

function reasonOf(code: string | undefined, error: unknown): string {
  switch (code) {
    case "EACCES":
    case "EPERM":
      return "permission denied";
    case "EROFS":
      return "the file system is read-only";
    case "ENOSPC":
      return "the disk is full";
    case "ENOTDIR":
    case "EEXIST":
      return "a file is in the way";
    case "EISDIR":
      return "a folder is in the way";
    default:
      return code ?? String(error);
  }
}
