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

const NODE_FAULTS: Readonly<Record<string, StoreFault>> = {
  ENOSPC: "full",
  EDQUOT: "full",
  EROFS: "read-only",
  EACCES: "read-only",
  EPERM: "read-only",
};

/** What an error of SQLite, or of making its file, means. An I/O error leaves open whether a commit came through. */
export function sqliteFault(error: unknown): StoreFault {
  const known = storeFault(error);
  if (known !== undefined) return known;
  const { errcode, code } = error as { errcode?: number; code?: string };
  if (typeof errcode === "number") return FAULTS[errcode & 0xff] ?? "unknown";
  return NODE_FAULTS[code ?? ""] ?? "unknown";
}
