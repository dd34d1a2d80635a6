import { readFile } from "node:fs/promises";
import {
  type AaaRequest,
  type ComponentCall,
  defineModule,
  type ModuleInstance,
  type ModuleServices,
  type ReturnCode,
} from "../../pipeline/types.ts";
import { ATTRIBUTE } from "../../../radius/attribute.ts";
import { attemptLogin } from "../attempt.ts";
import { BackEnd, type BackEndTls } from "./back-end.ts";
import { RestCall } from "./call.ts";
import type { EffectDeps } from "./effects.ts";
import { RestFigures } from "./figures.ts";
import { AnswerMemory } from "./memory.ts";
import { compiled } from "./rendering.ts";
import { restMistakes } from "./setting-mistakes.ts";
import { CALLS, type CallName, restSettings, type RestSettings } from "./settings.ts";

/** Asks an HTTP API of the operator, as rlm_rest of FreeRADIUS does. An ok of its accounting means that the API has the record. */
export const rest = defineModule({
  name: "rest",
  settings: restSettings,
  mistakes: restMistakes,
  components: (settings) => [
    ...(choosesAuthType(settings) ? ["authorize" as const] : []),
    ...CALLS.filter((name) => settings[name] !== undefined),
  ],
  stores: true,
  async instantiate(settings, services): Promise<ModuleInstance> {
    const { instance, clock, random, log, backEnds } = services;
    const url = new URL(settings.url);
    const figures = new RestFigures(instance);
    const memory = new AnswerMemory(clock, random, {
      ttlMs: settings.cache.ttl,
      rejectTtlMs: settings.cache.rejectTtl,
      lastKnownMs: usesLastKnown(settings) ? settings.lastKnownFor : 0,
      entriesMax: settings.cache.entries,
    });
    const backEnd = new BackEnd(
      {
        clock,
        random,
        log,
        count: (result, tookMs) => figures.count(result, tookMs),
        retried: () => (figures.retries += 1),
      },
      { ...backEndOptions(settings), origin: url.origin, tls: await tlsOf(settings.tls) },
    );
    figures.read(() => ({ ...backEnd.load, remembered: memory.size }));
    const hide = backEnds.show(figures);
    if (url.protocol === "http:" && !isLoopback(url.hostname)) {
      log.warn(
        { origin: url.origin },
        "what is sent to the back end, passwords too, can be read on the way: use https://",
      );
    }
    const deps = { services, clock, backEnd, memory, figures, effects: effectDeps(services) };
    const callOf = (name: CallName): RestCall | undefined => {
      const call = settings[name];
      if (call === undefined) return undefined;
      const cacheKey = settings.cache.key === undefined ? undefined : compiled(settings.cache.key);
      const whenDown = call.whenDown ?? settings.whenDown;
      const common = { basePath: url.pathname, headers: headersOf(settings), cacheKey };
      return new RestCall(deps, { name, settings: call, whenDown, ...common });
    };
    const calls = CALLS.flatMap((name): [CallName, ComponentCall][] => {
      const call = callOf(name);
      return call === undefined ? [] : [[name, component(name, call, services)]];
    });
    return {
      ...(choosesAuthType(settings) && { authorize: authTypeOf(instance) }),
      ...Object.fromEntries(calls),
      async detach() {
        hide();
        await backEnd.stop();
      },
    };
  },
});

function choosesAuthType({ authorize, authenticate }: RestSettings): boolean {
  return authorize === undefined && authenticate !== undefined;
}

/** A component that shows the back end a password is one more way to guess it. */
function component(name: CallName, call: RestCall, services: ModuleServices): ComponentCall {
  return (request) => {
    if (request.heartbeat) return "noop";
    if (request.control.proxyTo !== undefined && name === "authorize") return "noop";
    const guesses = (name === "authorize" || name === "authenticate") && call.sendsPassword && bringsPassword(request);
    if (guesses) return countedLogin(name, call, request, services);
    const called = call.run(request);
    return "code" in called ? called.code : called.then(({ code }) => code);
  };
}

