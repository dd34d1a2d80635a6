import type { Clock } from "../../clock.ts";
import { type LifeStep, lifeStep } from "./life-step.ts";
import type { ModuleDefinition } from "./types.ts";

interface Use {
  count: number;
  readonly ready: Promise<void>;
}

/** Which definitions are in use by any set: init() before the first instance, destroy() after the last one is detached, and never
 *  both at once. */
export class DefinitionsInUse {
  readonly #clock: Clock;
  readonly #uses = new Map<ModuleDefinition, Use>();
  /** Those whose destroy() is under way. */
  readonly #ending = new Map<ModuleDefinition, Promise<void>>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Resolves when the module is ready for an instance. Each use ends with one release(), also when this rejects. */
  async acquire(definition: ModuleDefinition): Promise<void> {
    const use = this.#uses.get(definition) ?? this.#begun(definition);
    use.count += 1;
    await use.ready;
  }

  /** @throws whatever destroy() throws */
  async release(definition: ModuleDefinition): Promise<void> {
    const use = this.#uses.get(definition);
    if (use === undefined) return;
    use.count -= 1;
    if (use.count > 0) return;
    this.#uses.delete(definition);
    const destroyed = use.ready.then(
      () => this.#step("destroy", () => definition.destroy?.()),
      () => undefined, // it has never begun
    );
    const ended = destroyed.catch(() => undefined).then(() => void this.#ending.delete(definition));
    this.#ending.set(definition, ended);
    await destroyed;
  }

  #begun(definition: ModuleDefinition): Use {
    const before = this.#ending.get(definition) ?? Promise.resolve();
    const use: Use = { count: 0, ready: before.then(() => this.#step("init", () => definition.init?.())) };
    this.#uses.set(definition, use);
    return use;
  }

  #step(step: LifeStep, work: () => void | Promise<void>): Promise<void> {
    return lifeStep(step, this.#clock, work);
  }
}
