import { Worker } from "node:worker_threads";
import type { Clock } from "../../clock.ts";
import type { PeriodRules } from "../periods.ts";
import { storeError } from "../store-error.ts";
import type { StoreFault } from "../types.ts";
import type { Call, Concern, Report, Request, Result, ThreadOptions } from "./thread-messages.ts";

export interface StoreThreadOptions extends Omit<ThreadOptions, "nowMs" | "periods"> {
  /** Calls that wait; a record counts as one. Beyond, "queue-full". */
  readonly waitingMax: number;
  /** First and greatest wait before the file is opened again. */
  readonly reopenMs: number;
  readonly reopenMsMax: number;
}

export interface StoreThreadDeps {
  readonly clock: Clock;
  /** Told that it is up, or down and why. */
  readonly onState: (state: "up" | "down", detail: string | undefined) => void;
}

interface Waiting extends Call {
  readonly weight: number;
  readonly resolve: (value: unknown) => void;
  readonly reject: (error: Error) => void;
}

/** While the worker commits the next groups are already there, and go into its next commit together: it never waits for this
 *  thread. */
const GROUPS_IN_FLIGHT = 4;
/** Calls of one group; a call may hold many records. */
const GROUP_CALLS_MAX = 256;
const WORKER = new URL(import.meta.url.endsWith(".ts") ? "./worker.ts" : "./worker.js", import.meta.url);

/** The calling side of the worker: what comes while the worker is busy goes to it together and is committed together.
 *
 *  (1) A call settles exactly once: with its result, or with why not.
 *  (2) While the store is down a call fails at once. Calls in flight when the worker dies fail as "unknown".
 *  (3) Calls are carried out in the order in which they were made.
 *
 *  new --start()--> down <--> up --stop()--> stopped */
export class StoreThread {
  readonly #clock: Clock;
  readonly #onState: StoreThreadDeps["onState"];
  readonly #options: StoreThreadOptions;
  #worker: Worker | undefined;
  #up = false;
  #stopped: Promise<void> | undefined;
  #periods: PeriodRules;
  #waiting: Waiting[] = [];
  #waitingWeight = 0;
  #inFlight: (readonly Waiting[])[] = [];
  #failures = 0;
  #cancelReopen = (): void => undefined;
  #idle = (): void => undefined;

  constructor(deps: StoreThreadDeps, options: StoreThreadOptions, periods: PeriodRules) {
    this.#clock = deps.clock;
    this.#onState = deps.onState;
    this.#options = options;
    this.#periods = periods;
  }

  /** Calls that are not settled, by weight. */
  get queued(): number {
    return this.#waitingWeight;
  }

  start(): void {
    if (this.#worker !== undefined || this.#stopped !== undefined) return;
    const workerData: ThreadOptions = { ...this.#options, periods: this.#periods, nowMs: this.#clock.wallMs() };
    const worker = new Worker(WORKER, { workerData, name: "store" });
    this.#worker = worker;
    let detail: [StoreFault, string] = ["unknown", "the thread of the store ended"];
    worker.on("message", (report: Report) => {
      if (report.type === "up") this.#opened();
      else if (report.type === "results") this.#settle(report.results);
      else detail = [report.reason, report.message];
    });
    worker.on("error", (error) => (detail = ["unknown", error.message]));
    worker.on("exit", () => this.#ended(...detail));
  }

  /** Ends what was accepted, then closes the file. Idempotent. */
  stop(): Promise<void> {
    this.#stopped ??= this.#stop();
    return this.#stopped;
  }

  usePeriods(rules: PeriodRules): void {
    this.#periods = rules;
    // Calls made before it must go first (3).
    while (this.#up && this.#waiting.length > 0) this.#sendGroup();
    if (this.#up) this.#post({ type: "periods", rules });
  }

  /** @throws {HubError} ERR_STORE, as a rejection */
  call(concern: Concern, method: string, values: readonly unknown[], weight: number): Promise<unknown> {
    if (this.#stopped !== undefined) return Promise.reject(storeError("stopped", "the store has stopped"));
    if (!this.#up) return Promise.reject(storeError("down", "the store is not open"));
    if (this.#waitingWeight + weight > this.#options.waitingMax) {
      return Promise.reject(storeError("queue-full", `${this.#waitingWeight} calls wait for the store already`));
    }
    return new Promise((resolve, reject) => {
      this.#waitingWeight += weight;
      this.#waiting.push({ concern, method, values, weight, resolve, reject });
      this.#send();
    });
  }

  #send(): void {
    while (this.#waiting.length > 0 && this.#inFlight.length < GROUPS_IN_FLIGHT) this.#sendGroup();
  }

  #sendGroup(): void {
    const group = this.#waiting.splice(0, GROUP_CALLS_MAX);
    this.#inFlight.push(group);
    this.#post({ type: "calls", calls: group.map(({ concern, method, values }) => ({ concern, method, values })) });
  }

  #post(request: Request): void {
    this.#worker?.postMessage(request);
  }

  #opened(): void {
    this.#up = true;
    this.#failures = 0;
    this.#onState("up", undefined);
  }

  /** @param results of all calls of one commit: those of one group or of several that follow each other */
  #settle(results: readonly Result[]): void {
    const settled: Waiting[] = [];
    while (settled.length < results.length && this.#inFlight.length > 0)
      settled.push(...(this.#inFlight.shift() ?? []));
    for (const [index, waiting] of settled.entries()) {
      this.#waitingWeight -= waiting.weight;
      const result = results[index];
      if (result === undefined) waiting.reject(storeError("unknown", "no result"));
      else if ("value" in result) waiting.resolve(result.value);
      else if ("mistake" in result) waiting.reject(new TypeError(result.mistake));
      else waiting.reject(storeError(result.reason, result.message));
    }
    this.#send();
    if (this.#inFlight.length === 0) this.#idle();
  }

  #ended(reason: StoreFault, message: string): void {
    this.#worker = undefined;
    this.#up = false;
    const lost = this.#inFlight.flat();
    const unsent = this.#waiting;
    this.#inFlight = [];
    this.#waiting = [];
    this.#waitingWeight = 0;
    for (const { reject } of lost) reject(storeError(reason === "unknown" ? "unknown" : "down", message));
    for (const { reject } of unsent) reject(storeError("down", message));
    this.#idle();
    if (this.#stopped !== undefined) return;
    this.#onState("down", `${reason}: ${message}`);
    const delayMs = Math.min(this.#options.reopenMs * 2 ** this.#failures, this.#options.reopenMsMax);
    this.#failures += 1;
    this.#cancelReopen = this.#clock.after(delayMs, () => this.start());
  }

  async #stop(): Promise<void> {
    this.#cancelReopen();
    const worker = this.#worker;
    if (worker === undefined) return;
    const ended = new Promise((resolve) => worker.once("exit", resolve));
    if (this.#inFlight.length > 0) await new Promise<void>((resolve) => (this.#idle = resolve));
    worker.postMessage({ type: "stop" } satisfies Request);
    await ended;
  }
}
