import type { ModuleDefinition } from "./types.ts";

/** Which definitions are in use by any set: init() before the first instance, destroy() after the last one is detached. */
export class DefinitionsInUse {
  readonly #uses = new Map<ModuleDefinition, { count: number; readonly ready: Promise<void> }>();

  /** Resolves when the module is ready for an instance. Each use ends with one release(), also when this rejects. */
  async acquire(definition: ModuleDefinition): Promise<void> {
    let use = this.#uses.get(definition);
    if (use === undefined) {
      use = { count: 0, ready: (async () => definition.init?.())() };
      this.#uses.set(definition, use);
    }
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
    const begun = await use.ready.then(
      () => true,
      () => false,
    );
    if (begun) await definition.destroy?.();
  }
}
