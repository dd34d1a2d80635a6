import { isDeepStrictEqual } from "node:util";
import { Heartbeat } from "./aaa/upstream/heartbeat.ts";
import type { ModuleCatalogue } from "./aaa/pipeline/module-set.ts";
import { BackEnds } from "./aaa/pipeline/back-ends.ts";
import type { Pipeline } from "./aaa/pipeline/pipeline.ts";
import { Upstreams } from "./aaa/upstream/upstreams.ts";
import { apiBooksOf } from "./api-books.ts";
import { Bookkeeping } from "./bookkeeping.ts";
import { type Clock, type Random, withinGrace } from "./clock.ts";
import type { Config } from "./config.ts";
import { diffConfig } from "./config/diff.ts";
import { Dynauth } from "./dynauth/dynauth.ts";
import { RegistryResolver } from "./dynauth/registry-resolver.ts";
import { ProxyMark } from "./dynauth/trigger-attributes.ts";
import { Triggers } from "./dynauth/triggers.ts";
import { EventFeed } from "./events.ts";
import { ExpiryWatch } from "./expiry-watch.ts";
import { HttpApi } from "./http/api.ts";
import type { Readiness } from "./http/options.ts";
import { LinkEvents } from "./link-events.ts";
import { ListenFaults } from "./listen-faults.ts";
import { type ListenerAddresses, Listeners } from "./listeners.ts";
import { pipelineOf } from "./module-services.ts";
import { EventLog, type Logger } from "./log.ts";
import type { Dictionary } from "./radius/dictionary.ts";
import { Registry } from "./registry/registry.ts";
import { compileSelection, type Selection } from "./registry/selection.ts";
import { RequestChain } from "./request-chain.ts";
import { type TlsMaterial, TlsMaterials, upstreamsOptions } from "./tls-material.ts";
import type { RequestHandler } from "./transport/link.ts";
import { OwnEndpoints } from "./transport/own-endpoints.ts";
import { TimingWheel } from "./transport/timing-wheel.ts";
import { UdpRequester } from "./transport/udp-requester.ts";

export interface HubDeps {
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Logger;
  readonly version: string;
  readonly dictionary: Dictionary;
  /** What `modules` may name; default: what comes with the hub. */
  readonly modules?: ModuleCatalogue;
  /** Answers what routers ask and no upstream is meant for, instead of the modules. */
  readonly handler?: RequestHandler;
}

/** Where a started hub listens. */
export interface HubAddresses extends ListenerAddresses {
  readonly http: { readonly address: string; readonly port: number } | undefined;
}

export interface Applied {
  readonly changed: readonly string[];
  readonly needsRestart: readonly string[];
}