async function countedLogin(
  name: CallName,
  call: RestCall,
  request: AaaRequest,
  services: ModuleServices,
): Promise<ReturnCode> {
  let code: ReturnCode | undefined;
  let reason: string | undefined;
  const verdict = await attemptLogin(request, services, async () => {
    const called = await call.run(request);
    code = called.code;
    reason = request.control.rejectReason;
    if (!called.judged) return "busy"; // says nothing of the password
    if (code === "reject" || code === "notfound") return "mismatch";
    const letsIn = name === "authenticate" || request.control.authType?.toLowerCase() === "accept";
    return letsIn && (code === "ok" || code === "updated") ? "match" : "busy";
  });
  if (code === undefined) return verdict; // too many guesses: it was not asked
  if (reason !== undefined) request.control.rejectReason = reason;
  return code;
}

function bringsPassword(request: AaaRequest): boolean {
  return request.octets(ATTRIBUTE.userPassword) !== undefined || request.octets(ATTRIBUTE.chapPassword) !== undefined;
}

/** Without a call of its own, authorize chooses the list of `authenticate` that is named like the instance. */
function authTypeOf(instance: string): ComponentCall {
  return (request) => {
    const { control, heartbeat } = request;
    if (control.authType !== undefined || control.proxyTo !== undefined || heartbeat) return "noop";
    if (!bringsPassword(request)) return "noop";
    control.authType = instance;
    return "updated";
  };
}

function usesLastKnown(settings: RestSettings): boolean {
  const { authorize, authenticate } = settings;
  return [authorize, authenticate].some((call) => (call?.whenDown ?? settings.whenDown) === "last-known");
}

function backEndOptions(settings: RestSettings) {
  const { breaker } = settings;
  return {
    connectTimeoutMs: settings.connectTimeout,
    timeoutMs: settings.timeout,
    retries: settings.retries,
    connections: settings.connections,
    waitingMax: settings.waiting,
    keepAliveMs: settings.keepAlive,
    answerBytesMax: settings.answerBytes,
    breaker: {
      failures: breaker.failures,
      ratio: breaker.ratio,
      windowMs: breaker.window,
      openMs: breaker.openFor,
      probes: breaker.probes,
    },
  };
}

function headersOf({ headers, basic }: RestSettings): Readonly<Record<string, string>> {
  if (basic === undefined) return { ...COMMON_HEADERS, ...headers };
  const credentials = Buffer.from(`${basic.username}:${basic.password}`).toString("base64");
  return { ...COMMON_HEADERS, Authorization: `Basic ${credentials}`, ...headers };
}

const COMMON_HEADERS = { "User-Agent": "radsec-hub", Accept: "application/json, application/x-www-form-urlencoded" };

async function tlsOf({ caFiles, certificateFile, keyFile, serverName }: RestSettings["tls"]): Promise<BackEndTls> {
  return {
    ...(caFiles && { ca: await Promise.all(caFiles.map((file) => readFile(file, "utf8"))) }),
    ...(certificateFile && { cert: await readFile(certificateFile, "utf8") }),
    ...(keyFile && { key: await readFile(keyFile, "utf8") }),
    ...(serverName && { servername: serverName }),
  };
}

/** Names that are warned of once each. */
const WARNED_MAX = 100;

function effectDeps({ dictionary, upstreams, log }: ModuleServices): EffectDeps {
  const warned = new Set<string>();
  return {
    dictionary,
    hasPool: (name) => upstreams.has(name),
    unknown(name) {
      if (warned.size >= WARNED_MAX || warned.has(name)) return;
      warned.add(name);
      log.warn(
        { attribute: name.slice(0, 64) },
        "the back end names an attribute that means nothing here: it is left out",
      );
    },
  };
}

function isLoopback(host: string): boolean {
  return host === "localhost" || host === "[::1]" || host.startsWith("127.");
}
