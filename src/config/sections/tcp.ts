import type { z } from "zod";
import { reportDuplicates, section, withRules } from "../section.ts";
import { address, list, name, port } from "../values.ts";
import type { DynauthConfig } from "./dynauth.ts";
import { type LinkConfig, linkConfig } from "./link.ts";
import { rejectDelaySection } from "./reject-delay.ts";
import type { StatusConfig } from "./status.ts";
import { STREAM_LIMITS, STREAM_SOCKET } from "./stream-limits.ts";

const listener = section({
  name: name("Name of the listener in logs, metrics and select rules.").prefault("tcp"),
  address: address("Address to listen on; :: is every IPv6 and IPv4 address.").prefault("127.0.0.1"),
  port: port("TCP port (RFC 6613: 1812); 0 is any free one.").default(1812),
  limits: section(STREAM_LIMITS).prefault({}),
  rejectDelay: rejectDelaySection.prefault({}),
  ...STREAM_SOCKET,
}).meta({ description: "A RADIUS/TCP listener (RFC 6613): nothing is encrypted." });

export const tcpSection = withRules(list("RADIUS/TCP listeners.", listener), (listeners, report) =>
  reportDuplicates(listeners, "name", "listener name", report),
);

export interface TcpConfig {
  readonly name: string;
  readonly address: string;
  readonly port: number;
  readonly limits: {
    readonly links: number;
    readonly linksPerPeer: number;
    readonly linksPerAddress: number;
    readonly newPerSecondPerAddress: number;
  };
  readonly noDelay: boolean;
  /** 0 is off. */
  readonly keepAliveMs: number;
  readonly link: LinkConfig;
}

export function tcpConfig(values: z.output<typeof listener>, dynauth: DynauthConfig, status: StatusConfig): TcpConfig {
  const { writeBacklog, requestsInHandler, ...limits } = values.limits;
  return {
    name: values.name,
    address: values.address,
    port: values.port,
    limits,
    noDelay: values.noDelay,
    keepAliveMs: values.keepAlive,
    link: linkConfig({ writeBacklog, requestsInHandler }, values.rejectDelay, dynauth, status),
  };
}
