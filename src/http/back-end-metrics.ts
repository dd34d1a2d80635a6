import { Counter, Gauge, type Registry as MetricRegistry } from "prom-client";
import { BACK_END_RESULTS, type BackEndFigures } from "../aaa/pipeline/back-ends.ts";

const STATES = { closed: 0, "half-open": 0.5, open: 1 } as const;

/** Figures of the systems that modules ask. Instances are named by the configuration, so the number of series is bounded. */
export function addBackEndMetrics(registry: MetricRegistry, backEnds: () => readonly BackEndFigures[]): void {
  const registers = [registry];
  const shared = (name: string, help: string) => ({
    name: `radsec_hub_back_end_${name}`,
    help,
    labelNames: ["module"],
    registers,
  });
  const gauge = (name: string, help: string, read: (figures: BackEndFigures) => number): void => {
    new Gauge({
      ...shared(name, help),
      collect() {
        this.reset();
        for (const each of backEnds()) this.set({ module: each.instance }, read(each));
      },
    });
  };
  const counter = (name: string, help: string, read: (figures: BackEndFigures) => number): void => {
    new Counter({
      ...shared(name, help),
      collect() {
        this.reset();
        for (const each of backEnds()) this.inc({ module: each.instance }, read(each));
      },
    });
  };
  new Counter({
    name: "radsec_hub_back_end_requests_total",
    help: "Questions to a system that a module asks, by how they ended",
    labelNames: ["module", "result"],
    registers,
    collect() {
      this.reset();
      for (const { instance, results } of backEnds()) {
        for (const result of BACK_END_RESULTS) this.inc({ module: instance, result }, results[result]);
      }
    },
  });
  counter("answer_seconds_total", "Time that answers took, of all together", ({ answeredSeconds }) => answeredSeconds);
  counter("retries_total", "Attempts after the first", ({ retries }) => retries);
  counter("from_memory_total", "Answers that were remembered", ({ fromMemory }) => fromMemory);
  counter("last_known_total", "Earlier answers that stood in for a system that was down", ({ lastKnown }) => lastKnown);
  gauge("requests_in_flight", "Questions under way", ({ running }) => running);
  gauge("requests_waiting", "Questions that wait for their turn", ({ waiting }) => waiting);
  gauge("answers_remembered", "Answers in memory", ({ remembered }) => remembered);
  gauge(
    "breaker_open",
    "1 while a system that failed is left alone, 0.5 while it is tried",
    (each) => STATES[each.breaker],
  );
}
