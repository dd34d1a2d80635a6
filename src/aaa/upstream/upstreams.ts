import { isDeepStrictEqual } from "node:util";
import type { Clock, Random } from "../../clock.ts";
import type { ProxyMark } from "../../dynauth/trigger-attributes.ts";
import type { EventFeed } from "../../events.ts";
import type { DropReason, Link, Reply, RequestContext, RequestHandler } from "../../transport/link.ts";
import { peerLabel } from "../../transport/peer.ts";
import type { TimingWheel } from "../../transport/timing-wheel.ts";
import { Forwarder } from "./forwarder.ts";
import type { UpstreamServerOptions, UpstreamsOptions } from "./options.ts";
import { Pool } from "./pool.ts";
import { RadsecServer } from "./radsec-server.ts";
import { routeOf } from "./routes.ts";
import { UdpServer, type UdpServerDeps } from "./udp-server.ts";
import type { UpstreamServer, UpstreamState } from "./upstream-server.ts";

export interface UpstreamsDeps {
  readonly clock: Clock;
  readonly random: Random;
  readonly wheel: TimingWheel;
  readonly events: EventFeed;
  readonly udp: UdpServerDeps["udp"];
  readonly mark: ProxyMark;
  /** Answers what RadSec servers ask in reverse on the links that the hub has opened. */
  readonly reverse: RequestHandler;
  readonly nextLinkId: () => string;
  /** Whether an address and port are this hub's own (TLS-25). */
  readonly isSelf: (address: string, port: number) => boolean;
  /** NAS-Identifier of probes: the name of the node. */
  readonly nasIdentifier: string;
}

/** A server as /metrics and /ready show it. */
export interface UpstreamStatus {
  readonly name: string;
  readonly transport: "udp" | "radsec";
  readonly state: UpstreamState;
  readonly outstanding: number;
}

interface Known {
  readonly options: UpstreamServerOptions;
  readonly server: UpstreamServer;
}

/** The upstream servers, their pools and the routes to them.
 *
 *  new --start()--> running --stop()--> stopped. apply() keeps every server whose options are the same. */
export class Upstreams {
  readonly #deps: UpstreamsDeps;
  readonly #forwarder: Forwarder;
  #options: UpstreamsOptions;
  #servers: ReadonlyMap<string, Known> = new Map();
  #pools: ReadonlyMap<string, Pool> = new Map();

  constructor(deps: UpstreamsDeps, options: UpstreamsOptions) {
    this.#deps = deps;
    this.#options = options;
    const { clock, mark } = deps;
    this.#forwarder = new Forwarder({ clock, mark, poolOf: (context) => this.#poolOf(context) });
  }

  /** @throws {HubError} ERR_PKI: then nothing is left running */
  start(): void {
    this.#use(this.#options);
  }

  /** Routes and pools change at once, servers that are gone or different end when their replacement runs.
   *  @throws {HubError} ERR_PKI, and then nothing has changed */
  apply(options: UpstreamsOptions): void {
    this.#use(options);
  }

  async stop(): Promise<void> {
    const known = [...this.#servers.values()];
    this.#servers = new Map();
    this.#pools = new Map();
    await Promise.all(known.map(({ server }) => server.stop()));
  }

  /** A request handler, but for what is not forwarded: undefined lets the next handler answer. */
  readonly forward = (context: RequestContext): Promise<Reply> | undefined => this.#forwarder.forward(context);

  /** The pool that a request is for. */
  poolFor(request: Pick<RequestContext, "packet" | "link" | "listener">): string | undefined {
    return this.#poolOf(request)?.name;
  }

  has(pool: string): boolean {
    return this.#pools.has(pool);
  }

  /** Passes a request on to a pool; nobody answers for one that is not there. */
  async forwardTo(context: RequestContext, pool: string): Promise<Reply> {
    const known = this.#pools.get(pool);
    return known === undefined ? { kind: "discard", reason: "no-upstream" } : this.#forwarder.forwardTo(context, known);
  }

  /** One probe of each server, for the heartbeat. */
  probe(): void {
    for (const { server } of this.#servers.values()) server.probe();
  }

  servers(): UpstreamStatus[] {
    return Array.from(this.#servers.values(), ({ server: { name, transport, state, outstanding } }) => ({
      name,
      transport,
      state,
      outstanding,
    }));
  }