const CERTIFICATE_CHECK_MS = 6 * 3_600_000;
/** Of the Proxy-State that this hub adds towards other proxies. */
const MARK_BYTES = 12;
/** Random characters in every link id, so that ids of an earlier run never come again. */
const RUN_BYTES = 4;
/** How long a peer has to answer close_notify. */
const LINK_GRACE_MS = 2_000;

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
  /** Undefined where accounting is switched off. */
  readonly #books: Bookkeeping | undefined;
  readonly #triggers: Triggers;
  readonly #requester: UdpRequester;
  readonly #upstreams: Upstreams;
  readonly #pipeline: Pipeline;
  readonly #chain: RequestChain;
  readonly #backEnds = new BackEnds();
  readonly #heartbeat: Heartbeat;
  readonly #listeners: Listeners;
  readonly #run: string;
  #config: Config;
  /** What the hub was started with: keys that need a restart still say what they said then. */
  readonly #started: Config;
  #selection: Selection | undefined;
  #http: HttpApi | undefined;
  #links = 0;
  #exchanges = 0;
  #state: "new" | "running" | "stopping" = "new";
  readonly #expiries: ExpiryWatch;
  #cancelCertificateCheck: (() => void) | undefined;
  #turn: Promise<unknown> = Promise.resolve();

  /** @throws {HubError} ERR_CONFIG */
  constructor(config: Config, deps: HubDeps) {
    const { clock, log, random } = deps;
    this.#deps = deps;
    this.#config = config;
    this.#started = config;
    this.#run = `${config.node.name}-${random.bytes(RUN_BYTES).toString("hex")}`;
    this.events = new EventFeed((error) => log.error({ err: error }, "a subscriber of the event feed failed"));
    const eventLog = new EventLog(log, clock);
    this.events.subscribe(eventLog.write);
    this.#expiries = new ExpiryWatch({ clock, events: this.events });
    this.events.subscribe((event) => {
      const link = event.type === "link.up" ? this.registry.record(event.linkId)?.link : undefined;
      if (link !== undefined) this.#expiries.admitted(link);
    });
    this.dictionary = deps.dictionary;
    this.#wheel = new TimingWheel(clock);
    this.#materials = new TlsMaterials(clock);
    this.registry = new Registry(
      { clock, events: this.events, bindingChanged: (...change) => this.#books?.bindingChanged(...change) },
      registryOptions(config),
    );
    this.#selection = this.#compiled(config);
    // Bookkeeping asks for exchanges, and Dynauth asks it who is meant.
    const dynauthOfBooks: Pick<Dynauth, "exchange"> = { exchange: (request) => this.dynauth.exchange(request) };
    const named = new RegistryResolver(this.registry, () => this.#selection);
    this.#books = config.accounting.enabled
      ? new Bookkeeping(
          { ...deps, events: this.events, registry: this.registry, dynauth: dynauthOfBooks, named },
          config,
        )
      : undefined;
    const mark = new ProxyMark(random.bytes(MARK_BYTES));
    this.dynauth = new Dynauth(
      {
        clock,
        mark,
        events: this.events,
        resolver: this.#books?.resolver ?? named,
        begun: eventLog.exchangeBegun,
        ended: this.#books && ((exchange) => this.#books?.ended(exchange)),
        nextExchangeId: () => `${this.#run}-x${((this.#exchanges += 1)).toString(36)}`,
      },
      config.dynauth,
    );
    const { formatOf } = deps.dictionary;
    this.#triggers = new Triggers(
      { clock, random, dynauth: this.dynauth, registry: this.registry, mark, formatOf },
      config.dynauth,
    );
    const wheel = this.#wheel;
    this.#requester = new UdpRequester({
      clock,
      random,
      wheel,
      dropped: (reason, from) => this.#dropped(reason, from),
    });
    this.#pipeline = pipelineOf({
      ...deps,
      events: this.events,
      dynauth: this.dynauth,
      books: this.#books,
      upstreams: () => this.#upstreams,
      backEnds: this.#backEnds,
    });
    const chain = new RequestChain({
      triggers: this.#triggers,
      pipeline: this.#pipeline,
      forward: (context) => this.#upstreams.forward(context),
      reverseKinds: () => this.#config.dynauth.reverseFromUpstreams,
      served: deps.handler,
      books: this.#books,
    });
    this.#chain = chain;
    const endpoints = new OwnEndpoints();
    const nextLinkId = () => `${this.#run}-${((this.#links += 1)).toString(36)}`;
    const shared = { clock, random, wheel, events: this.events, nextLinkId };
    this.#listeners = new Listeners(
      {
        ...shared,
        observer: new LinkEvents(this.registry, this.events, clock),
        chain,
        requester: this.#requester,
        endpoints,
      },
      config,
    );
    this.#upstreams = new Upstreams(
      {
        ...shared,
        udp: this.#requester,
        mark,
        reverse: chain.reverse,
        isSelf: (address, port) => endpoints.has(address, port),
        nasIdentifier: config.node.name,
      },
      { servers: [], pools: [], routes: [] },
    );
    this.#heartbeat = new Heartbeat(
      {
        clock,
        random,
        events: this.events,
        handler: chain.answer,
        probeUpstreams: () => this.#upstreams.probe(),
        nasIdentifier: config.node.name,
      },
      config.heartbeat,
    );
  }

  /** The store, where accounting is on. */
  get store() {
    return this.#books?.store;
  }

  /** The development PKI, where the configuration uses it and the hub has started. */
  get pki() {
    return this.#materials.pki;
  }

  /** @throws {HubError} ERR_LISTEN, ERR_PKI, ERR_CONFIG: then nothing is left running */
  async start(): Promise<HubAddresses> {
    try {
      const materials = await this.#materials.load(this.#config);
      (await this.#pipeline.prepare(this.#config.modules, this.#deps.modules)).use();
      const faults = new ListenFaults();
      const addresses = await this.#listeners.start(this.#config, materials, faults);
      const http = await faults.attempt(["http", "port"], () => this.#startHttp());
      faults.throwAny();
      this.#upstreams.apply(upstreamsOptions(this.#config, materials));
      this.#heartbeat.start();
      await this.#books?.start();
      this.#state = "running";
      this.#watchCertificates(materials);
      return { ...addresses, http };
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
    this.#heartbeat.stop();
    this.#listeners.pause();
    await withinGrace(Promise.all([this.#http?.stop(graceMs), this.dynauth.stop()]), graceMs, this.#deps.clock);
    await Promise.all([this.#listeners.stop(Math.min(graceMs, LINK_GRACE_MS)), this.#upstreams.stop()]);
    this.#requester.stop();
    await withinGrace(this.#pipeline.stop(), graceMs, this.#deps.clock);
    await this.#books?.stop();
    this.registry.stop();
    this.#wheel.stop();
  }

  /** Changes a running hub: what can change live does so without dropping a link that is still admitted.
   *  @param modules what `modules` may name; default: the same as before
   *  @throws {HubError} ERR_CONFIG, ERR_PKI: then the old configuration stays in force, whole */
  apply(config: Config, modules?: ModuleCatalogue): Promise<Applied> {
    return this.#inTurn(() => this.#apply(config, modules));
  }

  /** One change after the other, in the order in which they were asked for. */
  #inTurn<Result>(change: () => Promise<Result>): Promise<Result> {
    const turn = this.#turn.then(change);
    this.#turn = turn.catch(() => undefined);
    return turn;
  }

  async #apply(config: Config, modules?: ModuleCatalogue): Promise<Applied> {
    const { changed } = diffConfig(this.#config, config);
    // What waits for a restart is what differs from what runs, however often the file was read since.
    const waiting = diffConfig(this.#started, config).needsRestart;
    const materials = await this.#materials.load(config);
    const selection = this.#compiled(config);
    const prepared = await this.#pipeline.prepare(config.modules, modules);
    try {
      this.#listeners.useMaterials(config, materials);
      this.#upstreams.apply(upstreamsOptions(config, materials));
      this.#books?.apply(config);
    } catch (error) {
      prepared.drop();
      throw error;
    }
    prepared.use();
    this.#config = config;
    this.#selection = selection;
    this.dynauth.apply(config.dynauth);
    this.#triggers.apply(config.dynauth);
    this.#heartbeat.apply(config.heartbeat);
    const refused = config.http === undefined ? [] : (this.#http?.apply(config.http) ?? []);
    this.#listeners.useClients(config);
    this.registry.apply(registryOptions(config)); // links have their new entries
    this.#watchCertificates(materials);
    const needsRestart = [...new Set([...waiting, ...refused])];
    this.events.emit({ type: "config.applied", atMs: this.#deps.clock.wallMs(), changed, needsRestart });
    return { changed, needsRestart };
  }

  async #startHttp(): Promise<HubAddresses["http"]> {
    if (this.#config.http === undefined) return undefined;
    const { clock, random, log, version, dictionary } = this.#deps;
    const { events, registry, dynauth } = this;
    const ready = () => this.#readiness();
    const closeLink = (linkId: string) => this.#closeLink(linkId);
    const upstreams = () => this.#upstreams.servers();
    const udp = () => this.#listeners.udpFigures();
    const heartbeat = () => this.#heartbeat.check().ok;
    const requests = { ...this.#deps, registry, pipeline: this.#pipeline, account: this.#chain.answer };
    const books = this.#books && apiBooksOf(this.#books, requests, () => this.#config);
    const parts = { clock, random, events, registry, dynauth, dictionary, version, log, ...books };
    const backEnds = () => this.#backEnds.figures();
    this.#http = new HttpApi({ ...parts, ready, closeLink, upstreams, udp, heartbeat, backEnds }, this.#config.http);
    return this.#http.start();
  }

  #closeLink(linkId: string): boolean {
    const record = this.registry.record(linkId);
    record?.link.close("operator");
    return record !== undefined;
  }

  #readiness(): Readiness {
    const checks = {
      hub: { ok: this.#state === "running", detail: this.#state },
      ...this.#listeners.checks(),
      ...this.#upstreams.checks(),
      ...(this.#books && { store: this.#books.check() }),
      ...(this.#config.heartbeat.enabled && { heartbeat: this.#heartbeat.check() }),
    };
    return { ready: Object.values(checks).every(({ ok }) => ok), checks };
  }

  #dropped(reason: string, from: { readonly address: string }): void {
    const atMs = this.#deps.clock.wallMs();
    const peer = from.address;
    this.events.emit({ type: "packet.dropped", atMs, linkId: undefined, listener: "requester", peer, reason });
  }

  #compiled(config: Config): Selection | undefined {
    const { select } = config.dynauth;
    if (select.length === 0) return undefined;
    return compileSelection(select, { registry: this.registry, dictionary: this.dictionary });
  }

  /** Says aloud what ends within 30 days and what turns routers away, and reads the certificates again in six hours: the
   *  development PKI renews itself, and other files may have been replaced. */
  #watchCertificates(materials: ReadonlyMap<string, TlsMaterial>): void {
    const { clock, log } = this.#deps;
    for (const line of this.#listeners.warnings()) log.warn(line);
    this.#expiries.look(materials);
    this.#cancelCertificateCheck?.();
    this.#cancelCertificateCheck = clock.after(CERTIFICATE_CHECK_MS, () => {
      void this.#inTurn(() => this.#rereadCertificates(materials));
    });
  }

  async #rereadCertificates(before: ReadonlyMap<string, TlsMaterial>): Promise<void> {
    let materials = before;
    try {
      materials = await this.#materials.load(this.#config);
      if (!isDeepStrictEqual(materials, before)) {
        this.#listeners.useMaterials(this.#config, materials);
        this.#upstreams.apply(upstreamsOptions(this.#config, materials));
        this.#listeners.reauthorise();
        this.#deps.log.info("certificates have changed and are in use for new links");
      }
    } catch (error) {
      this.#deps.log.error({ err: error }, "certificates could not be read again; the ones in use stay");
    }
    if (this.#state === "running") this.#watchCertificates(materials);
  }
}

function registryOptions({ bindings }: Config) {
  return {
    bindingLapseMs: bindings.lapseMs,
    namesPerLinkMax: bindings.namesPerLinkMax,
    bindingsMax: bindings.bindingsMax,
  };
}
