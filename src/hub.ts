import { isDeepStrictEqual } from "node:util";
import { answerUnserved } from "./aaa/unserved.ts";
import type { Clock, Random } from "./clock.ts";
import type { Config } from "./config.ts";
import { diffConfig } from "./config/diff.ts";
import { Dynauth } from "./dynauth/dynauth.ts";
import { ProxyMark } from "./dynauth/trigger-attributes.ts";
import { Triggers } from "./dynauth/triggers.ts";
import { RegistryResolver } from "./dynauth/registry-resolver.ts";
import { EventFeed } from "./events.ts";
import { HttpApi } from "./http/api.ts";
import type { Readiness } from "./http/options.ts";
import { LinkEvents } from "./link-events.ts";
import { EventLog, type Logger } from "./log.ts";
import type { Dictionary } from "./radius/dictionary.ts";
import { Registry } from "./registry/registry.ts";
import { compileSelection, type Selection } from "./registry/selection.ts";
import { expiries, type TlsMaterial, TlsMaterials } from "./tls-material.ts";
import { ClientDirectory } from "./transport/client-directory.ts";
import { CODE } from "./radius/codes.ts";
import type { Reply, RequestContext, RequestHandler } from "./transport/link.ts";
import { RadsecListener, type RadsecListenerOptions } from "./transport/radsec-listener.ts";
import { TimingWheel } from "./transport/timing-wheel.ts";

export interface HubDeps {
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Logger;
  readonly version: string;
  readonly dictionary: Dictionary;
  /** Answers what routers ask; default: nobody is let in and nothing is acknowledged. */
  readonly handler?: RequestHandler;
}

/** Where a started hub listens. */
export interface HubAddresses {
  readonly radsec: ReadonlyMap<string, { readonly address: string; readonly port: number }>;
  readonly http: { readonly address: string; readonly port: number } | undefined;
}

export interface Applied {
  readonly changed: readonly string[];
  readonly needsRestart: readonly string[];
}

const CERTIFICATE_CHECK_MS = 6 * 3_600_000;
const WARN_BEFORE_MS = 30 * 86_400_000;
const DAY_MS = 86_400_000;
/** Of the Proxy-State that this hub adds towards other proxies. */
const MARK_BYTES = 12;
/** Random characters in every link id, so that ids of an earlier run never come again. */
const RUN_BYTES = 4;

/** The composition root: makes every part, starts them in order, stops them in reverse.
 *
 *  new --start()--> running --stop()--> stopped. apply() changes a running hub without dropping a link. */
export class Hub {
  readonly events: EventFeed;
  readonly registry: Registry;
  readonly dynauth: Dynauth;
  readonly dictionary: Dictionary;
  readonly #deps: HubDeps;
  readonly #wheel: TimingWheel;
  readonly #materials: TlsMaterials;
  readonly #triggers: Triggers;
  readonly #listeners = new Map<string, RadsecListener>();
  readonly #run: string;
  #config: Config;
  #clients: ClientDirectory;
  #selection: Selection | undefined;
  #http: HttpApi | undefined;
  #links = 0;
  #exchanges = 0;
  #state: "new" | "running" | "stopping" = "new";
  #cancelCertificateCheck: (() => void) | undefined;

  /** @throws {HubError} ERR_CONFIG */
  constructor(config: Config, deps: HubDeps) {
    const { clock, log, random } = deps;
    this.#deps = deps;
    this.#config = config;
    this.#run = `${config.node.name}-${random.bytes(RUN_BYTES).toString("hex")}`;
    this.events = new EventFeed((error) => log.error({ err: error }, "a subscriber of the event feed failed"));
    this.events.subscribe(new EventLog(log, clock).write);
    this.#wheel = new TimingWheel(clock);
    this.dictionary = deps.dictionary;
    this.registry = new Registry({ clock, events: this.events }, registryOptions(config));
    this.#clients = new ClientDirectory(config.clients);
    this.#selection = this.#compiled(config);
    this.dynauth = new Dynauth(
      {
        clock,
        events: this.events,
        resolver: new RegistryResolver(this.registry, () => this.#selection),
        nextExchangeId: () => `${this.#run}-x${((this.#exchanges += 1)).toString(36)}`,
      },
      dynauthOptions(config),
    );
    this.#triggers = new Triggers(
      { clock, dynauth: this.dynauth, registry: this.registry, mark: new ProxyMark(random.bytes(MARK_BYTES)) },
      triggerOptions(config),
    );
    this.#materials = new TlsMaterials(clock);
  }

