import { type Db, MongoClient, type MongoClientOptions, type TopologyDescription } from "mongodb";
import type { Clock } from "../../clock.ts";
import { storeError } from "../store-error.ts";
import { type Collections, collectionsOf, ensureIndexes } from "./collections.ts";
import { type CallKind, messageOf, mongoFault } from "./mongo-fault.ts";

export interface ConnectionOptions {
  readonly uri: string;
  readonly driver: MongoClientOptions;
  readonly timeoutMs: number;
  readonly connectionsMax: number;
  readonly waitingMax: number;
  /** First and greatest wait before the server is asked again. */
  readonly reopenMs: number;
  readonly reopenMsMax: number;
}

export interface ConnectionDeps {
  readonly clock: Clock;
  /** Told that the server can be written to, or not and why. */
  readonly onState: (state: "up" | "down", detail: string | undefined) => void;
}

/** Carries out a call. Failures are ERR_STORE; of a write that may have been done, with reason "unknown". */
export interface Calls {
  read<Result>(action: (collections: Collections) => Promise<Result>): Promise<Result>;
  /** @param action one command */
  write<Result>(action: (collections: Collections) => Promise<Result>): Promise<Result>;
  /** @param action several commands: whatever fails, one before it may have been carried out */
  writes<Result>(action: (collections: Collections) => Promise<Result>): Promise<Result>;
  /** @param action throws ERR_STORE itself */
  records<Result>(weight: number, action: (collections: Collections) => Promise<Result>): Promise<Result>;
}

const DATABASE = "radsec_hub";
const WRITABLE: ReadonlySet<string> = new Set(["Standalone", "RSPrimary", "Mongos", "LoadBalancer"]);

/** The driver with its pool, and whether the server can be written to. The driver watches the servers and finds them again;
 *  this class turns what it sees into up and down.
 *
 *  new --start()--> down <--> up --stop()--> stopped */
export class Connection implements Calls {
  readonly #clock: Clock;
  readonly #onState: ConnectionDeps["onState"];
  readonly #options: ConnectionOptions;
  readonly #running = new Set<Promise<unknown>>();
  #client: MongoClient | undefined;
  #collections: Collections | undefined;
  #writable = false;
  #up = false;
  #opening = false;
  #queued = 0;
  #failures = 0;
  #stopped: Promise<void> | undefined;
  #cancelReopen = (): void => undefined;

  constructor(deps: ConnectionDeps, options: ConnectionOptions) {
    this.#clock = deps.clock;
    this.#onState = deps.onState;
    this.#options = options;
  }

  /** Calls that are not settled, by weight. */
  get queued(): number {
    return this.#queued;
  }

  start(): void {
    if (this.#client !== undefined || this.#stopped !== undefined) return;
    try {
      this.#client = new MongoClient(this.#options.uri, driverOptions(this.#options));
    } catch (error) {
      this.#onState("down", messageOf(error)); // the URI says nothing that can be used
      return;
    }
    this.#client.on("topologyDescriptionChanged", ({ newDescription }) => this.#seen(newDescription));
    void this.#open();
  }

  /** Ends what was accepted, then closes the pool. Idempotent. */
  stop(): Promise<void> {
    this.#stopped ??= this.#stop();
    return this.#stopped;
  }

  read<Result>(action: (collections: Collections) => Promise<Result>): Promise<Result> {
    return this.#call("read", action, 1);
  }

  write<Result>(action: (collections: Collections) => Promise<Result>): Promise<Result> {
    return this.#call("write", action, 1);
  }

  writes<Result>(action: (collections: Collections) => Promise<Result>): Promise<Result> {
    return this.#call("writes", action, 1);
  }

  records<Result>(weight: number, action: (collections: Collections) => Promise<Result>): Promise<Result> {
    return this.#call("write", action, weight);
  }

  async #call<Result>(
    kind: CallKind,
    action: (collections: Collections) => Promise<Result>,
    weight: number,
  ): Promise<Result> {
    if (this.#stopped !== undefined) throw storeError("stopped", "the store has stopped");
    if (!this.#up || this.#collections === undefined) throw storeError("down", "the server is not there");
    if (this.#queued + weight > this.#options.waitingMax) {
      throw storeError("queue-full", `${this.#queued} calls wait for the store already`);
    }
    this.#queued += weight;
    const running = action(this.#collections);
    this.#running.add(running);
    try {
      return await running;
    } catch (error) {
      throw mongoFault(error, kind);
    } finally {
      this.#queued -= weight;
      this.#running.delete(running);
    }
  }

  #seen({ servers }: TopologyDescription): void {
    const known = [...servers.values()];
    this.#writable = known.some(({ type }) => WRITABLE.has(type));
    if (this.#writable) {
      void this.#open();
      return;
    }
    if (!this.#up) return;
    this.#up = false;
    const cause = known.find(({ error }) => error instanceof Error)?.error;
    this.#onState("down", cause?.message ?? "no server can be written to");
  }

  /** Goes up once the server answers and has the indexes; tries again until it does. */
  async #open(): Promise<void> {
    if (this.#up || this.#opening || this.#stopped !== undefined) return;
    this.#opening = true;
    this.#cancelReopen();
    try {
      const client = await (this.#client as MongoClient).connect();
      this.#collections = collectionsOf(databaseOf(client, this.#options.uri));
      await ensureIndexes(this.#collections);
      this.#opened();
    } catch (error) {
      this.#openLater(messageOf(error));
    } finally {
      this.#opening = false;
    }
  }

  #opened(): void {
    if (this.#stopped !== undefined) return;
    if (!this.#writable) {
      this.#openLater("no server can be written to");
      return;
    }
    this.#failures = 0;
    this.#up = true;
    this.#onState("up", undefined);
  }

  #openLater(detail: string): void {
    if (this.#stopped !== undefined) return;
    this.#onState("down", detail);
    const delayMs = Math.min(this.#options.reopenMs * 2 ** this.#failures, this.#options.reopenMsMax);
    this.#failures += 1;
    this.#cancelReopen = this.#clock.after(delayMs, () => void this.#open());
  }

  async #stop(): Promise<void> {
    this.#cancelReopen();
    await Promise.allSettled(this.#running);
    await this.#client?.close();
  }
}

function driverOptions({ driver, timeoutMs, connectionsMax }: ConnectionOptions): MongoClientOptions {
  return {
    ...driver,
    appName: "radsec-hub",
    // A record is answered once a majority has it on disk, and a copy of it once a majority has what it is a copy of: what the
    // primary alone knows an election may undo, after the NAS was told that it is stored.
    writeConcern: { w: "majority", journal: true, wtimeoutMS: timeoutMs },
    readConcern: { level: "majority" },
    readPreference: "primary",
    retryWrites: true,
    retryReads: true,
    ignoreUndefined: true,
    maxPoolSize: connectionsMax,
    waitQueueTimeoutMS: timeoutMs,
    serverSelectionTimeoutMS: timeoutMs,
    connectTimeoutMS: timeoutMs,
    socketTimeoutMS: timeoutMs * 2,
    heartbeatFrequencyMS: 1_000,
  };
}

/** The database that the URI names, else one of our own: never "test", which the driver would take. */
function databaseOf(client: MongoClient, uri: string): Db {
  const named = /^mongodb(?:\+srv)?:\/\/[^/]+\/([^?]+)/.exec(uri)?.[1];
  return client.db(named === undefined ? DATABASE : decodeURIComponent(named));
}
