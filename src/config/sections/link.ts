import type { DynauthConfig } from "./dynauth.ts";
import type { StatusConfig } from "./status.ts";

/** What each link of a listener is told. */
export interface LinkConfig {
  readonly queueMax: number;
  readonly writeBacklogBytesMax: number;
  readonly requestsInHandlerMax: number;
  readonly statusServer: StatusConfig;
  readonly timestampWindowMs: number;
  readonly rejectDelayMs: { readonly min: number; readonly max: number };
}

export function linkConfig(
  limits: { readonly writeBacklog: number; readonly requestsInHandler: number },
  rejectDelayMs: LinkConfig["rejectDelayMs"],
  dynauth: DynauthConfig,
  status: StatusConfig,
): LinkConfig {
  return {
    queueMax: dynauth.queueMax,
    writeBacklogBytesMax: limits.writeBacklog,
    requestsInHandlerMax: limits.requestsInHandler,
    statusServer: status,
    timestampWindowMs: dynauth.timestampWindowMs,
    rejectDelayMs,
  };
}
