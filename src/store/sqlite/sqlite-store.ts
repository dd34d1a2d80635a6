import type { Clock } from "../../clock.ts";
import type { AccountingRecord } from "../accounting-record.ts";
import { assertBatch, assertPage, assertQuery, assertUserBatch } from "../limits.ts";
import { DEFAULT_PERIOD_RULES, type PeriodRules } from "../periods.ts";
import { StoreLife } from "../store-life.ts";
import type { HealthObserver, PageRequest, RecordDetail, RecordResult, Store, StoreHealth } from "../types.ts";
import { backupDatabase } from "./backup.ts";
import { packRecords } from "./packed-records.ts";
import { type PackedResults, unpackResults } from "./packed-results.ts";
import { StoreThread, type StoreThreadOptions } from "./store-thread.ts";
import { type Concern, METHODS } from "./thread-messages.ts";

export interface SqliteStoreDeps {
  readonly clock: Clock;
  readonly onHealth?: HealthObserver;
}

export interface SqliteStoreOptions {
  /** A path, or ":memory:" for a store that ends with the process. */
  readonly file: string;
  readonly synchronous?: "full" | "normal" | undefined;
  /** Messages in the outbox, dead letters included. */
  readonly outboxMax?: number | undefined;
  /** Calls, or records, that wait for the disk. */
  readonly waitingMax?: number | undefined;
  readonly busyTimeoutMs?: number | undefined;
}

const OUTBOX_MAX = 100_000;
const WAITING_MAX = 32_768;
const BUSY_TIMEOUT_MS = 5_000;
const CHECK_BYTES_MAX = 512 * 1024 * 1024;

/** The embedded store: one SQLite file (WAL), its connection in a worker thread. Invariants 6 and 7 rest on its commits. */
export class SqliteStore implements Store {
  readonly kind = "sqlite";
  readonly acctSessions: Store["acctSessions"];
  readonly usage: Store["usage"];
  readonly quota: Store["quota"];
  readonly users: Store["users"];
  readonly plans: Store["plans"];
  readonly userChanges: Store["userChanges"];
  readonly audit: Store["audit"];
  readonly outbox: Store["outbox"];
  readonly bindings: Store["bindings"];
  readonly apiRecords: Store["apiRecords"];
  readonly #life: StoreLife;
  readonly #thread: StoreThread;
  readonly #file: string;

  constructor(deps: SqliteStoreDeps, options: SqliteStoreOptions) {
    this.#life = new StoreLife(deps.clock, deps.onHealth, () => this.#thread.queued);
    this.#file = options.file;
    const onState = (state: "up" | "down", detail: string | undefined): void => this.#life.changed(state, detail);
    this.#thread = new StoreThread({ clock: deps.clock, onState }, threadOptions(options), DEFAULT_PERIOD_RULES);
    this.acctSessions = {
      ...remote(this.#thread, "acctSessions"),
      record: (batch, detail = "full") => this.#record(batch, detail),
    };
    this.usage = remote(this.#thread, "usage");
    this.quota = remote(this.#thread, "quota");
    this.users = remote(this.#thread, "users");
    this.plans = remote(this.#thread, "plans");
    this.userChanges = remote(this.#thread, "userChanges");
    this.audit = remote(this.#thread, "audit");
    this.outbox = remote(this.#thread, "outbox");
    this.bindings = remote(this.#thread, "bindings");
    this.apiRecords = remote(this.#thread, "apiRecords");
  }

  get health(): StoreHealth {
    return this.#life.health;
  }

  usePeriods(rules: PeriodRules): void {
    this.#thread.usePeriods(rules);
  }

  start(): void {
    this.#life.started();
    this.#thread.start();
  }

  async stop(): Promise<void> {
    await this.#thread.stop();
    this.#life.changed("stopped", undefined);
  }

  ready(timeoutMs: number): Promise<void> {
    return this.#life.ready(timeoutMs);
  }

  async #record(batch: readonly AccountingRecord[], detail: RecordDetail): Promise<RecordResult[]> {
    assertBatch(batch);
    const results = await this.#thread.call("acctSessions", "record", [packRecords(batch), detail], batch.length);
    return unpackResults(results as PackedResults, detail);
  }

  /** Writes a copy as of now to `target`, while everything goes on. The file appears once it is complete.
   *  @returns its size in octets. @throws {HubError} ERR_STORE */
  backup(target: string): Promise<number> {
    return backupDatabase(this.#file, target);
  }
}

function threadOptions(options: SqliteStoreOptions): StoreThreadOptions {
  return {
    database: {
      file: options.file,
      synchronous: options.synchronous ?? "full",
      busyTimeoutMs: options.busyTimeoutMs ?? BUSY_TIMEOUT_MS,
      checkBytesMax: CHECK_BYTES_MAX,
    },
    outboxMax: options.outboxMax ?? OUTBOX_MAX,
    waitingMax: options.waitingMax ?? WAITING_MAX,
    reopenMs: 250,
    reopenMsMax: 10_000,
  };
}

/** The methods of a concern, each a call to the worker. */
function remote<Name extends Concern>(thread: StoreThread, concern: Name): Store[Name] {
  const methods = Object.keys(METHODS[concern]).map((method) => {
    const call = async (...values: readonly unknown[]): Promise<unknown> => {
      if (method === "find") assertQuery(values[0] as object);
      if (method === "putAll" || concern === "userChanges" || concern === "apiRecords") assertUserBatch(values[0]);
      for (const value of values) if (isPageRequest(value)) assertPage(value);
      return thread.call(concern, method, values, 1);
    };
    return [method, call] as const;
  });
  return Object.fromEntries(methods) as unknown as Store[Name];
}

function isPageRequest(value: unknown): value is PageRequest {
  return typeof value === "object" && value !== null && "limit" in value;
}
