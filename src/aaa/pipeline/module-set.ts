import type { Clock, Random } from "../../clock.ts";
import { HubError } from "../../errors.ts";
import type { Reply } from "../../transport/link.ts";
import { type Actions, defaultActions } from "./actions.ts";
import { ModuleCall, type ModuleFault } from "./call.ts";
import type { DefinitionsInUse } from "./definitions-in-use.ts";
import { Flow, type FlowDeps, type Sections } from "./flow.ts";
import { lifeStep, type LifeStep } from "./life-step.ts";
import type { Item } from "./list.ts";
import type { LoopWatch } from "./loop-watch.ts";
import type { InstanceOptions, ItemOptions, ModulesOptions, SectionsOptions } from "./options.ts";
import { readSettings } from "./module-settings.ts";
import type { Pass } from "./pass.ts";
import { asWorkOf } from "./stray-errors.ts";
import type { Component, ModuleDefinition, ModuleInstance, ModuleServices } from "./types.ts";

/** Names of modules and what they are. */
export type ModuleCatalogue = ReadonlyMap<string, ModuleDefinition>;

export interface ModuleSetDeps {
  readonly clock: Clock;
  readonly random: Random;
  readonly watch: LoopWatch;
  readonly inUse: DefinitionsInUse;
  /** Whether a module is the operator's. */
  readonly isOwn: (definition: ModuleDefinition) => boolean;
  readonly fault: (fault: ModuleFault) => void;
  /** What an instance may use. */
  readonly services: (instance: string) => ModuleServices;
  readonly forward: FlowDeps["forward"];
  /** A module failed while it was taken down. */
  readonly onFault: (error: unknown) => void;
}

interface Built {
  readonly definition: ModuleDefinition;
  readonly instance: ModuleInstance;
}

/** All instances of one configuration and the sections over them.
 *
 *  build() --> in use --retire()--> the last packet ends --> every instance detached */
export class ModuleSet {
  readonly #deps: ModuleSetDeps;
  readonly #built = new Map<string, Built>();
  #flow: Flow | undefined;
  #packets = 0;
  #retired = false;
  #ended = Promise.withResolvers<void>();

  private constructor(deps: ModuleSetDeps) {
    this.#deps = deps;
  }

  /** Makes every instance that the sections name. @throws {HubError} ERR_CONFIG, with `details.path` of the key in hub.yaml that it
   *  is about: then what was made is taken down again */
  static async build(deps: ModuleSetDeps, options: ModulesOptions, catalogue: ModuleCatalogue): Promise<ModuleSet> {
    const set = new ModuleSet(deps);
    try {
      for (const [index, each] of options.instances.entries()) {
        await set.#instantiate(each, catalogue, ["modules", "instances", index]);
      }
      for (const name of implied(options)) {
        await set.#instantiate({ name, module: name, settings: {} }, catalogue, ["modules", "sections"]);
      }
      set.#flow = new Flow(set.#compiled(options), deps);
    } catch (error) {
      await set.#takeDown();
      throw error;
    }
    return set;
  }

  /** Packets under way. */
  get packets(): number {
    return this.#packets;
  }

  access(pass: Pass): Reply | Promise<Reply> {
    return this.#through((flow) => flow.access(pass));
  }

  accounting(pass: Pass): Reply | Promise<Reply> {
    return this.#through((flow) => flow.accounting(pass));
  }

  /** No packet begins here any more. Resolves when the last has ended and every instance is detached. */
  retire(): Promise<void> {
    if (!this.#retired) {
      this.#retired = true;
      this.#endIfIdle();
    }
    return this.#ended.promise;
  }

  #through(take: (flow: Flow) => Reply | Promise<Reply>): Reply | Promise<Reply> {
    const ended = () => {
      this.#packets -= 1;
      this.#endIfIdle();
    };
    this.#packets += 1;
    let isLater = false;
    try {
      const reply = take(this.#flow as Flow); // build() has made it
      isLater = reply instanceof Promise;
      return reply instanceof Promise ? reply.finally(ended) : reply;
    } finally {
      if (!isLater) ended();
    }
  }

  #endIfIdle(): void {
    if (this.#retired && this.#packets === 0) void this.#takeDown().then(this.#ended.resolve);
  }

