import type { z } from "zod";
import { AUDITED, type Audited } from "../../aaa/audit/exchange-audit.ts";
import type { TriggerRealms } from "../../dynauth/trigger-route.ts";
import type { SelectRule } from "../../registry/selection.ts";
import { dnsName } from "../identities.ts";
import { reportDuplicates, section, valueAt, withRules } from "../section.ts";
import { choice, count, duration, flag, list } from "../values.ts";
import { operatorNas, targetOf } from "./operator-nas.ts";
import { selectRule } from "./select.ts";

export const dynauthSection = section(
  {
    timeout: duration("How long a reply is awaited, when the request names no time of its own.", {
      min: "100ms",
      max: "30s",
    }).prefault("10s"),
    // UC-02: MRD of RFC 5080 Section 2.2.1
    timeoutUdp: duration("The same of a router over UDP, which is asked again meanwhile.", {
      min: "5s",
      max: "30s",
    }).prefault("30s"),
    timeoutMax: duration("The longest time that a request may ask for.", { min: "100ms", max: "30s" }).prefault("30s"),
    queue: count("Requests that wait on one link when 255 are in flight; more are busy.", 0, 1_000_000).default(1_000),
    exchanges: count("Exchanges at once in the whole hub; more are busy.", 1, 1_000_000).default(50_000),
    timestampWindow: duration("How far the Event-Timestamp of a peer may be from now (RFC 5176 Section 6.3).", {
      min: "1s",
      max: "24h",
    }).prefault("300s"),
    // DP-05
    requireEventTimestamp: flag("Whether a Disconnect- or CoA-Request without Event-Timestamp is dropped.").default(
      false,
    ),
    // DP-31
    hops: count(
      "Proxies that a request of a DAC may have come through, by its Proxy-States; beyond it NAK 502.",
      0,
      255,
    ).default(16),
    // DP-13
    realms: list("Realms of Operator-Name that are ours; others are not routable.", dnsName("A realm.")),
    // DP-11
    requireOperatorName: flag("Whether a request of a DAC without Operator-Name is not routable.").default(false),
    // DP-30
    checkSessions: flag(
      "Whether what a DAC asks of a NAS that it names is first compared with the acct sessions on record; a mismatch is NAK 503.",
    ).default(false),
    // DP-14
    operatorNas: withRules(list("Which NAS an Operator-NAS-Identifier stands for.", operatorNas), (entries, report) =>
      reportDuplicates(entries, "operatorNasIdentifier", "Operator-NAS-Identifier", report),
    ),
    reverseFromUpstreams: list(
      "Where requests go that an upstream sends in reverse: to routers on tls links, on udp, or both; [] answers each of them with NAK 502.",
      choice("A kind of link.", ["tls", "udp"]),
    ).prefault(["tls", "udp"]),
    audit: choice(
      "Which exchanges are kept in the store: what the API and the quota ask for (asked), what DACs ask for over RADIUS too (all), or none (off).",
      AUDITED,
    ).default("asked"),
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
  readonly timeoutUdpMs: number;
  readonly timeoutMaxMs: number;
  readonly queueMax: number;
  readonly exchangesMax: number;
  readonly timestampWindowMs: number;
  readonly requireEventTimestamp: boolean;
  readonly hopsMax: number;
  readonly checkSessions: boolean;
  readonly realms: TriggerRealms;
  /** Kinds of links that a request from an upstream may go to; empty: none, the hub answers it. */
  readonly reverseFromUpstreams: ReadonlySet<"tls" | "udp">;
  readonly audit: Audited;
  /** Empty: the NAS identity of the request is the key, and the least busy of its links is taken. */
  readonly select: readonly SelectRule[];
}

export function dynauthConfig(values: z.output<typeof dynauthSection>): DynauthConfig {
  return {
    timeoutMs: values.timeout,
    timeoutUdpMs: Math.min(values.timeoutUdp, values.timeoutMax),
    timeoutMaxMs: values.timeoutMax,
    queueMax: values.queue,
    exchangesMax: values.exchanges,
    timestampWindowMs: values.timestampWindow,
    requireEventTimestamp: values.requireEventTimestamp,
    hopsMax: values.hops,
    checkSessions: values.checkSessions,
    realms: {
      ours: new Set(values.realms),
      required: values.requireOperatorName,
      operatorNas: new Map(values.operatorNas.map((nas) => [nas.operatorNasIdentifier, targetOf(nas)])),
    },
    reverseFromUpstreams: new Set(values.reverseFromUpstreams),
    audit: values.audit,
    select: values.select,
  };
}
