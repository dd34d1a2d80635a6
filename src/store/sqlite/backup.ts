import { existsSync } from "node:fs";
import { open, rename, rm, stat } from "node:fs/promises";
import { backup, DatabaseSync } from "node:sqlite";
import { storeError } from "../store-error.ts";
import { messageOf } from "./commit-group.ts";
import { sqliteFault } from "./sqlite-fault.ts";

/** All pages in one step: one read transaction, which in WAL mode stops no writer. In several steps each commit of the hub would
 *  make it begin anew. It runs on a thread of libuv. */
const PAGES_A_STEP = 0x7fff_ffff;

/** Copies a store as it is at one moment, also of a hub that runs. `target` is replaced once the copy is complete and on disk.
 *  @returns octets written
 *  @throws {HubError} ERR_STORE */
export async function backupDatabase(source: string, target: string): Promise<number> {
  if (!existsSync(source)) throw storeError("down", `there is no store at ${source}`);
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

async function flushed(path: string): Promise<void> {
  const file = await open(path, "r+");
  try {
    await file.sync();
  } finally {
    await file.close();
  }
}
