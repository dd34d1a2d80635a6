import { existsSync, realpathSync } from "node:fs";
import { open, rename, rm, stat } from "node:fs/promises";
import { basename, dirname, join, resolve } from "node:path";
import { backup, DatabaseSync } from "node:sqlite";
import { HubError } from "../../errors.ts";
import { storeError } from "../store-error.ts";
import { messageOf } from "./commit-group.ts";
import { sqliteFault } from "./sqlite-fault.ts";

/** All pages in one step: one read transaction, which in WAL mode stops no writer. In several steps each commit of the hub would
 *  make it begin anew. It runs on a thread of libuv. */
const PAGES_A_STEP = 0x7fff_ffff;

/** Copies a store as it is at one moment, also of a hub that runs. `target` is replaced once the copy is complete and on disk.
 *  @returns octets written
 *  @throws {HubError} ERR_STORE, ERR_INPUT for a target that is the store itself or a file that belongs to it */
export async function backupDatabase(source: string, target: string): Promise<number> {
  if (!existsSync(source)) throw storeError("down", `there is no store at ${source}`);
  assertElsewhere(source, target);
  const partial = `${target}.partial`;
  try {
    const connection = new DatabaseSync(source, { readOnly: true });
    try {
      await rm(partial, { force: true });
      const file = await open(partial, "w", 0o600);
      await file.close();
      await backup(connection, partial, { rate: PAGES_A_STEP });
    } finally {
      connection.close();
    }
    await flushed(partial);
    await rename(partial, target);
    return (await stat(target)).size;
  } catch (error) {
    await rm(partial, { force: true });
    throw storeError(sqliteFault(error) ?? "unknown", `no backup: ${messageOf(error)}`, error);
  }
}

/** A copy in the place of a store that somebody writes to would end it. */
function assertElsewhere(source: string, target: string): void {
  const real = realpathSync(source);
  const folder = dirname(resolve(target));
  const meant = existsSync(target)
    ? realpathSync(target)
    : join(existsSync(folder) ? realpathSync(folder) : folder, basename(target));
  if (!OF_STORE.some((suffix) => meant === real + suffix)) return;
  throw new HubError("ERR_INPUT", `${target} is the store itself: a backup needs a file of its own`);
}

/** What SQLite keeps beside a file. */
const OF_STORE = ["", "-wal", "-shm", "-journal"];

async function flushed(path: string): Promise<void> {
  const file = await open(path, "r+");
  try {
    await file.sync();
  } finally {
    await file.close();
  }
}
