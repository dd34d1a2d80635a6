import type { z } from "zod";
import type { HeartbeatOptions } from "../../aaa/upstream/options.ts";
import { section, valueAt } from "../section.ts";
import { duration, flag } from "../values.ts";
import { testPassword, testUserName } from "./upstream-probe.ts";

export const heartbeatSection = section(
  {
    enabled: flag("Whether the hub sends itself an Access-Request now and then, and probes each upstream.").default(
      true,
    ),
    interval: duration("Between two heartbeats.", { min: "1s", max: "1h" }).prefault("60s"),
    timeout: duration("How long an answer is awaited.", { min: "100ms", max: "1m" }).prefault("10s"),
    userName: testUserName("User-Name of the Access-Request; its realm says where it goes.").prefault(
      "radsec-hub-heartbeat",
    ),
    password: testPassword("User-Password of the Access-Request; Accept and Reject both mean alive.").prefault(
      "radsec-hub-heartbeat",
    ),
  },
  (values, report) => {
    const [interval, timeout] = [valueAt(values, "interval"), valueAt(values, "timeout")];
    if (typeof interval === "number" && typeof timeout === "number" && timeout > interval) {
      report(["timeout"], "must not be longer than interval");
    }
  },
);

export function heartbeatOptions(values: z.output<typeof heartbeatSection>): HeartbeatOptions {
  return {
    enabled: values.enabled,
    intervalMs: values.interval,
    timeoutMs: values.timeout,
    userName: values.userName,
    password: values.password,
  };
}
