import type { MongoClientOptions } from "mongodb";
import type { Clock, Random } from "../../clock.ts";
import { DEFAULT_PERIOD_RULES, type PeriodRules, Periods } from "../periods.ts";
import { StoreLife } from "../store-life.ts";
import type { HealthObserver, Store, StoreHealth } from "../types.ts";
import { AcctSessionCollection } from "./acct-session-collection.ts";
import { ApiRecordCollection } from "./api-record-collection.ts";
import { AuditCollection } from "./audit-collection.ts";
import { BindingCollection } from "./binding-collection.ts";
import { Connection } from "./connection.ts";
import { OutboxCollection } from "./outbox-collection.ts";
import { QuotaCollections } from "./quota-collections.ts";
import { UsageCollection } from "./usage-collection.ts";
import { UserChangeCollection } from "./user-change-collection.ts";
import { PlanCollection, UserCollection } from "./user-collections.ts";

export interface MongoStoreDeps {
  readonly clock: Clock;
  readonly random: Random;
  readonly onHealth?: HealthObserver;
}

export interface MongoStoreOptions {
  /** mongodb:// or mongodb+srv://; may name the database ("radsec_hub" otherwise), TLS files and credentials. */
  readonly uri: string;
  /** What is in no URI and no file: credentials, certificates, keys. */
  readonly driver?: Pick<MongoClientOptions, "auth" | "ca" | "cert" | "key" | "passphrase" | "tls"> | undefined;
  /** Messages in the outbox, dead letters included; nodes that write at one moment may exceed it by what they write. */
  readonly outboxMax?: number | undefined;
  /** Calls, or records, that wait for the server. Beyond, "queue-full". */
  readonly waitingMax?: number | undefined;
  readonly connectionsMax?: number | undefined;
  /** For finding a server, a connection and a majority, each; an answer may take twice as long. */
  readonly timeoutMs?: number | undefined;
}

const OUTBOX_MAX = 100_000;
const WAITING_MAX = 32_768;
const CONNECTIONS_MAX = 16;
const TIMEOUT_MS = 5_000;

/** The store that several hubs share: MongoDB by its official driver. It needs no transaction: whatever must change together is
 *  one document, and a document is written on the condition that nobody else wrote it since (invariants 6 and 7). */
export class MongoStore implements Store {
  readonly kind = "mongodb";
  readonly acctSessions: AcctSessionCollection;
  readonly usage: UsageCollection;
  readonly quota: Store["quota"];
  readonly users: Store["users"];
  readonly plans: Store["plans"];
  readonly userChanges: Store["userChanges"];
  readonly audit: Store["audit"];
  readonly outbox: Store["outbox"];
  readonly bindings: Store["bindings"];
  readonly apiRecords: Store["apiRecords"];
  readonly #life: StoreLife;
  readonly #connection: Connection;

  constructor(deps: MongoStoreDeps, options: MongoStoreOptions) {
    this.#life = new StoreLife(deps.clock, deps.onHealth, () => this.#connection.queued);
    const onState = (state: "up" | "down", detail: string | undefined): void => this.#life.changed(state, detail);
    const calls = new Connection(
      { clock: deps.clock, onState },
      {
        uri: options.uri,
        driver: options.driver ?? {},
        timeoutMs: options.timeoutMs ?? TIMEOUT_MS,
        connectionsMax: options.connectionsMax ?? CONNECTIONS_MAX,
        waitingMax: options.waitingMax ?? WAITING_MAX,
        reopenMs: 250,
        reopenMsMax: 10_000,
      },
    );
    this.#connection = calls;
    const periods = new Periods(DEFAULT_PERIOD_RULES);
    this.acctSessions = new AcctSessionCollection({ calls, clock: deps.clock, random: deps.random }, periods);
    this.usage = new UsageCollection(calls, periods);
    this.quota = new QuotaCollections(calls, deps.random);
    this.users = new UserCollection(calls);
    this.plans = new PlanCollection(calls);
    this.userChanges = new UserChangeCollection(calls, deps.random);
    this.audit = new AuditCollection(calls);
    this.outbox = new OutboxCollection(calls, deps.random, options.outboxMax ?? OUTBOX_MAX);
    this.bindings = new BindingCollection(calls);
    this.apiRecords = new ApiRecordCollection(calls);
  }

  get health(): StoreHealth {
    return this.#life.health;
  }

  usePeriods(rules: PeriodRules): void {
    const periods = new Periods(rules);
    this.acctSessions.usePeriods(periods);
    this.usage.usePeriods(periods);
  }

  start(): void {
    this.#life.started();
    this.#connection.start();
  }

  async stop(): Promise<void> {
    await this.#connection.stop();
    this.#life.changed("stopped", undefined);
  }

  ready(timeoutMs: number): Promise<void> {
    return this.#life.ready(timeoutMs);
  }
}
