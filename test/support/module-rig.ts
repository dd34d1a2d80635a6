import { join } from "node:path";
import { z } from "zod";
import { BackEnds } from "../../src/aaa/pipeline/back-ends.ts";
import { BUILT_IN_MODULES } from "../../src/aaa/modules/built-in.ts";
import type { ModulesOptions, SectionsOptions } from "../../src/aaa/pipeline/options.ts";
import { Pipeline } from "../../src/aaa/pipeline/pipeline.ts";
import type { ModuleDefinition, ModuleInstance, ModuleServices } from "../../src/aaa/pipeline/types.ts";
import { systemRandom } from "../../src/clock.ts";
import { EventFeed, type HubEvent } from "../../src/events.ts";
import { type Attribute, textAttribute } from "../../src/radius/attribute.ts";
import { encodeRequest } from "../../src/radius/authenticator.ts";
import { CODE } from "../../src/radius/codes.ts";
import { Dictionary } from "../../src/radius/dictionary.ts";
import { hideUserPassword } from "../../src/radius/hidden.ts";
import { decodePacket } from "../../src/radius/packet.ts";
import type { Link, Reply, RequestContext } from "../../src/transport/link.ts";
import { FakeLink } from "./fake-link.ts";
import { ManualClock } from "./manual-clock.ts";

export const DICTIONARY: Dictionary = Dictionary.load(join(import.meta.dirname, "../../config/dictionaries"));

const NO_SECTIONS: SectionsOptions = {
  authorize: [],
  authenticate: {},
  preacct: [],
  accounting: [],
  checksimul: [],
  postauth: [],
  postauthReject: [],
  preproxy: [],
  postproxy: [],
};

/** A pipeline of modules that a test makes, with a clock of its own; what it says is in `events`. */
export class ModuleRig {
  readonly clock = new ManualClock();
  readonly events: HubEvent[] = [];
  readonly pipeline: Pipeline;
  readonly backEnds = new BackEnds();
  /** What the upstream answers. */
  upstream: (context: RequestContext, pool: string) => Promise<Reply> = () =>
    Promise.resolve({ kind: "discard", reason: "no-upstream" });
  readonly errors: unknown[] = [];

  constructor(services: Partial<ModuleServices> = {}) {
    const feed = new EventFeed(() => undefined);
    feed.subscribe((event) => this.events.push(event));
    const { clock } = this;
    const silent = () => undefined;
    const log = { debug: silent, info: silent, warn: silent, error: (facts: object) => void this.errors.push(facts) };
    const forward = (context: RequestContext, pool: string) => this.upstream(context, pool);
    this.pipeline = new Pipeline({
      clock,
      random: systemRandom,
      events: feed,
      dictionary: DICTIONARY,
      log,
      forward,
      services: (instance) => ({
        instance,
        clock,
        random: systemRandom,
        dictionary: DICTIONARY,
        log,
        store: undefined,
        users: undefined,
        quota: undefined,
        record: undefined,
        upstreams: {
          poolFor: () => undefined,
          has: () => true,
          forward: (request, pool) => forward(request as never, pool),
        },
        dynauth: { exchange: () => Promise.resolve([]) },
        fetch: globalThis.fetch,
        backEnds: this.backEnds,
        ...services,
      }),
    });
  }

  /** Puts modules in the place of those before. */
  async use(
    definitions: readonly ModuleDefinition[],
    sections: Partial<SectionsOptions>,
    changes: Partial<ModulesOptions> = {},
  ): Promise<void> {
    (await this.prepare(definitions, sections, changes)).use();
  }

  prepare(
    definitions: readonly ModuleDefinition[],
    sections: Partial<SectionsOptions>,
    changes: Partial<ModulesOptions> = {},
  ) {
    const options: ModulesOptions = {
      folder: undefined,
      callTimeoutMs: 1_000,
      blockedAfterMs: 100,
      instances: [],
      sections: { ...NO_SECTIONS, ...sections },
      ...changes,
    };
    return this.pipeline.prepare(
      options,
      new Map([...BUILT_IN_MODULES, ...definitions.map((each) => [each.name, each] as const)]),
    );
  }

  /** Asks as a router does. */
  async ask(attributes: readonly Attribute[] = [], code: number = CODE.accessRequest, link?: Link): Promise<Reply> {
    return this.pipeline.answer(contextOf(attributes, code, link));
  }

  faults() {
    return this.events.filter((event) => event.type === "module.fault");
  }
}

/** A module without settings. */
export function moduleOf(
  name: string,
  instance: ModuleInstance,
  more: Partial<ModuleDefinition> = {},
): ModuleDefinition {
  return { name, settings: z.strictObject({}), instantiate: () => instance, ...more };
}

export function contextOf(
  attributes: readonly Attribute[],
  code: number = CODE.accessRequest,
  link: Link = new FakeLink({ linkId: "l1" }),
): RequestContext & { readonly after: (() => void)[]; readonly controller: AbortController } {
  const controller = new AbortController();
  const after: (() => void)[] = [];
  const octets = encodeRequest(code, 7, attributes, AUTHENTICATOR, link.client.secret);
  return {
    packet: decodePacket(octets),
    link,
    signal: controller.signal,
    afterReply: (action) => after.push(action),
    after,
    controller,
  };
}

const AUTHENTICATOR = Buffer.alloc(16, 7);

export function login(username: string, password: string, link: Link = new FakeLink({ linkId: "l1" })): Attribute[] {
  const hidden = hideUserPassword(Buffer.from(password), link.client.secret, AUTHENTICATOR);
  return [textAttribute(1, username), { type: 2, value: hidden }];
}
