import { Counter, Gauge, type Registry as MetricRegistry } from "prom-client";
import { SESSION_CHECK_RESULTS, type SessionCheckResult } from "../dynauth/session-check.ts";
import type { HubEvent } from "../events.ts";
import type { HttpDeps } from "./options.ts";

/** What stands on the store, in figures; counts are since the start of the hub. */
export interface BookFigures {
  readonly store: { readonly up: boolean; readonly queued: number };
  /** Accounting records that wait for the store. */
  readonly recordsWaiting: number;
  readonly quota: {
    /** Users that wait to be looked at, and that are looked at. */
    readonly waiting: number;
    readonly looking: number;
    /** Requests to routers under way. */
    readonly acting: number;
    /** Users whose facts are remembered. */
    readonly remembered: number;
    readonly dropped: number;
    /** Questions that operators' endpoints did not answer. */
    readonly verdictsUnanswered: number;
  };
  readonly webhooks: {
    /** Messages that wait to be stored. */
    readonly waiting: number;
    readonly dropped: number;
    /** By name in hub.yaml. */
    readonly targets: readonly {
      readonly name: string;
      readonly delivered: number;
      readonly failed: number;
      readonly inFlight: number;
    }[];
  };
  readonly audit: { readonly waiting: number; readonly dropped: number };
  /** Changes of bindings that wait to be stored. */
  readonly bindingsWaiting: number;
  /** Requests of DACs that were compared with the acct sessions on record, by how that ended. */
  readonly sessionChecks: Readonly<Record<SessionCheckResult, number>>;
}

interface BookMetricsDeps extends Pick<HttpDeps, "outbox"> {
  readonly books: NonNullable<HttpDeps["books"]>;
}

const ACTIONS = ["throttle", "disconnect", "un-throttle"] as const;
const OUTCOMES = ["ack", "nak", "timeout", "no-route", "busy", "closed", "refused"] as const;
const DELIVERIES = ["delivered", "failed"] as const;

/** Figures of accounting, quota, webhooks and audit. No label names a user or a NAS. */
export class BookMetrics {
  readonly #registry: MetricRegistry;
  readonly #acted: Counter<"action" | "outcome">;
  readonly #reached: Counter;

  constructor(registry: MetricRegistry, { books, outbox }: BookMetricsDeps) {
    this.#registry = registry;
    const registers = [registry];
    this.#reached = new Counter({
      name: "radsec_hub_quota_reached_total",
      help: "Thresholds that users have reached",
      registers,
    });
    this.#acted = new Counter({
      name: "radsec_hub_quota_actions_total",
      help: "Requests of the quota by how they ended",
      labelNames: ["action", "outcome"],
      registers,
    });
    for (const action of ACTIONS) for (const outcome of OUTCOMES) this.#acted.inc({ action, outcome }, 0);
    this.#gauges(books);
    this.#totals(books);
    if (outbox !== undefined) this.#outbox(outbox);
  }

  count(event: HubEvent): void {
    if (event.type === "quota.reached") this.#reached.inc();
    else if (event.type === "quota.acted") this.#acted.inc({ action: event.action, outcome: event.outcome });
  }

  #gauges(books: () => BookFigures): void {
    const gauges: readonly (readonly [name: string, help: string, read: (figures: BookFigures) => number])[] = [
      ["store_up", "1 while the store can be written", ({ store }) => Number(store.up)],
      ["store_calls_queued", "Calls and records that wait for the store", ({ store }) => store.queued],
      ["accounting_records_waiting", "Records that wait for a commit", ({ recordsWaiting }) => recordsWaiting],
      ["quota_users_waiting", "Users that wait to be looked at", ({ quota }) => quota.waiting],
      ["quota_users_looked_at", "Users that are being looked at", ({ quota }) => quota.looking],
      ["quota_users_remembered", "Users whose facts are remembered", ({ quota }) => quota.remembered],
      ["quota_actions_in_flight", "Requests of the quota under way", ({ quota }) => quota.acting],
      ["webhook_messages_waiting", "Messages that wait to be stored", ({ webhooks }) => webhooks.waiting],
      ["audit_exchanges_waiting", "Ended exchanges that wait to be stored", ({ audit }) => audit.waiting],
      ["binding_changes_waiting", "Bindings that wait to be stored", ({ bindingsWaiting }) => bindingsWaiting],
    ];
    for (const [name, help, read] of gauges) {
      const collect = function (this: Gauge): void {
        this.set(read(books()));
      };
      new Gauge({ name: `radsec_hub_${name}`, help, registers: [this.#registry], collect });
    }
  }

  /** Counted elsewhere since the start. */
  #totals(books: () => BookFigures): void {
    const registers = [this.#registry];
    new Counter({
      name: "radsec_hub_work_dropped_total",
      help: "Work beside accounting that was given up at a bound, or because the store refused it",
      labelNames: ["work"],
      registers,
      collect() {
        const { quota, webhooks, audit } = books();
        this.reset();
        for (const [work, { dropped }] of Object.entries({ quota, webhook: webhooks, audit }))
          this.inc({ work }, dropped);
      },
    });
    new Counter({
      name: "radsec_hub_quota_verdicts_unanswered_total",
      help: "Questions that an endpoint of quota.rules.verdict did not answer: whenDown then decides",
      registers,
      collect() {
        this.reset();
        this.inc(books().quota.verdictsUnanswered);
      },
    });
    new Counter({
      name: "radsec_hub_session_checks_total",
      help: "Requests of DACs compared with the acct sessions on record (dynauth.checkSessions); refused: NAK 503, unknown and failed: passed on",
      labelNames: ["result"],
      registers,
      collect() {
        this.reset();
        const { sessionChecks } = books();
        for (const result of SESSION_CHECK_RESULTS) this.inc({ result }, sessionChecks[result]);
      },
    });
    new Counter({
      name: "radsec_hub_webhook_deliveries_total",
      help: "Attempts to deliver a message; what failed is tried again or becomes a dead letter",
      labelNames: ["webhook", "result"],
      registers,
      collect() {
        this.reset();
        for (const target of books().webhooks.targets) {
          for (const result of DELIVERIES) this.inc({ webhook: target.name, result }, target[result]);
        }
      },
    });
    new Gauge({
      name: "radsec_hub_webhook_deliveries_in_flight",
      help: "Deliveries under way",
      labelNames: ["webhook"],
      registers,
      collect() {
        this.reset();
        for (const { name, inFlight } of books().webhooks.targets) this.set({ webhook: name }, inFlight);
      },
    });
  }

  #outbox(outbox: NonNullable<BookMetricsDeps["outbox"]>): void {
    new Gauge({
      name: "radsec_hub_outbox_messages",
      help: "Messages in the store, of all nodes; none while the store is down",
      labelNames: ["state"],
      registers: [this.#registry],
      async collect() {
        this.reset();
        const found = await outbox.counts().catch(() => undefined); // the store is down: store_up says so
        if (found === undefined) return;
        this.set({ state: "waiting" }, found.waiting);
        this.set({ state: "dead" }, found.dead);
      },
    });
  }
}
