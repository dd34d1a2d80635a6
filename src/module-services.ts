import type { AccountingFault } from "./aaa/accounting/accounting-request.ts";
import type { BackEnds } from "./aaa/pipeline/back-ends.ts";
import { Pipeline } from "./aaa/pipeline/pipeline.ts";
import type { AaaRequest, ModuleLog, ModuleServices, Stored } from "./aaa/pipeline/types.ts";
import type { Upstreams } from "./aaa/upstream/upstreams.ts";
import type { Bookkeeping } from "./bookkeeping.ts";
import type { Clock, Random } from "./clock.ts";
import type { Dynauth } from "./dynauth/dynauth.ts";
import type { EventFeed } from "./events.ts";
import type { Logger } from "./log.ts";
import type { Dictionary } from "./radius/dictionary.ts";

export interface ModuleServicesDeps {
  readonly clock: Clock;
  readonly random: Random;
  readonly events: EventFeed;
  readonly log: Logger;
  readonly dictionary: Dictionary;
  readonly dynauth: Pick<Dynauth, "exchange">;
  readonly books: Bookkeeping | undefined;
  readonly upstreams: () => Upstreams;
  readonly backEnds: BackEnds;
}

/** The AAA modules with what they may use of the hub, made before the upstreams that they pass requests on to. */
export function pipelineOf(deps: ModuleServicesDeps): Pipeline {
  const { clock, random, events, log, dictionary, upstreams } = deps;
  return new Pipeline({
    clock,
    random,
    events,
    dictionary,
    log,
    services: (instance) => servicesOf(instance, deps),
    forward: (context, pool) => upstreams().forwardTo(context, pool),
  });
}

function servicesOf(instance: string, deps: ModuleServicesDeps): ModuleServices {
  const { clock, random, dictionary, dynauth, books, upstreams, backEnds } = deps;
  return {
    instance,
    clock,
    random,
    dictionary,
    dynauth,
    log: namedLog(deps.log, instance),
    store: books?.store,
    users: books?.accounts,
    quota: books?.quota,
    record: books === undefined ? undefined : async (request) => storedAs(await books.record(request)),
    upstreams: {
      poolFor: (request) => upstreams().poolFor(request),
      has: (pool) => upstreams().has(pool),
      forward: (request, pool) => upstreams().forwardTo(contextOf(request), pool),
    },
    fetch: globalThis.fetch,
    backEnds,
  };
}

/** Each line says whose it is. */
function namedLog(log: Logger, module: string): ModuleLog {
  return {
    debug: (facts, message) => log.debug({ ...facts, module }, message),
    info: (facts, message) => log.info({ ...facts, module }, message),
    warn: (facts, message) => log.warn({ ...facts, module }, message),
    error: (facts, message) => log.error({ ...facts, module }, message),
  };
}

/** A module that waits for an upstream gives up with its call. */
function contextOf(request: AaaRequest) {
  const { packet, link, signal } = request;
  return { packet, link, signal, afterReply: (action: () => void) => request.afterReply(action) };
}

function storedAs(fault: AccountingFault | "not-stored" | undefined): Stored {
  if (fault === undefined) return "stored";
  return fault === "not-stored" ? fault : "invalid";
}
