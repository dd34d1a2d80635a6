import type { z } from "zod";
import type { RadsecServerOptions, UdpServerOptions } from "../../aaa/upstream/options.ts";
import type { AttributePlace } from "../../radius/attribute-place.ts";
import { RADSEC_SECRET } from "../../radius/authenticator.ts";
import { dnsName, hostName } from "../identities.ts";
import type { Report } from "../problem.ts";
import { section, valueAt } from "../section.ts";
import { choice, count, duration, flag, name, secret } from "../values.ts";
import { pskSection } from "./client-psk.ts";
import { filterOf, filterSection, reachOf, reachSection } from "./client-reach.ts";
import { type TlsConfig, tlsConfig, tlsSection } from "./tls.ts";
import { probeOptions, probeSection } from "./upstream-probe.ts";

/** RFC 5080 Section 2.2.1 (UC-02) */
const retransmit = section(
  {
    first: duration("Time before the first retransmission; it doubles each time.", {
      min: "500ms",
      max: "30s",
    }).prefault("2s"),
    longest: duration("The longest time between two.", { min: "500ms", max: "30s" }).prefault("16s"),
    times: count("How often a request is sent in all.", 1, 20).default(5),
  },
  (values, report) => {
    const [first, longest] = [valueAt(values, "first"), valueAt(values, "longest")];
    if (typeof first === "number" && typeof longest === "number" && first > longest) {
      report(["first"], "must not be longer than longest");
    }
  },
).meta({ description: "Over udp: how a request is sent again." });

/** WD-07: never at once, never less than half a second. */
const reconnect = section(
  {
    floor: duration("Least time before another attempt; it doubles each time.", { min: "500ms", max: "10m" }).prefault(
      "1s",
    ),
    cap: duration("The longest it gets.", { min: "500ms", max: "1h" }).prefault("60s"),
  },
  (values, report) => {
    const [floor, cap] = [valueAt(values, "floor"), valueAt(values, "cap")];
    if (typeof floor === "number" && typeof cap === "number" && floor > cap) {
      report(["floor"], "must not be longer than cap");
    }
  },
).meta({ description: "Over radsec: time between two attempts to connect." });

const tls = tlsSection("server");

export const upstreamServer = section(
  {
    name: name("Name of the server in pools, logs and metrics."),
    transport: choice("udp: RADIUS/UDP. radsec: RADIUS/TLS, the hub dials out.", ["udp", "radsec"]),
    host: hostName("IP address or host name."),
    secret: secret("RADIUS shared secret; over radsec the standard one stands in, over udp none does.").optional(),
    replyTimeout: duration("How long one server has for its reply, before the next one of the pool is asked.", {
      min: "100ms",
      max: "30s",
    }).prefault("5s"),
    probe: probeSection.prefault({}),
    authPort: count("Over udp: where Access-Requests go; default 1812.", 1, 65_535).optional(),
    acctPort: count("Over udp: where Accounting-Requests go; default 1813.", 1, 65_535).optional(),
    // BR-08
    requireMessageAuthenticator: flag(
      "Over udp: whether replies to Access-Requests without Message-Authenticator are dropped; default true.",
    ).optional(),
    retransmit: retransmit.optional(),
    suspectAfter: count(
      "Over udp: requests in a row without reply before the server is probed; default 3.",
      1,
      1_000,
    ).optional(),
    port: count("Over radsec: where the server listens; default 2083.", 1, 65_535).optional(),
    tls: tls.optional(),
    psk: pskSection
      .optional()
      .meta({ description: "Over radsec: a pre-shared key in place of certificates (RFC 9813)." }),
    serverName: dnsName("Over radsec: DNS name that the certificate must have; default host.").optional(),
    naiRealm: dnsName("Over radsec: realm that the certificate must have as NAIRealm, instead of a name.").optional(),
    links: count("Over radsec: links that are kept open; default 1.", 1, 64).optional(),
    // WD-02
    watchdog: duration("Over radsec: idle time before a watchdog; default 15s.", { min: "6s", max: "10m" }).optional(),
    reconnect: reconnect.optional(),
    queue: count(
      "Over radsec: requests that wait on a link for a free Identifier; default 1000.",
      0,
      1_000_000,
    ).optional(),
    mayTrigger: flag("Over radsec: whether the server may send Disconnect and CoA back; default false.").optional(),
    reach: reachSection.optional(),
    filter: filterSection.optional(),
  },
  serverRules,
).meta({ description: "A RADIUS server that requests are passed on to." });