  async #instantiate(
    { name, module, settings }: InstanceOptions,
    catalogue: ModuleCatalogue,
    path: readonly (string | number)[],
  ): Promise<void> {
    const definition = catalogue.get(module);
    if (definition === undefined) throw mistake(path, `there is no module ${module}`);
    const { inUse, services } = this.#deps;
    try {
      await inUse.acquire(definition);
    } catch (error) {
      await this.#quietly(() => inUse.release(definition));
      throw mistake(path, `module ${module} could not begin: ${text(error)}`, error);
    }
    let isAwaited = true;
    try {
      const read = readSettings(definition.settings, settings);
      if (!read.success) throw read.error;
      const make = async () => {
        const made = await definition.instantiate(read.data, services(name));
        if (!isAwaited) await made.detach?.(); // too late for this set
        return made;
      };
      const instance = await this.#step("instantiate", name, definition, make);
      this.#built.set(name, { definition, instance });
    } catch (error) {
      isAwaited = false;
      await this.#quietly(() => inUse.release(definition));
      throw mistake(path, `instance ${name} could not be made: ${text(error)}`, error);
    }
  }

  /** One after the other in reverse, whatever one of them throws. */
  async #takeDown(): Promise<void> {
    for (const [name, { definition, instance }] of [...this.#built].reverse()) {
      this.#built.delete(name);
      await this.#quietly(() => this.#step("detach", name, definition, () => instance.detach?.()));
      await this.#quietly(() => this.#deps.inUse.release(definition));
    }
  }

  #step<Result>(
    step: LifeStep,
    instance: string,
    definition: ModuleDefinition,
    work: () => Result | Promise<Result>,
  ): Promise<Result> {
    const { clock, fault, isOwn } = this.#deps;
    if (!isOwn(definition)) return lifeStep(step, clock, work);
    const threw = (error: unknown) => fault({ kind: "threw", instance, component: step, error });
    return lifeStep(step, clock, () => asWorkOf(threw, work));
  }

  async #quietly(action: () => Promise<void>): Promise<void> {
    try {
      await action();
    } catch (error) {
      this.#deps.onFault(error);
    }
  }

  #compiled(options: ModulesOptions): Sections {
    const { sections } = options;
    const list = (component: Component, items: readonly ItemOptions[], key: string = component) =>
      items.map((item, index) => this.#item(item, component, false, options, ["modules", "sections", key, index]));
    const accounting = list("accounting", sections.accounting);
    const lists = Object.entries(sections.authenticate).map(
      ([authType, items]) =>
        [
          authType,
          items.map((item, index) =>
            this.#item(item, "authenticate", false, options, ["modules", "sections", "authenticate", authType, index]),
          ),
        ] as const,
    );
    return {
      authorize: list("authorize", sections.authorize),
      authenticate: new Map(lists),
      preacct: list("preacct", sections.preacct),
      accounting,
      accountingProxied: storing(accounting),
      checksimul: list("checksimul", sections.checksimul),
      postauth: list("postauth", sections.postauth),
      postauthReject: list("postauth", sections.postauthReject, "postauthReject"),
      preproxy: list("preproxy", sections.preproxy),
      postproxy: list("postproxy", sections.postproxy),
    };
  }

  #item(
    item: ItemOptions,
    component: Component,
    redundant: boolean,
    options: ModulesOptions,
    path: readonly (string | number)[],
  ): Item {
    const actions: Actions = { ...defaultActions(component, redundant), ...item.on };
    if (item.kind !== "call") {
      const failsOver = item.kind === "redundant" || item.kind === "redundant-load-balance";
      const items = item.items.map((each, index) =>
        this.#item(each, component, failsOver, options, [...path, item.kind, index]),
      );
      return { kind: item.kind, items, actions };
    }
    const { definition, instance } = this.#built.get(item.instance) as Built;
    const call = instance[component];
    if (call === undefined) throw mistake(path, `module ${definition.name} has no component ${component}`);
    return new ModuleCall(this.#deps, {
      instance: item.instance,
      component,
      actions,
      stores: component === "accounting" && definition.stores === true,
      isOwn: this.#deps.isOwn(definition),
      call: call.bind(instance),
      limits: options,
    });
  }
}

/** Only the calls of modules that store, in their groups. */
function storing(items: readonly Item[]): readonly Item[] {
  return items.flatMap((item): Item[] => {
    if (item.kind === "call") return item instanceof ModuleCall && item.stores ? [item] : [];
    const left = storing(item.items);
    return left.length === 0 ? [] : [{ ...item, items: left }];
  });
}

/** Names in the sections that no instance has: each is a module with no settings. */
function implied({ instances, sections }: ModulesOptions): ReadonlySet<string> {
  const made = new Set(instances.map(({ name }) => name));
  return new Set([...namesIn(sections)].filter((name) => !made.has(name)));
}

/** Every instance that the sections name. */
function namesIn({ authenticate, ...lists }: SectionsOptions): ReadonlySet<string> {
  const names = (item: ItemOptions): string[] => (item.kind === "call" ? [item.instance] : item.items.flatMap(names));
  return new Set([...Object.values(lists), ...Object.values(authenticate)].flat().flatMap(names));
}

/** Whether accounting takes no other way than straight into the store, and upstream as `realms` say: it then needs no sections. */
export function isPlainAccounting({ instances, sections }: ModulesOptions): boolean {
  const { preacct, accounting, preproxy, postproxy } = sections;
  const own = instances.some(({ name }) => name === "proxy" || name === "sessions");
  const isOnly = (items: readonly ItemOptions[], name: string) => {
    const [first, ...rest] = items;
    return rest.length === 0 && first?.kind === "call" && first.instance === name && Object.keys(first.on).length === 0;
  };
  return (
    !own &&
    isOnly(preacct, "proxy") &&
    isOnly(accounting, "sessions") &&
    preproxy.length === 0 &&
    postproxy.length === 0
  );
}

function mistake(path: readonly (string | number)[], message: string, cause?: unknown): HubError {
  return new HubError("ERR_CONFIG", message, { path }, cause === undefined ? undefined : { cause });
}

function text(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
