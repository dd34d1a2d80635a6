import type { z } from "zod";
import { section, valueAt } from "../section.ts";
import { count, duration, list } from "../values.ts";
import type { SelectRule } from "../../registry/selection.ts";
import { selectRule } from "./select.ts";

export const dynauthSection = section(
  {
    timeout: duration("How long a reply is awaited, when the request names no time of its own.", {
      min: "100ms",
      max: "30s",
    }).prefault("10s"),
    timeoutMax: duration("The longest time that a request may ask for.", { min: "100ms", max: "30s" }).prefault("30s"),
    queue: count("Requests that wait on one link when 255 are in flight; more are busy.", 0, 1_000_000).default(1_000),
    timestampWindow: duration("How far the Event-Timestamp of a peer may be from now (RFC 5176 Section 6.3).", {
      min: "1s",
      max: "24h",
    }).prefault("300s"),
    select: list("Rules that find the link of a request; the first with a match counts.", selectRule),
  },
  (values, report) => {
    const timeout = valueAt(values, "timeout");
    const timeoutMax = valueAt(values, "timeoutMax");
    if (typeof timeout === "number" && typeof timeoutMax === "number" && timeout > timeoutMax) {
      report(["timeout"], "must not be longer than timeoutMax");
    }
  },
);

export interface DynauthConfig {
  readonly timeoutMs: number;
  readonly timeoutMaxMs: number;
  readonly queueMax: number;
  readonly timestampWindowMs: number;
  /** Empty: the NAS identity of the request is the key, and the least busy of its links is taken. */
  readonly select: readonly SelectRule[];
}

export function dynauthConfig(values: z.output<typeof dynauthSection>): DynauthConfig {
  return {
    timeoutMs: values.timeout,
    timeoutMaxMs: values.timeoutMax,
    queueMax: values.queue,
    timestampWindowMs: values.timestampWindow,
    select: values.select,
  };
}
