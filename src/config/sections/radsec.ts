import type { z } from "zod";
import { reportDuplicates, section, valueAt, withRules } from "../section.ts";
import { address, count, duration, list, name, network, port, secret } from "../values.ts";
import type { DynauthConfig } from "./dynauth.ts";
import { type LinkConfig, linkConfig } from "./link.ts";
import { rejectDelaySection } from "./reject-delay.ts";
import type { StatusConfig } from "./status.ts";
import { STREAM_LIMITS, STREAM_SOCKET } from "./stream-limits.ts";
import { type TlsConfig, tlsConfig, tlsSection } from "./tls.ts";

/** Ports of RADIUS/UDP, on which RADIUS/TLS must not listen (TLS-02). */
const UDP_PORTS: ReadonlySet<unknown> = new Set([1812, 1813, 3799]);

const limits = section({
  ...STREAM_LIMITS,
  halfOpen: count(
    "Connections whose handshake has not ended; beyond it a silent one makes room, or the newest is refused (CON-17).",
    1,
    100_000,
  ).default(512),
  halfOpenPerAddress: count("The same from one IPv4 address or one IPv6 /64.", 1, 100_000).default(256),
  handshakeTimeout: duration("Time for PROXY header and TLS handshake together.", {
    min: "100ms",
    max: "30s",
  }).prefault("5s"),
}).prefault({});

const listener = section(
  {
    name: name("Name of the listener in logs, metrics and select rules.").prefault("radsec"),
    address: address("Address to listen on; :: is every IPv6 and IPv4 address.").prefault("::"),
    port: port("TCP port (RFC 6614: 2083); 0 is any free one.").default(2083),
    secret: secret("Shared secret of clients that name none of their own (RFC 6614: radsec).").prefault("radsec"),
    tls: tlsSection("routers").prefault({}),
    proxyProtocolFrom: list(
      "Balancers whose connections must begin with a PROXY protocol v1 or v2 header; from others it is refused.",
      network("A network."),
    ),
    limits,
    rejectDelay: rejectDelaySection.prefault({}),
    ...STREAM_SOCKET,
  },
  (values, report) => {
    if (UDP_PORTS.has(valueAt(values, "port"))) {
      report(["port"], "must not be a port of RADIUS/UDP (1812, 1813, 3799); the port of RADIUS/TLS is 2083"); // TLS-02
    }
  },
).meta({ description: "A RADIUS/TLS listener." });

export const radsecSection = withRules(list("RADIUS/TLS listeners.", listener).prefault([{}]), (listeners, report) =>
  reportDuplicates(listeners, "name", "listener name", report),
);

export type RadsecValues = z.output<typeof listener>;

/** What hub.ts turns into RadsecListenerOptions by reading the files. */
export interface RadsecConfig {
  readonly name: string;
  readonly address: string;
  readonly port: number;
  readonly tls: TlsConfig;
  readonly proxyProtocolFrom: readonly string[];
  readonly limits: {
    readonly links: number;
    readonly linksPerPeer: number;
    readonly linksPerAddress: number;
    readonly halfOpen: number;
    readonly halfOpenPerAddress: number;
    readonly newPerSecondPerAddress: number;
  };
  readonly handshakeTimeoutMs: number;
  readonly noDelay: boolean;
  /** 0 is off. */
  readonly keepAliveMs: number;
  readonly link: LinkConfig;
}

export function radsecConfig(values: RadsecValues, dynauth: DynauthConfig, status: StatusConfig): RadsecConfig {
  const { handshakeTimeout, writeBacklog, requestsInHandler, ...limitsOfListener } = values.limits;
  return {
    name: values.name,
    address: values.address,
    port: values.port,
    tls: tlsConfig(values.tls),
    proxyProtocolFrom: values.proxyProtocolFrom,
    limits: limitsOfListener,
    handshakeTimeoutMs: handshakeTimeout,
    noDelay: values.noDelay,
    keepAliveMs: values.keepAlive,
    link: linkConfig({ writeBacklog, requestsInHandler }, values.rejectDelay, dynauth, status),
  };
}
