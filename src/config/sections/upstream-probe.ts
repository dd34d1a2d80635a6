import type { z } from "zod";
import type { ProbeOptions } from "../../aaa/upstream/options.ts";
import type { Report } from "../problem.ts";
import { section, valueAt } from "../section.ts";
import { choice, duration, text } from "../values.ts";

/** RFC 2865 Sections 5.1 and 5.2 */
const USER_NAME_BYTES_MAX = 253;
const PASSWORD_BYTES_MAX = 128;

/** User-Name of a request that the hub makes up by itself. */
export function testUserName(description: string) {
  return text(description).refine(
    (value) => Buffer.byteLength(value) <= USER_NAME_BYTES_MAX,
    `must have at most ${USER_NAME_BYTES_MAX} octets`,
  );
}

/** User-Password of such a request. */
export function testPassword(description: string) {
  return text(description).refine(
    (value) => Buffer.byteLength(value) <= PASSWORD_BYTES_MAX,
    `must have at most ${PASSWORD_BYTES_MAX} octets`,
  );
}

export const probeSection = section(
  {
    kind: choice("What asks: Status-Server, or an Access-Request for servers that do not answer that.", [
      "status-server",
      "access-request",
    ]).default("status-server"),
    port: choice("Over udp: the port that is asked. acct for a server of accounting alone.", ["auth", "acct"]).default(
      "auth",
    ),
    userName: testUserName("User-Name of the Access-Request; any reply will do.").prefault("radsec-hub-probe"),
    password: testPassword("User-Password of the Access-Request.").prefault("radsec-hub-probe"),
    timeout: duration("How long a probe waits for its answer.", { min: "100ms", max: "30s" }).prefault("3s"),
    interval: duration("Between two probes of a server that is not alive; doubled for each without an answer.", {
      min: "1s",
      max: "1h",
    }).prefault("5s"),
    intervalMax: duration("The longest it gets.", { min: "1s", max: "24h" }).prefault("60s"),
  },
  probeRules,
).meta({ description: "What asks a server whether it is alive." });

function probeRules(values: unknown, report: Report): void {
  if (valueAt(values, "kind") === "access-request" && valueAt(values, "port") === "acct") {
    report(["port"], "takes no Access-Request: with kind: access-request it is auth"); // UL-03
  }
  const [timeout, interval, longest] = ["timeout", "interval", "intervalMax"].map((key) => valueAt(values, key));
  if (typeof interval !== "number") return;
  if (typeof timeout === "number" && timeout > interval) report(["timeout"], "must not be longer than interval");
  if (typeof longest === "number" && longest < interval) report(["intervalMax"], "must not be shorter than interval");
}

export function probeOptions(values: z.output<typeof probeSection>): ProbeOptions {
  return {
    kind: values.kind,
    port: values.port,
    userName: values.userName,
    password: values.password,
    timeoutMs: values.timeout,
    intervalMs: values.interval,
    intervalMaxMs: values.intervalMax,
  };
}
