import type { PipelineRequest } from "./request.ts";

/** One packet on its way. The request in it is replaced when a call was given up: what that call still changes afterwards, it
 *  changes for itself alone. */
export interface Pass {
  request: PipelineRequest;
  /** Somebody who stores has stored the record (invariant 6). */
  stored: boolean;
}
