import type { AccountingHubCommands } from "./accounting-hub-process.ts";
import type { BenchProcess } from "./bench-process.ts";
import type { Measured } from "./gauge.ts";
import type { Seen } from "./load-router.ts";

/** One load: what its routers saw and what it cost the hub. */
export interface Part extends Measured {
  /** Never answered, or otherwise than expected. */
  readonly failed: number;
}

export async function turn(node: BenchProcess<AccountingHubCommands>, load: () => Promise<Seen>): Promise<Part> {
  await node.call("begin", undefined);
  const seen = await load();
  return partOf(seen, await node.call("end", undefined));
}

export function partOf(
  { count, seconds, p50Ms, p99Ms, lost, others }: Seen,
  { cpuUs, loopDelayP99Ms }: { readonly cpuUs: number; readonly loopDelayP99Ms: number },
): Part {
  const perSecond = count / seconds;
  return { count, perSecond, p50Ms, p99Ms, cpuUsEach: cpuUs / count, loopDelayP99Ms, failed: lost + others };
}
