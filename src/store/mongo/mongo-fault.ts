import { MongoBulkWriteError, MongoError, MongoServerError } from "mongodb";
import { storeError, storeFault } from "../store-error.ts";
import type { StoreFault } from "../types.ts";

const DUPLICATE_KEY = 11_000;

/** Errors of the driver about a command that it never sent. */
const NOT_SENT: Readonly<Record<string, StoreFault>> = {
  MongoServerSelectionError: "down",
  MongoPoolClearedError: "down",
  MongoNotConnectedError: "down",
  MongoTopologyClosedError: "down",
  MongoClientClosedError: "down",
  MongoPoolClosedError: "down",
  MongoWaitQueueTimeoutError: "queue-full",
};

/** The server refused a command before it did anything. */
const REFUSED: Readonly<Record<number, StoreFault>> = {
  13: "down", // Unauthorized
  18: "down", // AuthenticationFailed
  14031: "full", // OutOfDiskSpace
};

/** "write" is one command, "writes" are several. */
export type CallKind = "read" | "write" | "writes";

/** ERR_STORE for an error of the driver, any other error as it is. What is not known to have been left undone may have been done:
 *  "unknown". */
export function mongoFault(error: unknown, kind: CallKind): unknown {
  if (error instanceof MongoError) return storeError(faultOf(error, kind), error.message, error);
  return kind === "writes" && storeFault(error) !== undefined ? storeError("unknown", messageOf(error), error) : error;
}

function faultOf(error: MongoError, kind: CallKind): StoreFault {
  const known = NOT_SENT[error.name] ?? refusal(error);
  if (kind === "read") return known ?? "down";
  return kind === "write" ? (known ?? "unknown") : "unknown";
}

/** A bulk write may have done some of its parts. */
function refusal(error: MongoError): StoreFault | undefined {
  if (error instanceof MongoBulkWriteError || !(error instanceof MongoServerError)) return undefined;
  return REFUSED[Number(error.code)];
}

export function isDuplicateKey(error: unknown): boolean {
  return error instanceof MongoServerError && error.code === DUPLICATE_KEY && !(error instanceof MongoBulkWriteError);
}

/** Which operations of an unordered bulk write met an `_id` that was there already.
 *  @throws the error itself when anything else failed */
export function duplicateIndexes(error: unknown): ReadonlySet<number> {
  if (!(error instanceof MongoBulkWriteError) || error.result.getWriteConcernError() !== undefined) throw error;
  const failures = error.result.getWriteErrors();
  if (failures.length === 0 || failures.some(({ code }) => code !== DUPLICATE_KEY)) throw error;
  return new Set(failures.map(({ index }) => index));
}

export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
