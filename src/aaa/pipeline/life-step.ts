import type { Clock } from "../../clock.ts";

/** What happens to a module, or to an instance of it, beside its calls. */
export type LifeStep = "init" | "instantiate" | "detach" | "destroy";

/** A reload, and the end of a set, wait for each step: one that does not end must hold up nobody for ever. */
const STEP_MS = 30_000;

/** Does a step. @throws what it throws, or an Error when it takes too long: what it still does is of no interest then */
export async function lifeStep<Result>(
  step: LifeStep,
  clock: Clock,
  work: () => Result | Promise<Result>,
): Promise<Result> {
  const late = Promise.withResolvers<never>();
  const cancel = clock.after(STEP_MS, () =>
    late.reject(new Error(`${step} took longer than ${STEP_MS / 1_000} seconds`)),
  );
  try {
    return await Promise.race([work(), late.promise]);
  } finally {
    cancel();
  }
}