  /** For /ready: a pool is fine while one of its servers is not dead. */
  checks(): Record<string, { readonly ok: boolean; readonly detail: string }> {
    return Object.fromEntries(
      Array.from(this.#pools.values(), ({ name, servers }) => {
        const alive = servers.filter(({ state }) => state !== "dead").length;
        return [`upstream:${name}`, { ok: alive > 0, detail: `${alive} of ${servers.length} servers` }];
      }),
    );
  }

  #poolOf({ packet, link, listener }: Pick<RequestContext, "packet" | "link" | "listener">): Pool | undefined {
    const name = routeOf(this.#options.routes, packet.code, packet.attributes, listener ?? link.listener);
    return name === undefined ? undefined : this.#pools.get(name);
  }

  #use(options: UpstreamsOptions): void {
    const servers = new Map<string, Known>();
    const fresh: UpstreamServer[] = [];
    try {
      for (const each of options.servers) {
        const kept = keep(this.#servers.get(each.name), each);
        if (kept !== undefined) {
          servers.set(each.name, { options: each, server: kept });
          continue;
        }
        const server = this.#serverOf(each);
        fresh.push(server);
        server.start();
        servers.set(each.name, { options: each, server });
      }
    } catch (error) {
      for (const server of fresh) void server.stop();
      throw error;
    }
    const gone = [...this.#servers.values()].filter(({ server }) => servers.get(server.name)?.server !== server);
    this.#servers = servers;
    this.#pools = new Map(options.pools.map((pool) => [pool.name, new Pool(pool, serversOf(pool.servers, servers))]));
    this.#options = options;
    for (const { server } of gone) void server.stop();
  }

  #serverOf(options: UpstreamServerOptions): UpstreamServer {
    const { clock, random, wheel, udp, reverse, nextLinkId, isSelf, nasIdentifier } = this.#deps;
    const { name, transport } = options;
    const changed = (up: boolean, detail: string) => this.#report(name, transport, up, detail);
    if (options.transport === "udp") return new UdpServer({ clock, random, udp, nasIdentifier, changed }, options);
    const dropped = (link: Link, reason: DropReason) => this.#dropped(link, reason);
    const dialling = { clock, random, wheel, handler: reverse, nextLinkId, isSelf, nasIdentifier };
    return new RadsecServer({ ...dialling, dropped, changed }, options);
  }

  #report(upstream: string, transport: "udp" | "radsec", up: boolean, detail: string): void {
    const { clock, events } = this.#deps;
    const type = up ? "upstream.up" : "upstream.down";
    events.emit({ type, atMs: clock.wallMs(), upstream, transport, detail });
  }

  #dropped({ linkId, listener, peer }: Link, reason: DropReason): void {
    const { clock, events } = this.#deps;
    const atMs = clock.wallMs();
    events.emit({ type: "packet.dropped", atMs, linkId, listener, peer: peerLabel(peer), reason });
  }
}

/** The server that runs already, when it need not end for the new options: a new certificate is for new connections.
 *  @throws {HubError} ERR_PKI */
function keep(before: Known | undefined, options: UpstreamServerOptions): UpstreamServer | undefined {
  if (before === undefined || isDeepStrictEqual(before.options, options)) return before?.server;
  const { server } = before;
  if (!(server instanceof RadsecServer) || options.transport !== "radsec" || options.tls === undefined)
    return undefined;
  if (!isDeepStrictEqual({ ...before.options, tls: options.tls }, options)) return undefined;
  server.useTls(options.tls);
  return server;
}

function serversOf(names: readonly string[], known: ReadonlyMap<string, Known>): UpstreamServer[] {
  return names.map((name) => known.get(name)?.server).filter((server) => server !== undefined);
}
