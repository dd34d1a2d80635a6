import { pathToFileURL } from "node:url";
import { resolve } from "node:path";
import { Worker } from "node:worker_threads";
import type { Clock } from "../../clock.ts";

/** What the thread gets. */
export interface StallWorkerData {
  /** One Int32: goes up while the event loop goes round. */
  readonly beats: SharedArrayBuffer;
  /** URL of the folder with the operator's modules, with a slash at its end. */
  readonly folder: string;
  /** How often it looks. */
  readonly lookMs: number;
  /** Looks without a beat until it says so. */
  readonly looks: number;
}

// As LoopWatch was built it can tell of a standstill only when it is over; this one is for what never is.
const LOOK_MS = 500;
const LOOKS = 10;
const WORKER = new URL(import.meta.url.endsWith(".ts") ? "./worker.ts" : "./worker.js", import.meta.url);

/** A second thread that says on standard error where the hub is when its event loop stands still: a module of the operator can
 *  hold it for ever, and then nothing else of the hub can speak. Runs only where there are such modules.
 *
 *  idle --apply(folder)--> watching --apply(undefined), stop()--> idle */
export class StallWatch {
  readonly #clock: Clock;
  #folder: string | undefined;
  #worker: Worker | undefined;
  #cancel: (() => void) | undefined;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** @param folder with the operator's modules; undefined: there are none */
  apply(folder: string | undefined): void {
    if (folder === this.#folder) return;
    this.stop();
    this.#folder = folder;
    if (folder === undefined) return;
    const beats = new SharedArrayBuffer(Int32Array.BYTES_PER_ELEMENT);
    const workerData: StallWorkerData = {
      beats,
      folder: pathToFileURL(`${resolve(folder)}/`).href,
      lookMs: LOOK_MS,
      looks: LOOKS,
    };
    this.#worker = new Worker(WORKER, { workerData, name: "stall-watch" });
    // Without it the hub goes on as before.
    this.#worker.on("error", () => this.stop());
    this.#worker.unref();
    this.#beat(new Int32Array(beats));
  }

  stop(): void {
    this.#cancel?.();
    this.#cancel = undefined;
    void this.#worker?.terminate();
    this.#worker = undefined;
    this.#folder = undefined;
  }

  #beat(beats: Int32Array): void {
    Atomics.add(beats, 0, 1);
    this.#cancel = this.#clock.after(LOOK_MS, () => this.#beat(beats));
  }
}
