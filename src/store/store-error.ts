import { HubError } from "../errors.ts";
import type { StoreFault } from "./types.ts";

/** The one error of a store: ERR_STORE with the fault as `details.reason`. */
export function storeError(reason: StoreFault, message: string, cause?: unknown): HubError {
  return new HubError("ERR_STORE", message, { reason }, cause === undefined ? undefined : { cause });
}

/** The fault of an error that a store gave; undefined for any other error. */
export function storeFault(error: unknown): StoreFault | undefined {
  if (!(error instanceof HubError) || error.code !== "ERR_STORE") return undefined;
  return error.details["reason"] as StoreFault;
}
