import { monitorEventLoopDelay } from "node:perf_hooks";
import { Counter, Gauge, Histogram, Registry as MetricRegistry } from "prom-client";
import type { ExchangeEnded, HubEvent } from "../events.ts";
import type { OutcomeKind } from "../dynauth/outcome.ts";
import { CODE } from "../radius/codes.ts";
import { CLOSE_REASONS, DROP_REASONS } from "../transport/link.ts";
import { REFUSAL_REASONS } from "../transport/refusal.ts";
import { AccountMetrics } from "./account-metrics.ts";
import { addBackEndMetrics } from "./back-end-metrics.ts";
import { BookMetrics } from "./book-metrics.ts";
import type { HttpDeps } from "./options.ts";
import { addUdpMetrics } from "./udp-metrics.ts";

type MetricsDeps = Pick<
  HttpDeps,
  | "events"
  | "registry"
  | "dynauth"
  | "version"
  | "upstreams"
  | "udp"
  | "heartbeat"
  | "books"
  | "outbox"
  | "accounts"
  | "backEnds"
>;

const OUTCOMES = {
  ack: true,
  nak: true,
  timeout: true,
  "no-route": true,
  busy: true,
  closed: true,
} as const satisfies Record<OutcomeKind, true>;

const REQUESTS = ["disconnect", "coa", "other"] as const;
const BINDING_CHANGES = ["bound", "refused", "lapsed", "released", "not-indexed"] as const;
const LATENCY_BUCKETS_SECONDS = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30];
const NANOSECONDS = 1e9;
/** How often the delay of the event loop is sampled. A sample is the time from one look to the next: without delay it is this. */
const LOOP_SAMPLE_MS = 10;

/** Counts what the event feed tells, for Prometheus. Its registry is its own, so that two hubs in one process do not mix.
 *  No label names a NAS, a user or an address: the number of series is bounded by the code. Reasons start
 *  at zero, and each limit that turns something away has one (invariant 8). */
