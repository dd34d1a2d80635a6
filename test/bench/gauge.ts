import { monitorEventLoopDelay } from "node:perf_hooks";
import { setTimeout as sleep } from "node:timers/promises";

const RESOLUTION_MS = 5;
const SAMPLES_MAX = 1 << 20;

/** What one load cost the process that it ran in. */
export interface Cost {
  readonly seconds: number;
  /** CPU of all threads of the process, user and system. */
  readonly cpuUs: number;
  /** How late the event loop was; 0 is on time. */
  readonly loopDelayP99Ms: number;
}

/** CPU, time and event-loop delay between begin() and end(). */
export class Gauge {
  #cpu = process.cpuUsage();
  #beganMs = 0;
  #delay: ReturnType<typeof monitorEventLoopDelay> | undefined;

  begin(): void {
    this.#delay = monitorEventLoopDelay({ resolution: RESOLUTION_MS });
    this.#delay.enable();
    this.#beganMs = performance.now();
    this.#cpu = process.cpuUsage();
  }

  end(): Cost {
    const { user, system } = process.cpuUsage(this.#cpu);
    const seconds = (performance.now() - this.#beganMs) / 1_000;
    this.#delay?.disable();
    // Node counts the interval between two looks, so its own resolution is in every value.
    const p99Ms = (this.#delay?.percentile(99) ?? 0) / 1e6 - RESOLUTION_MS;
    return { seconds, cpuUs: user + system, loopDelayP99Ms: Math.max(0, p99Ms) };
  }
}

/** Durations in milliseconds, the newest million. */
export class Durations {
  readonly #samples = new Float64Array(SAMPLES_MAX);
  #count = 0;

  get count(): number {
    return this.#count;
  }

  add(milliseconds: number): void {
    this.#samples[this.#count % SAMPLES_MAX] = milliseconds;
    this.#count += 1;
  }

  clear(): void {
    this.#count = 0;
  }

  percentiles(): { readonly p50Ms: number; readonly p99Ms: number } {
    const sorted = this.#samples.slice(0, Math.min(this.#count, SAMPLES_MAX)).sort();
    const at = (fraction: number) => sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * fraction))] ?? NaN;
    return { p50Ms: at(0.5), p99Ms: at(0.99) };
  }
}

/** How one load went, in the process whose work is measured. */
export interface Measured {
  readonly count: number;
  readonly perSecond: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
  readonly cpuUsEach: number;
  readonly loopDelayP99Ms: number;
}

export function measured(durations: Durations, cost: Cost): Measured {
  const { count } = durations;
  return {
    count,
    perSecond: count / cost.seconds,
    ...durations.percentiles(),
    cpuUsEach: cost.cpuUs / count,
    loopDelayP99Ms: cost.loopDelayP99Ms,
  };
}

/** The median of each figure by itself. */
export function middle(turns: readonly Measured[]): Measured {
  const of = (key: keyof Measured): number => median(turns.map((turn) => turn[key]));
  return {
    count: of("count"),
    perSecond: of("perSecond"),
    p50Ms: of("p50Ms"),
    p99Ms: of("p99Ms"),
    cpuUsEach: of("cpuUsEach"),
    loopDelayP99Ms: of("loopDelayP99Ms"),
  };
}

/** Of an even number of values the lower one in the middle; NaN of none. */
export function median(values: readonly number[]): number {
  const sorted = values.toSorted((left, right) => left - right);
  return sorted[(sorted.length - 1) >> 1] ?? NaN;
}

export interface Load {
  readonly links: number;
  readonly inFlight: number;
  readonly warmUpMs: number;
  readonly forMs: number;
}

/** Lets something run that adds to `durations`, and measures it once it is warm. */
export async function measureWhile(durations: Durations, load: Load): Promise<Measured> {
  await sleep(load.warmUpMs);
  durations.clear();
  const gauge = new Gauge();
  gauge.begin();
  await sleep(load.forMs);
  return measured(durations, gauge.end());
}

/** Resident octets once garbage is gone. */
export async function residentBytes(): Promise<number> {
  for (let round = 0; round < 3; round += 1) {
    globalThis.gc?.();
    await sleep(100);
  }
  return process.memoryUsage.rss();
}
