import type { Clock, Random } from "../../clock.ts";
import { storeError } from "../store-error.ts";

const ATTEMPTS_MAX = 40;
const PAUSE_MS_MAX = 200;

/** Repeats an attempt, after a short random pause, until it is through.
 *  @param attempt undefined: somebody else was faster
 *  @throws {HubError} ERR_STORE, "busy": somebody else always is */
export async function untilThrough<Result>(
  { clock, random }: { readonly clock: Clock; readonly random: Random },
  attempt: () => Promise<Result | undefined>,
): Promise<Result> {
  for (let attempts = 0; attempts < ATTEMPTS_MAX; attempts += 1) {
    const result = await attempt();
    if (result !== undefined) return result;
    const pauseMs = Math.min(2 ** attempts, PAUSE_MS_MAX) * random.fraction();
    await new Promise<void>((resolve) => void clock.after(pauseMs, resolve));
  }
  throw storeError("busy", `others wrote the same documents ${ATTEMPTS_MAX} times in a row`);
}