  /** The development PKI, where the configuration uses it and the hub has started. */
  get pki() {
    return this.#materials.pki;
  }

  /** @throws {HubError} ERR_LISTEN, ERR_PKI, ERR_CONFIG: then nothing is left running */
  async start(): Promise<HubAddresses> {
    try {
      const materials = await this.#materials.load(this.#config);
      const radsec = new Map<string, { address: string; port: number }>();
      for (const listener of this.#listenersOf(this.#config, materials)) {
        radsec.set(listener.name, await listener.open.start());
      }
      const http = await this.#startHttp();
      this.#state = "running";
      this.#watchCertificates(materials);
      return { radsec, http };
    } catch (error) {
      await this.stop(0);
      throw error;
    }
  }

  /** Takes nothing new, lets exchanges in flight end, then closes every link with close_notify. Idempotent. */
  async stop(graceMs: number = this.#config.node.stopGraceMs): Promise<void> {
    if (this.#state === "stopping") return;
    this.#state = "stopping";
    this.#cancelCertificateCheck?.();
    for (const listener of this.#listeners.values()) listener.pause();
    await withinGrace(Promise.all([this.#http?.stop(graceMs), this.dynauth.stop()]), graceMs, this.#deps.clock);
    await Promise.all([...this.#listeners.values()].map((listener) => listener.stop(Math.min(graceMs, LINK_GRACE_MS))));
    this.registry.stop();
    this.#wheel.stop();
  }

  /** Changes a running hub: what can change live does so without dropping a link that is still admitted.
   *  @throws {HubError} ERR_CONFIG, ERR_PKI: then the old configuration stays in force, whole */
  async apply(config: Config): Promise<Applied> {
    const difference = diffConfig(this.#config, config);
    const materials = await this.#materials.load(config);
    const selection = this.#compiled(config);
    const clients = new ClientDirectory(config.clients);
    this.#useMaterials(config, materials);
    this.#config = config;
    this.#selection = selection;
    this.#clients = clients;
    this.registry.apply(registryOptions(config));
    this.dynauth.apply(dynauthOptions(config));
    this.#triggers.apply(triggerOptions(config));
    const refused = config.http === undefined ? [] : (this.#http?.apply(config.http) ?? []);
    for (const listener of this.#listeners.values()) listener.reauthorise();
    this.#watchCertificates(materials);
    const { changed } = difference;
    const needsRestart = [...new Set([...difference.needsRestart, ...refused])];
    this.events.emit({ type: "config.applied", atMs: this.#deps.clock.wallMs(), changed, needsRestart });
    return { changed, needsRestart };
  }

  *#listenersOf(config: Config, materials: ReadonlyMap<string, TlsMaterial>) {
    const { clock, random } = this.#deps;
    const handler: RequestHandler = (context) => this.#answer(context);
    const observer = new LinkEvents(this.registry, this.events, clock);
    for (const options of config.radsec) {
      const listener = new RadsecListener(
        {
          clock,
          random,
          wheel: this.#wheel,
          observer,
          handler,
          clients: () => this.#clients,
          nextLinkId: () => `${this.#run}-${((this.#links += 1)).toString(36)}`,
          refused: (refusal) =>
            this.events.emit({ type: "handshake.refused", atMs: clock.wallMs(), detail: undefined, ...refusal }),
        },
        listenerOptions(options, materials.get(options.name) as TlsMaterial),
      );
      this.#listeners.set(options.name, listener);
      yield { name: options.name, open: listener };
    }
  }

  /** What a router asks is AAA; a Disconnect- or CoA-Request of a peer that may is a trigger. */
  #answer(context: RequestContext): Reply | Promise<Reply> {
    const { packet, link, signal } = context;
    const dynamic = packet.code === CODE.disconnectRequest || packet.code === CODE.coaRequest;
    if (dynamic && link.client.mayTrigger) {
      return this.#triggers.handle({ packet, client: link.client, origin: { address: link.address, link }, signal });
    }
    const { handler = answerUnserved } = this.#deps;
    return handler(context);
  }

  async #startHttp(): Promise<HubAddresses["http"]> {
    if (this.#config.http === undefined) return undefined;
    const { clock, random, log, version } = this.#deps;
    this.#http = new HttpApi(
      {
        clock,
        random,
        events: this.events,
        registry: this.registry,
        dynauth: this.dynauth,
        dictionary: this.dictionary,
        ready: () => this.#readiness(),
        closeLink: (linkId) => this.#closeLink(linkId),
        version,
        log,
      },
      this.#config.http,
    );
    return this.#http.start();
  }

  #closeLink(linkId: string): boolean {
    const record = this.registry.record(linkId);
    record?.link.close("operator");
    return record !== undefined;
  }

  #readiness(): Readiness {
    const checks: Record<string, { ok: boolean; detail?: string }> = {
      hub: { ok: this.#state === "running", detail: this.#state },
    };
    for (const [name, listener] of this.#listeners) checks[`radsec:${name}`] = { ok: listener.listening };
    return { ready: Object.values(checks).every(({ ok }) => ok), checks };
  }

  #compiled(config: Config): Selection | undefined {
    const { select } = config.dynauth;
    return select.length === 0
      ? undefined
      : compileSelection(select, { registry: this.registry, dictionary: this.dictionary });
  }

  /** New handshakes use these; links keep the certificate they were made with.
   *  @throws {HubError} ERR_PKI: then the listeners stay as they were */
  #useMaterials(config: Config, materials: ReadonlyMap<string, TlsMaterial>): void {
    for (const options of config.radsec) {
      const material = materials.get(options.name);
      if (material !== undefined) this.#listeners.get(options.name)?.apply(listenerOptions(options, material));
    }
  }

  /** Says aloud what ends within 30 days and what turns routers away, and reads the certificates again in six hours: the
   *  development PKI renews itself, and other files may have been replaced. */
  #watchCertificates(materials: ReadonlyMap<string, TlsMaterial>): void {
    const { clock, log } = this.#deps;
    for (const [name, listener] of this.#listeners) {
      for (const line of listener.warnings()) log.warn(line);
      for (const { what, notAfterMs } of expiries(name, materials.get(name))) {
        const leftMs = notAfterMs - clock.wallMs();
        if (leftMs > WARN_BEFORE_MS) continue;
        const daysLeft = Math.max(0, Math.floor(leftMs / DAY_MS));
        this.events.emit({ type: "certificate.expiring", atMs: clock.wallMs(), what, notAfterMs, daysLeft });
      }
    }
    this.#cancelCertificateCheck?.();
    this.#cancelCertificateCheck = clock.after(CERTIFICATE_CHECK_MS, () => void this.#rereadCertificates(materials));
  }

  async #rereadCertificates(before: ReadonlyMap<string, TlsMaterial>): Promise<void> {
    let materials = before;
    try {
      materials = await this.#materials.load(this.#config);
      if (!isDeepStrictEqual(materials, before)) {
        this.#useMaterials(this.#config, materials);
        for (const listener of this.#listeners.values()) listener.reauthorise();
        this.#deps.log.info("certificates have changed and are in use for new links");
      }
    } catch (error) {
      this.#deps.log.error({ err: error }, "certificates could not be read again; the ones in use stay");
    }
    if (this.#state === "running") this.#watchCertificates(materials);
  }
}

/** How long a peer has to answer close_notify. */
const LINK_GRACE_MS = 2_000;

/** Exchanges at once in the whole hub: what 200 links can have in flight, some 50 MB. */
const EXCHANGES_MAX = 50_000;

function dynauthOptions({ dynauth }: Config) {
  return { timeoutMs: dynauth.timeoutMs, timeoutMaxMs: dynauth.timeoutMaxMs, exchangesMax: EXCHANGES_MAX };
}

function triggerOptions({ dynauth }: Config) {
  return {
    timestampWindowMs: dynauth.timestampWindowMs,
    requireEventTimestamp: false,
    realms: { ours: new Set<string>(), operatorNas: new Map() },
  };
}

function registryOptions({ bindings }: Config) {
  return {
    bindingLapseMs: bindings.lapseMs,
    namesPerLinkMax: bindings.namesPerLinkMax,
    bindingsMax: bindings.bindingsMax,
  };
}

function listenerOptions(options: Config["radsec"][number], material: TlsMaterial): RadsecListenerOptions {
  const { minVersion, ciphers } = options.tls;
  return { ...options, tls: { ...material, minVersion, ...(ciphers === undefined ? {} : { ciphers }) } };
}

async function withinGrace(work: Promise<unknown>, graceMs: number, clock: Clock): Promise<void> {
  let cancel = () => undefined as void;
  const grace = new Promise<void>((resolve) => {
    cancel = clock.after(graceMs, resolve);
  });
  await Promise.race([work, grace]);
  cancel();
}
