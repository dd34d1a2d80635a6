import type { z } from "zod";
import type { NoRouteAnswer } from "../../dynauth/triggers.ts";
import type { UdpListenerOptions } from "../../transport/udp-listener.ts";
import { ipAddress } from "../identities.ts";
import type { Report } from "../problem.ts";
import { reportDuplicates, section, valueAt, withRules } from "../section.ts";
import { choice, count, duration, flag, list, name, oneOrMany, port, size } from "../values.ts";
import type { DynauthConfig } from "./dynauth.ts";
import { rejectDelaySection } from "./reject-delay.ts";
import type { StatusConfig } from "./status.ts";

export const UDP_PORT_KEYS = ["authPort", "acctPort", "dynauthPort"] as const;

const noRoute = section(
  {
    answer: choice("nak: NAK with Error-Cause. silence: nothing. access-reject: Access-Reject.", [
      "nak",
      "silence",
      "access-reject",
    ]).default("nak"),
    errorCause: count(
      "Error-Cause of the NAK; without it 403 for a NAS that nobody knows, else 502.",
      201,
      65_535,
    ).optional(),
  },
  (values, report) => {
    if (valueAt(values, "answer") === "nak" || valueAt(values, "errorCause") === undefined) return;
    report(["errorCause"], "has no meaning without answer: nak");
  },
).meta({ description: "What a DAC hears when there is no link to its NAS." });

const listener = section(
  {
    name: name("Name of the listener in logs, metrics and select rules.").prefault("udp"),
    addresses: oneOrMany(
      "Addresses to listen on; 0.0.0.0 and :: stand for every local address, with a socket each.",
      ipAddress("An IP address."),
    ).prefault(["0.0.0.0", "::"]),
    authPort: port("Takes Access-Request and Status-Server (RFC 2865: 1812); without it none.").optional(),
    acctPort: port("Takes Accounting-Request and Status-Server (RFC 2866: 1813); without it none.").optional(),
    dynauthPort: port("Takes Disconnect- and CoA-Request (RFC 5176: 3799); without it none.").optional(),
    triggersOnAuthPort: flag("Whether authPort takes Disconnect- and CoA-Request too.").default(false),
    receiveBuffer: size("Receive buffer of each socket.", { min: "64KiB", max: "256MiB" }).prefault("4MiB"),
    // UL-07
    duplicateLifetime: duration("How long a reply is kept for a request that comes again on authPort and acctPort.", {
      min: "5s",
      max: "30s",
    }).prefault("30s"),
    duplicates: count(
      "Replies that are kept on each socket, and as many for triggers; beyond it the oldest is forgotten.",
      256,
      10_000_000,
    ).default(65_536),
    rejectDelay: rejectDelaySection.prefault({}),
    noRoute: noRoute.prefault({}),
  },
  portRules,
).meta({ description: "Sockets for RADIUS/UDP." });

function portRules(values: unknown, report: Report): void {
  const ports = UDP_PORT_KEYS.map((key) => ({ key, port: valueAt(values, key) }));
  if (ports.every(({ port }) => port === undefined)) report([], `needs one of ${UDP_PORT_KEYS.join(", ")}`);
  for (const [index, { key, port }] of ports.entries()) {
    const earlier = ports.slice(0, index).find((other) => port !== undefined && port !== 0 && other.port === port);
    if (earlier !== undefined) report([key], `is taken: ${earlier.key} is the same`);
  }
  if (valueAt(values, "triggersOnAuthPort") === true && valueAt(values, "authPort") === undefined) {
    report(["triggersOnAuthPort"], "needs authPort");
  }
}

export const udpSection = withRules(list("RADIUS/UDP listeners.", listener), (listeners, report) =>
  reportDuplicates(listeners, "name", "listener name", report),
);

export type UdpValues = z.output<typeof listener>;

export interface UdpConfig extends UdpListenerOptions {
  /** For the listener's triggers. */
  readonly noRoute: NoRouteAnswer;
}

export function udpConfig(values: UdpValues, dynauth: DynauthConfig, status: StatusConfig): UdpConfig {
  return {
    name: values.name,
    addresses: values.addresses,
    authPort: values.authPort,
    acctPort: values.acctPort,
    dynauthPort: values.dynauthPort,
    triggersOnAuthPort: values.triggersOnAuthPort,
    receiveBufferBytes: values.receiveBuffer,
    statusServer: status,
    duplicates: {
      authAcctMs: values.duplicateLifetime,
      dynauthMs: dynauth.timestampWindowMs, // DP-06: the two are equal
      entriesMax: values.duplicates,
    },
    rejectDelayMs: values.rejectDelay,
    timestampWindowMs: dynauth.timestampWindowMs,
    requireEventTimestamp: dynauth.requireEventTimestamp,
    noRoute: values.noRoute,
  };
}
