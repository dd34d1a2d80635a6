import type { z } from "zod";
import type { Report } from "../problem.ts";
import { reportDuplicates, section, valueAt, withRules } from "../section.ts";
import { address, choice, count, duration, flag, list, name, network, port, secret, size, text } from "../values.ts";
import type { DynauthConfig } from "./dynauth.ts";
import type { StatusConfig } from "./status.ts";

/** Ports of RADIUS/UDP, on which RADIUS/TLS must not listen (TLS-02). */
const UDP_PORTS: ReadonlySet<unknown> = new Set([1812, 1813, 3799]);

const limits = section({
  links: count("Links of the listener in all; more are refused.", 1, 1_000_000).default(20_000),
  linksPerPeer: count("Links of one peer; beyond it the oldest of them makes room.", 1, 100_000).default(64),
  // As many as links: thousands of routers may share one address behind the NAT of a carrier.
  linksPerAddress: count("Links from one address; more are refused.", 1, 1_000_000).default(20_000),
  halfOpen: count(
    "Connections whose handshake has not ended; beyond it a silent one makes room, or the newest is refused (CON-17).",
    1,
    100_000,
  ).default(512),
  halfOpenPerAddress: count("The same from one IPv4 address or one IPv6 /64.", 1, 100_000).default(256),
  newPerSecondPerAddress: count(
    "New connections a second from one IPv4 address or one IPv6 /64; more are refused.",
    1,
    100_000,
  ).default(200),
  handshakeTimeout: duration("Time for PROXY header and TLS handshake together.", {
    min: "100ms",
    max: "30s",
  }).prefault("5s"),
  writeBacklog: size("Octets that wait for a peer that does not read; beyond it the link is closed.", {
    min: "4KiB",
    max: "1GiB",
  }).prefault("1MiB"),
  requestsInHandler: count("Requests of one link that are worked on at once; more are dropped.", 1, 100_000).default(
    256,
  ),
}).prefault({});

const tls = section(
  {
    certificateFile: text("PEM file of the hub certificate and its chain; without it the development PKI.").optional(),
    keyFile: text("PEM file of the private key.").optional(),
    // TLS-10: the system's CAs are never trusted.
    caFiles: list("PEM files of the CAs whose routers are trusted; no others are.", text("A PEM file.")),
    crlFiles: list("PEM files of revocation lists of those CAs.", text("A PEM file.")),
    minVersion: choice("Oldest TLS version accepted.", ["TLSv1.2", "TLSv1.3"]).default("TLSv1.2"),
    ciphers: text("OpenSSL cipher list for TLS 1.2; without it ECDHE with AES-GCM or ChaCha20.")
      // TLS-06: a list may name these only to leave them out.
      .refine(
        (value) =>
          !/(^|[:, ])\+?[^!:, -][^:, ]*(NULL|RC4|DES|MD5|EXP)|(^|[:, ])(NULL|RC4|DES|MD5|EXP|ADH|AECDH|aNULL|eNULL)/.test(
            value,
          ),
        "must not name NULL, RC4, DES, MD5, export or anonymous suites",
      )
      .optional(),
  },
  tlsRules,
).prefault({});

function tlsRules(values: unknown, report: Report): void {
  const own = valueAt(values, "certificateFile") !== undefined;
  if (own && valueAt(values, "keyFile") === undefined) report(["keyFile"], "is required beside certificateFile");
  for (const key of ["keyFile", "caFiles", "crlFiles"]) {
    const value = valueAt(values, key);
    const present = value !== undefined && !(Array.isArray(value) && value.length === 0);
    if (!own && present) report([key], "needs certificateFile: without it the development PKI is used");
    // TLS-10: a listener that trusts nobody admits nobody.
    if (own && !present && key === "caFiles")
      report([key], "is required beside certificateFile: list the CAs of the routers");
  }
}

const listener = section(
  {
    name: name("Name of the listener in logs, metrics and select rules.").prefault("radsec"),
    address: address("Address to listen on; :: is every IPv6 and IPv4 address.").prefault("::"),
    port: port("TCP port (RFC 6614: 2083); 0 is any free one.").default(2083),
    secret: secret("Shared secret of clients that name none of their own (RFC 6614: radsec).").prefault("radsec"),
    tls,
    proxyProtocolFrom: list(
      "Balancers whose connections must begin with a PROXY protocol v1 or v2 header; from others it is refused.",
      network("A network."),
    ),
    limits,
    // CON-20: a declared deviation.
    noDelay: flag("TCP_NODELAY; false restores the Nagle algorithm.").default(true),
    keepAlive: duration("Idle time before TCP keepalive probes; 0s is off (CON-21).", { max: "24h" }).prefault("60s"),
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
  readonly tls: {
    /** The files are undefined together, when the development PKI is to be used. */
    readonly certificateFile: string | undefined;
    readonly keyFile: string | undefined;
    readonly caFiles: readonly string[] | undefined;
    readonly crlFiles: readonly string[] | undefined;
    readonly minVersion: "TLSv1.2" | "TLSv1.3";
    readonly ciphers?: string;
  };
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
  readonly link: {
    readonly queueMax: number;
    readonly writeBacklogBytesMax: number;
    readonly requestsInHandlerMax: number;
    readonly statusServer: StatusConfig;
    readonly timestampWindowMs: number;
  };
}

export function radsecConfig(values: RadsecValues, dynauth: DynauthConfig, status: StatusConfig): RadsecConfig {
  const { certificateFile, keyFile, caFiles, crlFiles, minVersion, ciphers } = values.tls;
  const own = certificateFile !== undefined;
  const { handshakeTimeout, writeBacklog, requestsInHandler, ...limitsOfListener } = values.limits;
  return {
    name: values.name,
    address: values.address,
    port: values.port,
    tls: {
      certificateFile,
      keyFile,
      caFiles: own ? caFiles : undefined,
      crlFiles: own ? crlFiles : undefined,
      minVersion,
      ...(ciphers === undefined ? {} : { ciphers }),
    },
    proxyProtocolFrom: values.proxyProtocolFrom,
    limits: limitsOfListener,
    handshakeTimeoutMs: handshakeTimeout,
    noDelay: values.noDelay,
    keepAliveMs: values.keepAlive,
    link: {
      queueMax: dynauth.queueMax,
      writeBacklogBytesMax: writeBacklog,
      requestsInHandlerMax: requestsInHandler,
      statusServer: status,
      timestampWindowMs: dynauth.timestampWindowMs,
    },
  };
}
