import { once } from "node:events";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import { getRequestListener } from "@hono/node-server";
import { listenError } from "../transport/node-errors.ts";
import { Access, assertReachableOnlyAsMeant } from "./access.ts";
import type { Routes } from "./api-context.ts";
import { makeApp } from "./app.ts";
import { answerBrokenHttp, unreadableRequest } from "./broken-http.ts";
import { isLoopback } from "./host-name.ts";
import { LogGate } from "./log-gate.ts";
import { HubMetrics } from "./metrics.ts";
import type { HttpDeps, HttpOptions } from "./options.ts";
import { RequestIds } from "./request-id.ts";
import { backupRoutes } from "./routes-backup.ts";
import { planRoutes, userRoutes } from "./routes-accounts.ts";
import { bindingRoutes } from "./routes-bindings.ts";
import { exchangeRoutes } from "./routes-exchange.ts";
import { compatRoutes, withAndWithoutSlash } from "./compat/compat-routes.ts";
import { healthRoutes } from "./routes-health.ts";
import { linkRoutes } from "./routes-links.ts";
import { sessionRoutes } from "./routes-sessions.ts";
import { quotaRoutes, usageRoutes } from "./routes-users.ts";
import { webhookRoutes } from "./routes-webhooks.ts";

export type { HttpDeps, HttpOptions } from "./options.ts";

/** Our choice: each connection carries one exchange at a time; more than this is no caller but a flood. */
const CONNECTIONS_MAX = 1_024;
/** How often node:http looks for requests that take too long: a time-out is late by this at the most. */
const TIMEOUT_CHECK_MS = 1_000;
const HEADER_BYTES_MAX = 16_384;

/** The HTTP API of a hub.
 *  new --start()--> listening --stop()--> stopped (no way back). apply() changes a listening one without dropping a connection. */
export class HttpApi {
  readonly #deps: HttpDeps;
  #options: HttpOptions;
  #access: Access;
  readonly #metrics: HubMetrics;
  readonly #requestIds: RequestIds;
  readonly #server: Server;
  #stopping: Promise<void> | undefined;

  /** @throws {HubError} ERR_CONFIG for a token, password or network that cannot be meant */
  constructor(deps: HttpDeps, options: HttpOptions) {
    this.#deps = deps;
    this.#options = options;
    this.#access = new Access(options);
    this.#metrics = new HubMetrics(deps);
    this.#requestIds = new RequestIds(deps.random);
    this.#server = createServer(
      { ...timeouts(options), connectionsCheckingInterval: TIMEOUT_CHECK_MS, maxHeaderSize: HEADER_BYTES_MAX },
      this.#listener(),
    );
    this.#server.maxConnections = CONNECTIONS_MAX;
  }

  /** Listens. @throws {HubError} ERR_CONFIG when everybody on the network could do everything, ERR_LISTEN naming address and port */
  async start(): Promise<{ address: string; port: number }> {
    const { address, port } = this.#options;
    assertReachableOnlyAsMeant(this.#access, address);
    const gate = new LogGate(this.#deps.clock);
    this.#server.on("clientError", answerBrokenHttp(this.#requestIds));
    this.#server.on("drop", () => {
      const suppressed = gate.pass("drop");
      if (suppressed === undefined) return;
      this.#deps.log.warn({ connections: CONNECTIONS_MAX, suppressed }, "HTTP connection refused: too many are open");
    });
    this.#server.listen(port, address);
    try {
      await once(this.#server, "listening");
    } catch (cause) {
      throw listenError("the HTTP API", address, port, cause as NodeJS.ErrnoException);
    }
    this.#metrics.start();
    const bound = this.#server.address();
    if (bound === null || typeof bound === "string") throw new TypeError("an HTTP server listens on address and port");
    return { address: bound.address, port: bound.port };
  }

  /** Takes no new work; what is under way may end within `graceMs`, then every connection is closed. */
  stop(graceMs: number): Promise<void> {
    this.#stopping ??= this.#stop(graceMs);
    return this.#stopping;
  }

  /** Takes new options without dropping a connection. @returns the keys that hold only after a restart
   *  @throws {HubError} ERR_CONFIG, and the old options stay */
  apply(options: HttpOptions): string[] {
    const { address, port } = this.#options;
    const wanted = new Access(options);
    // Rules that are enough for the new address only must wait for it: the old one is still what is listened on.
    const kept = wanted.open && !isLoopback(address) ? ["http.tokens", "http.basic", "http.clients"] : [];
    if (kept.length === 0) this.#access = wanted;
    this.#options = { ...options, address, port };
    Object.assign(this.#server, timeouts(options));
    if (options.address !== address) kept.push("http.address");
    if (options.port !== port) kept.push("http.port");
    return kept;
  }

  async #stop(graceMs: number): Promise<void> {
    const closed = this.#server.listening ? once(this.#server, "close") : undefined;
    this.#server.close(); // ends idle connections too; the others get "Connection: close" with their answer
    const cancel = this.#deps.clock.after(graceMs, () => this.#server.closeAllConnections());
    await closed;
    cancel();
    this.#metrics.stop();
  }

  #accountRoutes(settings: () => HttpOptions): Routes {
    const { clock, log, users, plans, accounts, quota } = this.#deps;
    if (users === undefined || plans === undefined || accounts === undefined) return {};
    const deps = { clock, log, users, plans, accounts, ruleNames: () => quota?.ruleNames() ?? [] };
    return { ...userRoutes(deps, settings), ...planRoutes(deps, settings) };
  }

  #listener(): (incoming: IncomingMessage, outgoing: ServerResponse) => void {
    const settings = () => this.#options;
    const { clock, log, backup, acctSessions, usage, outbox, books, quota, quotaStore, compat } = this.#deps;
    const routes: Routes = {
      ...exchangeRoutes(this.#deps, settings),
      ...linkRoutes(this.#deps),
      ...bindingRoutes(this.#deps),
      ...(acctSessions && sessionRoutes({ acctSessions, log })),
      ...(usage && usageRoutes({ usage, quota })),
      ...(quota && quotaStore && quotaRoutes({ clock, quotaStore, quota }, settings)),
      ...this.#accountRoutes(settings),
      ...(compat && withAndWithoutSlash(compatRoutes({ ...this.#deps, ...compat }, settings))),
      ...(outbox && books && webhookRoutes({ clock, outbox, books })),
      ...(backup && backupRoutes({ clock, log, backup }, settings)),
      ...healthRoutes(this.#deps, this.#metrics),
    };
    const app = makeApp({
      clock: this.#deps.clock,
      log: this.#deps.log,
      requestIds: this.#requestIds,
      routes,
      access: () => this.#access,
      stopping: () => this.#stopping !== undefined,
      answered: (route, status) => this.#metrics.answered(route, status),
    });
    const listener = getRequestListener(app.fetch, { errorHandler: () => unreadableRequest(this.#requestIds) });
    return (incoming, outgoing) => void listener(incoming, outgoing);
  }
}

/** node:http wants the header time-out within the request time-out. */
function timeouts({ headerTimeoutMs, requestTimeoutMs }: HttpOptions) {
  return { headersTimeout: Math.min(headerTimeoutMs, requestTimeoutMs), requestTimeout: requestTimeoutMs };
}
