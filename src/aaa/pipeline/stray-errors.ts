import { AsyncLocalStorage } from "node:async_hooks";

/** Hears what the work of a module has thrown where nobody was waiting for it. */
export type StrayErrorOwner = (error: unknown) => void;

// Node keeps it over timers, promises and sockets: whatever a module starts remembers whose it is.
const owner = new AsyncLocalStorage<StrayErrorOwner>();

/** Runs the work of an operator's module: what it starts, and nobody waits for, is still its own. */
export function asWorkOf<Result>(whose: StrayErrorOwner, work: () => Result): Result {
  return owner.run(whose, work);
}

/** To be called for what nobody has caught, in its own context. @returns false when it is of no module: then it is a fault of the hub */
export function tellStrayError(error: unknown): boolean {
  const whose = owner.getStore();
  whose?.(error);
  return whose !== undefined;
}
