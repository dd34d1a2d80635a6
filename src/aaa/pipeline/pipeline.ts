import { isDeepStrictEqual } from "node:util";
import type { Clock, Random } from "../../clock.ts";
import type { EventFeed } from "../../events.ts";
import type { Dictionary } from "../../radius/dictionary.ts";
import type { Reply, RequestContext } from "../../transport/link.ts";
import { BUILT_IN_MODULES } from "../modules/built-in.ts";
import { StallWatch } from "../stall/stall-watch.ts";
import type { ModuleFault } from "./call.ts";
import { DefinitionsInUse } from "./definitions-in-use.ts";
import { LoopWatch } from "./loop-watch.ts";
import { isPlainAccounting, type ModuleCatalogue, ModuleSet } from "./module-set.ts";
import type { ModulesOptions } from "./options.ts";
import type { Pass } from "./pass.ts";
import { PipelineRequest } from "./request.ts";
import type { ModuleLog, ModuleServices } from "./types.ts";

export interface PipelineDeps {
  readonly clock: Clock;
  readonly random: Random;
  readonly events: EventFeed;
  readonly dictionary: Dictionary;
  readonly log: ModuleLog;
  readonly services: (instance: string) => ModuleServices;
  /** Passes a request on to a pool of upstreams. */
  readonly forward: (context: RequestContext, pool: string) => Promise<Reply>;
}

/** The AAA modules, in the order that hub.yaml gives them.
 *
 *  new --use()--> running --stop()--> stopped. use() with other options builds the new set completely before packets take it;
 *  those under way finish on the old one. */
export class Pipeline {
  readonly #deps: PipelineDeps;
  readonly #watch: LoopWatch;
  readonly #inUse: DefinitionsInUse;
  readonly #stallWatch: StallWatch;
  readonly #retiring = new Set<Promise<void>>();
  #set: ModuleSet | undefined;
  #made: Made | undefined;
  #plainAccounting = true;

  constructor(deps: PipelineDeps) {
    this.#deps = deps;
    const { clock, events } = deps;
    this.#inUse = new DefinitionsInUse(clock);
    this.#stallWatch = new StallWatch(clock);
    this.#watch = new LoopWatch(
      {
        clock,
        standstill: ({ tookMs, underWay }) =>
          events.emit({ type: "module.fault", atMs: clock.wallMs(), fault: "blocked", modules: underWay, tookMs }),
      },
      Number.POSITIVE_INFINITY,
    );
  }

  /** Whether accounting needs no modules: it is stored, and forwarded where `realms` say so. */
  get plainAccounting(): boolean {
    return this.#plainAccounting;
  }

  /** Builds a set of modules.
   *  @param catalogue what the options may name; default: the same as before, or what comes with the hub
   *  @returns what puts it in the place of the one before, or takes it down again
   *  @throws {HubError} ERR_CONFIG: then the old one stays in use */
  async prepare(
    options: ModulesOptions,
    catalogue = this.#made?.catalogue ?? BUILT_IN_MODULES,
  ): Promise<PreparedModules> {
    if (this.#made !== undefined && isSame(this.#made, { options, catalogue })) return KEPT;
    const { clock, random, services, forward } = this.#deps;
    const set = await ModuleSet.build(
      {
        clock,
        random,
        services,
        forward,
        watch: this.#watch,
        inUse: this.#inUse,
        isOwn: (definition) => BUILT_IN_MODULES.get(definition.name) !== definition,
        fault: (fault) => this.#fault(fault),
        onFault: (error) => this.#deps.log.error({ err: error }, "a module failed while it was taken down"),
      },
      options,
      catalogue,
    );
    return {
      use: () => {
        const before = this.#set;
        this.#set = set;
        this.#made = { options, catalogue };
        this.#plainAccounting = isPlainAccounting(options);
        this.#watch.apply(options.blockedAfterMs);
        this.#stallWatch.apply(options.folder);
        if (before !== undefined) this.#retire(before);
      },
      drop: () => this.#retire(set),
    };
  }

  /** Resolves when every packet has ended and every module is taken down. */
  async stop(): Promise<void> {
    if (this.#set !== undefined) this.#retire(this.#set);
    this.#set = undefined;
    await Promise.all(this.#retiring);
    this.#watch.stop();
    this.#stallWatch.stop();
  }

  /** Answers an Access-Request or an Accounting-Request. */
  answer(context: RequestContext): Promise<Reply> | Reply {
    if (this.#set === undefined) return { kind: "discard", reason: "stopping" };
    const pass: Pass = { request: new PipelineRequest(context, this.#deps.dictionary), stored: false };
    return pass.request.kind === "auth" ? this.#set.access(pass) : this.#set.accounting(pass);
  }

  /** As answer(), for an Access-Request that an HTTP API has brought.
   *  @param isProven who the user is was proven otherwise than by a password
   *  @returns with the reason of a refusal, which is for the API and not for the user */
  async login(context: RequestContext, isProven: boolean): Promise<{ reply: Reply; reason: string | undefined }> {
    if (this.#set === undefined) return { reply: { kind: "discard", reason: "stopping" }, reason: undefined };
    const pass: Pass = { request: new PipelineRequest(context, this.#deps.dictionary), stored: false };
    if (isProven) pass.request.control.authType = "Accept";
    const reply = await this.#set.access(pass);
    return { reply, reason: pass.request.control.rejectReason };
  }

  #retire(set: ModuleSet): void {
    const ended = set.retire().then(() => {
      this.#retiring.delete(ended);
    });
    this.#retiring.add(ended);
  }

  #fault({ kind, instance, component, error, tookMs }: ModuleFault): void {
    const { clock, events } = this.#deps;
    const modules = [`${instance}.${component}`];
    const detail = error === undefined ? undefined : thrownText(error);
    events.emit({ type: "module.fault", atMs: clock.wallMs(), fault: kind, modules, tookMs, detail });
  }
}

/** What a set was made of. */
interface Made {
  readonly options: ModulesOptions;
  readonly catalogue: ModuleCatalogue;
}

/** A complete set of modules that no packet takes yet. */
export interface PreparedModules {
  /** Packets take it from now on. */
  use(): void;
  /** It is not wanted after all. */
  drop(): void;
}

/** What is in use fits already. */
const KEPT: PreparedModules = { use: () => undefined, drop: () => undefined };

function isSame(made: Made, wanted: Made): boolean {
  const { catalogue } = made;
  return (
    isDeepStrictEqual(made.options, wanted.options) &&
    catalogue.size === wanted.catalogue.size &&
    [...catalogue].every(([name, definition]) => wanted.catalogue.get(name) === definition)
  );
}

/** The message and the line it came from. */
function thrownText(error: unknown): string {
  if (!(error instanceof Error)) return "something that is no Error";
  const [, frame] = (error.stack ?? "").split(/\n\s+at /);
  return `${error.name}: ${error.message.slice(0, MESSAGE_MAX)}${frame === undefined ? "" : ` at ${frame.trim()}`}`;
}

const MESSAGE_MAX = 300;