export class HubMetrics {
  readonly #deps: MetricsDeps;
  readonly #metrics = new MetricRegistry();
  readonly #handshakes = this.#counter("handshakes_total", "Connections by what became of them", ["result"], {
    result: ["ok", ...REFUSAL_REASONS],
  });
  readonly #closed = this.#counter("links_closed_total", "Links that ended", ["reason"], { reason: CLOSE_REASONS });
  readonly #dropped = this.#counter("packets_dropped_total", "Packets that were dropped", ["reason"], {
    reason: DROP_REASONS,
  });
  readonly #bindings = this.#counter("binding_changes_total", "Changes of bindings", ["change"], {
    change: BINDING_CHANGES,
  });
  readonly #exchanges = this.#counter("exchanges_total", "Exchanges that ended", ["request", "outcome"]);
  /** Named by the configuration, so their number is bounded. */
  readonly #moduleFaults = this.#counter("module_faults_total", "Calls of AAA modules that went wrong", [
    "module",
    "fault",
  ]);
  readonly #answers = this.#counter("http_requests_total", "Answers of the HTTP API", ["route", "status"]);
  readonly #latency = new Histogram({
    name: "radsec_hub_exchange_duration_seconds",
    help: "Time from the trigger to the reply of the NAS",
    labelNames: ["request"],
    buckets: LATENCY_BUCKETS_SECONDS,
    registers: [this.#metrics],
  });
  readonly #books: BookMetrics | undefined;
  readonly #accounts: AccountMetrics | undefined;
  readonly #loopDelay = monitorEventLoopDelay({ resolution: LOOP_SAMPLE_MS });
  #unsubscribe: () => void = () => undefined;

  constructor(deps: MetricsDeps) {
    this.#deps = deps;
    for (const request of REQUESTS) {
      for (const outcome of Object.keys(OUTCOMES)) this.#exchanges.inc({ request, outcome }, 0);
      this.#latency.zero({ request });
    }
    const { books, outbox, udp, backEnds } = deps;
    if (backEnds !== undefined) addBackEndMetrics(this.#metrics, backEnds);
    if (udp !== undefined) addUdpMetrics(this.#metrics, udp);
    this.#books = books && new BookMetrics(this.#metrics, { books, outbox });
    this.#accounts = deps.accounts && new AccountMetrics(this.#metrics, deps.accounts);
    this.#readings();
  }

  get contentType(): string {
    return this.#metrics.contentType;
  }

  start(): void {
    this.#loopDelay.enable();
    this.#unsubscribe = this.#deps.events.subscribe((event) => this.#count(event));
  }

  stop(): void {
    this.#unsubscribe();
    this.#loopDelay.disable();
  }

  /** The exposition text of Prometheus. */
  text(): Promise<string> {
    return this.#metrics.metrics();
  }

  /** @param route the pattern of the path, never the path itself */
  answered(route: string, status: number): void {
    this.#answers.inc({ route, status: String(status) });
  }

  #count(event: HubEvent): void {
    this.#books?.count(event);
    this.#accounts?.count(event);
    switch (event.type) {
      case "link.up":
        this.#handshakes.inc({ result: "ok" });
        break;
      case "handshake.refused":
        this.#handshakes.inc({ result: event.reason });
        break;
      case "link.down":
        this.#closed.inc({ reason: event.reason });
        break;
      case "packet.dropped":
        this.#dropped.inc({ reason: event.reason });
        break;
      case "binding":
        this.#bindings.inc({ change: event.change });
        break;
      case "module.fault":
        for (const module of event.modules) this.#moduleFaults.inc({ module, fault: event.fault });
        break;
      case "exchange.ended":
        this.#exchangeEnded(event);
        break;
      default:
        break;
    }
  }

  #exchangeEnded({ code, outcome, durationMs }: ExchangeEnded): void {
    const request = code === CODE.disconnectRequest ? "disconnect" : code === CODE.coaRequest ? "coa" : "other";
    this.#exchanges.inc({ request, outcome });
    // Only a reply measures the NAS; a timeout would measure the configuration.
    if (outcome === "ack" || outcome === "nak") this.#latency.observe({ request }, durationMs / 1_000);
  }

  /** What is read at the moment of the scrape. */
  #readings(): void {
    const { registry, dynauth, version } = this.#deps;
    this.#gauge("links", "Links that are open", () => registry.size);
    this.#gauge("bindings", "NAS-Identifiers that are bound", () => registry.bindingCount);
    this.#gauge("exchanges_in_flight", "Exchanges that have begun and not ended", () => dynauth.inFlight);
    this.#gauge("link_requests_in_flight", "Requests written to links and not answered", () =>
      sum(registry.records(), ({ link }) => link.inFlight),
    );
    this.#gauge("link_requests_queued", "Requests that wait for a link", () =>
      sum(registry.records(), ({ link }) => link.queued),
    );
    this.#upstreams();
    const build = this.#gauge("build_info", "Version of the hub; always 1", undefined, ["version"]);
    build.set({ version }, 1);
    const delay = this.#gauge(
      "event_loop_delay_seconds",
      "Delay of the event loop since the scrape before",
      () => {
        const seconds = (nanoseconds: number) => Math.max(0, nanoseconds / NANOSECONDS - LOOP_SAMPLE_MS / 1_000);
        delay.set({ quantile: "0.5" }, seconds(this.#loopDelay.percentile(50)));
        delay.set({ quantile: "0.99" }, seconds(this.#loopDelay.percentile(99)));
        delay.set({ quantile: "1" }, seconds(this.#loopDelay.max));
        this.#loopDelay.reset();
        return undefined;
      },
      ["quantile"],
    );
  }

  /** Named by the configuration, so their number is bounded. */
  #upstreams(): void {
    const { upstreams, heartbeat } = this.#deps;
    if (heartbeat !== undefined) {
      this.#gauge("heartbeat_up", "1 while the hub answers its own Access-Request", () => Number(heartbeat()));
    }
    if (upstreams === undefined) return;
    const up = this.#gauge(
      "upstream_up",
      "1 while a server is not dead",
      () => {
        up.reset(); // servers that the configuration no longer names
        for (const { name, state } of upstreams()) up.set({ upstream: name }, state === "dead" ? 0 : 1);
        return undefined;
      },
      ["upstream"],
    );
    const outstanding = this.#gauge(
      "upstream_requests_outstanding",
      "Requests that a server has not answered yet",
      () => {
        outstanding.reset();
        for (const each of upstreams()) outstanding.set({ upstream: each.name }, each.outstanding);
        return undefined;
      },
      ["upstream"],
    );
  }

  #counter<Label extends string>(
    name: string,
    help: string,
    labelNames: readonly Label[],
    zero: Partial<Record<Label, readonly string[]>> = {},
  ): Counter<Label> {
    const counter = new Counter({
      name: `radsec_hub_${name}`,
      help,
      labelNames: [...labelNames],
      registers: [this.#metrics],
    });
    for (const label of labelNames) {
      for (const value of zero[label] ?? []) counter.inc({ [label]: value } as Record<Label, string>, 0);
    }
    return counter;
  }

  #gauge<Label extends string>(
    name: string,
    help: string,
    read: (() => number | undefined) | undefined,
    labelNames: readonly Label[] = [],
  ): Gauge<Label> {
    const gauge: Gauge<Label> = new Gauge({
      name: `radsec_hub_${name}`,
      help,
      labelNames: [...labelNames],
      registers: [this.#metrics],
      collect() {
        const value = read?.();
        if (value !== undefined) this.set(value);
      },
    });
    return gauge;
  }
}

function sum<T>(items: Iterable<T>, of: (item: T) => number): number {
  let total = 0;
  for (const item of items) total += of(item);
  return total;
}