const ONLY_UDP = ["authPort", "acctPort", "requireMessageAuthenticator", "retransmit", "suspectAfter"];
const OF_CERTIFICATES = ["tls", "serverName", "naiRealm"];
const TRIGGER_KEYS = ["mayTrigger", "reach", "filter"];
const ONLY_RADSEC = [
  "port",
  "tls",
  "psk",
  "serverName",
  "naiRealm",
  "links",
  "watchdog",
  "reconnect",
  "queue",
  ...TRIGGER_KEYS,
];

function serverRules(values: unknown, report: Report): void {
  const transport = valueAt(values, "transport");
  if (transport !== "udp" && transport !== "radsec") return; // told already
  const given = (key: string) => valueAt(values, key) !== undefined;
  const [alien, other] = transport === "udp" ? [ONLY_RADSEC, "radsec"] : [ONLY_UDP, "udp"];
  for (const key of alien.filter(given)) {
    report([key], `has no meaning with transport: ${transport}, only with ${other}`);
  }
  if (transport === "udp" && !given("secret")) {
    report(["secret"], "is required: with transport: udp it is all that proves a packet");
  }
  for (const key of OF_CERTIFICATES.filter((each) => given(each) && given("psk"))) {
    report([key], "is about certificates: a server with psk shows none");
  }
  if (given("serverName") && given("naiRealm")) report(["naiRealm"], "stands in place of serverName: give one of them");
}

/** As UpstreamServerOptions, with names of files where those have PEM. */
export type UpstreamServerConfig =
  | UdpServerOptions
  | (Omit<RadsecServerOptions, "tls"> & { readonly tls: TlsConfig | undefined });

type ServerValues = z.output<typeof upstreamServer>;

/** @param placeOf finds an attribute by its name; all names are known to exist */
export function upstreamServerConfig(
  values: ServerValues,
  placeOf: (name: string) => AttributePlace,
): UpstreamServerConfig {
  const common = {
    name: values.name,
    host: values.host,
    secret: values.secret ?? RADSEC_SECRET,
    replyTimeoutMs: values.replyTimeout,
    probe: probeOptions(values.probe),
  };
  if (values.transport === "udp") return { ...common, transport: "udp", ...udpOnly(values) };
  return { ...common, transport: "radsec", ...radsecOnly(values, placeOf) };
}

function udpOnly(values: ServerValues) {
  const { first, longest, times } = values.retransmit ?? retransmit.parse({});
  return {
    authPort: values.authPort ?? 1812,
    acctPort: values.acctPort ?? 1813,
    requireMessageAuthenticator: values.requireMessageAuthenticator ?? true,
    retransmit: { irtMs: first, mrtMs: longest, mrc: times },
    suspectAfter: values.suspectAfter ?? 3,
  };
}

function radsecOnly(values: ServerValues, placeOf: (name: string) => AttributePlace) {
  const { floor, cap } = values.reconnect ?? reconnect.parse({});
  return {
    port: values.port ?? 2083,
    tls: values.psk === undefined ? tlsConfig(values.tls ?? tls.parse({})) : undefined,
    psk: values.psk,
    serverName: values.serverName,
    naiRealm: values.naiRealm,
    links: values.links ?? 1,
    watchdogMs: values.watchdog ?? 15_000,
    reconnect: { floorMs: floor, capMs: cap },
    queueMax: values.queue ?? 1_000,
    triggers: {
      mayTrigger: values.mayTrigger ?? false,
      reach: reachOf(values.reach),
      filter: filterOf(values.filter, placeOf),
    },
  };
}
