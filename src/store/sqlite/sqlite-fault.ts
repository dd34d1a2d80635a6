import { storeFault } from "../store-error.ts";
import type { StoreFault } from "../types.ts";

/** SQLite's primary result codes (sqlite.org/rescode.html), the lower octet of `errcode`. */
const FAULTS: Readonly<Record<number, StoreFault>> = {
  5: "busy", // SQLITE_BUSY
  6: "busy", // SQLITE_LOCKED
  8: "read-only", // SQLITE_READONLY
  11: "corrupt", // SQLITE_CORRUPT
  13: "full", // SQLITE_FULL
  14: "down", // SQLITE_CANTOPEN
  26: "corrupt", // SQLITE_NOTADB
};

/** SQLITE_ERROR, _TOOBIG, _CONSTRAINT, _MISMATCH, _MISUSE, _RANGE: the statement or its values are wrong, the database is not. */
const MISTAKES: ReadonlySet<number> = new Set([1, 18, 19, 20, 21, 25]);

const NODE_FAULTS: Readonly<Record<string, StoreFault>> = {
  ENOSPC: "full",
  EDQUOT: "full",
  EROFS: "read-only",
  EACCES: "read-only",
  EPERM: "read-only",
};

/** What an error of SQLite, or of making its file, means; undefined for one that is a mistake of this program. An I/O error
 *  leaves open whether a commit came through. */
export function sqliteFault(error: unknown): StoreFault | undefined {
  const known = storeFault(error);
  if (known !== undefined) return known;
  const { errcode, code } = error as { errcode?: number; code?: string };
  if (typeof errcode === "number")
    return FAULTS[errcode & 0xff] ?? (MISTAKES.has(errcode & 0xff) ? undefined : "unknown");
  return NODE_FAULTS[code ?? ""];
}
