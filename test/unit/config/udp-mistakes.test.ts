import { describe, it } from "vitest";
import { expectMistake, type Mistake } from "./mistake.ts";

const SECRET = "secret: a-secret-that-is-long";
const legacy = (rest: string) => `clients:\n  - name: a\n    transport: udp\n    ${rest}`;

const CLIENTS: readonly Mistake[] = [
  {
    name: "an unknown transport",
    yaml: "clients:\n  - { name: a, transport: dtls, match: { commonName: a } }",
    line: 2,
    key: "clients[0].transport",
    message: "tls, udp, tcp",
  },
  {
    name: "an unknown role",
    yaml: "clients:\n  - { name: a, role: router, match: { commonName: a } }",
    line: 2,
    key: "clients[0].role",
    message: "nas, proxy, hub",
  },
  {
    name: "UL-01 udp without network",
    yaml: legacy(`match: {}\n    ${SECRET}`),
    line: 4,
    key: "clients[0].match",
    message: "needs network",
  },
  {
    name: "UL-01 tcp without network",
    yaml: `clients:\n  - { name: a, transport: tcp, match: {}, ${SECRET} }`,
    line: 2,
    key: "clients[0].match",
    message: "needs network",
  },
  ...["san: { dns: a.example }", "commonName: a", `fingerprint: ${"ab".repeat(32)}`, "issuer: CN=CA"].map((key) => ({
    name: `UL-01 udp with ${key.slice(0, key.indexOf(":"))}`,
    yaml: legacy(`match: { network: 10.0.0.1, ${key} }\n    ${SECRET}`),
    line: 4,
    key: `clients[0].match.${key.slice(0, key.indexOf(":"))}`,
    message: "about certificates",
  })),
  {
    name: "udp with admitEvery",
    yaml: legacy(`match: { network: 10.0.0.1, admitEvery: true }\n    ${SECRET}`),
    line: 4,
    key: "clients[0].match.admitEvery",
    message: "whoever is in network is admitted",
  },
  ...["udp", "tcp"].map((transport) => ({
    name: `UL-01 ${transport} without secret`,
    yaml: `clients:\n  - { name: a, transport: ${transport}, match: { network: 10.0.0.1 } }`,
    line: 2,
    key: "clients[0].secret",
    message: "is required",
  })),
  ...[
    ["linksPerPeer: 3", "tls and tcp"],
    ["coalesce: all", "tls and tcp"],
  ].map(([key, where]) => ({
    name: `udp with ${key}`,
    yaml: legacy(`match: { network: 10.0.0.1 }\n    ${SECRET}\n    ${key}`),
    line: 6,
    key: `clients[0].${key?.split(":")[0]}`,
    message: `only with ${where}`,
  })),
  ...[
    ["limitProxyState: true", "udp and tcp"],
    ["dynauthPort: 3799", "udp"],
  ].map(([key, where]) => ({
    name: `BR-06 tls with ${key}`,
    yaml: `clients:\n  - name: a\n    match: { commonName: a }\n    ${key}`,
    line: 4,
    key: `clients[0].${key?.split(":")[0]}`,
    message: `only with ${where}`,
  })),
  {
    name: "udp without secret, once, beside listeners with several",
    yaml: "radsec: [{ name: x, port: 1 }, { name: y, port: 2, secret: another-secret }]\nclients:\n  - { name: a, transport: udp, match: { network: 10.0.0.1 } }",
    line: 3,
    key: "clients[0].secret",
    message: "is required",
  },
  {
    name: "the port 0 of a router",
    yaml: legacy(`match: { network: 10.0.0.1 }\n    ${SECRET}\n    dynauthPort: 0`),
    line: 6,
    key: "clients[0].dynauthPort",
    message: "at least 1",
  },
  {
    name: "two udp entries with one network",
    yaml: `${legacy(`match: { network: [10.0.0.1, 10.9.0.0/16] }\n    ${SECRET}`)}
  - { name: b, transport: udp, match: { network: [10.8.0.0/16, 10.0.0.1/32] }, ${SECRET} }`,
    line: 6,
    key: "clients[1].match.network[1]",
    message: "clients[0] has the same",
  },
];

const trigger = (rest: string) =>
  `clients:\n  - name: a\n    match: { commonName: a }\n    mayTrigger: true\n    ${rest}`;
const REACH: readonly Mistake[] = [
  { name: "an empty reach", yaml: trigger("reach: {}"), line: 5, key: "clients[0].reach", message: "limit nothing" },
  { name: "a reach of nothing", yaml: trigger("reach:"), line: 5, key: "clients[0].reach", message: "limit nothing" },
  {
    name: "no NAS at all",
    yaml: trigger("reach: { nas: [] }"),
    line: 5,
    key: "clients[0].reach.nas",
    message: "empty",
  },
  {
    name: "a star inside a name",
    yaml: trigger("reach: { nas: 'edge-*-1' }"),
    line: 5,
    key: "clients[0].reach.nas[0]",
    message: "only at its end",
  },
  {
    name: "a realm with @",
    yaml: trigger("reach: { realms: '@example.net' }"),
    line: 5,
    key: "clients[0].reach.realms[0]",
    message: "DNS name",
  },
  {
    name: "a reply",
    yaml: trigger("reach: { codes: [Disconnect-ACK] }"),
    line: 5,
    key: "clients[0].reach.codes[0]",
    message: "is a reply",
  },
  { name: "an empty filter", yaml: trigger("filter: {}"), line: 5, key: "clients[0].filter", message: "limit nothing" },
  {
    name: "an attribute that nobody knows",
    yaml: trigger("filter: { remove: [Nonsense] }"),
    line: 5,
    key: "clients[0].filter.remove[0]",
    message: "no dictionary",
  },
  ...["33", "Attr-80"].map((name) => ({
    name: `DP-22, DP-26 the attribute ${name}`,
    yaml: trigger(`filter: { select: "${name}" }`),
    line: 5,
    key: "clients[0].filter.select",
    message: "no matter of a filter",
  })),
];

const udp = (rest: string) => `udp:\n  - authPort: 1812\n    ${rest}`;
const LISTENERS: readonly Mistake[] = [
  { name: "no port", yaml: "udp:\n  - name: a", line: 2, key: "udp[0]", message: "needs one of" },
  {
    name: "one port twice",
    yaml: udp("acctPort: 1812"),
    line: 3,
    key: "udp[0].acctPort",
    message: "authPort is the same",
  },
  { name: "no address", yaml: udp("addresses: []"), line: 3, key: "udp[0].addresses", message: "empty list" },
  {
    name: "a host name",
    yaml: udp("addresses: localhost"),
    line: 3,
    key: "udp[0].addresses[0]",
    message: "IP address",
  },
  {
    name: "the name of the heartbeat",
    yaml: udp("name: heartbeat"),
    line: 3,
    key: "udp[0].name",
    message: "own heartbeat",
  },
  {
    name: "two listeners on a port of every IPv6 address",
    yaml: "udp:\n  - { name: a, addresses: '::', authPort: 1 }\n  - { name: b, addresses: '::1', acctPort: 1 }",
    line: 3,
    key: "udp[1].acctPort",
    message: "udp[0] listens there",
  },
  {
    name: "triggers on a port that is not there",
    yaml: "udp:\n  - acctPort: 1813\n    triggersOnAuthPort: true",
    line: 3,
    key: "udp[0].triggersOnAuthPort",
    message: "needs authPort",
  },
  {
    name: "UL-07 replies kept for 4 s",
    yaml: udp("duplicateLifetime: 4s"),
    line: 3,
    key: "udp[0].duplicateLifetime",
    message: "at least 5s",
  },
  {
    name: "UL-07 replies kept for 31 s",
    yaml: udp("duplicateLifetime: 31s"),
    line: 3,
    key: "udp[0].duplicateLifetime",
    message: "at most 30s",
  },
  {
    name: "UL-18 an Access-Reject at once",
    yaml: udp("rejectDelay: { min: 0s }"),
    line: 3,
    key: "udp[0].rejectDelay.min",
    message: "at least 1s",
  },
  {
    name: "UL-18 an Access-Reject after 11 s",
    yaml: udp("rejectDelay: { max: 11s }"),
    line: 3,
    key: "udp[0].rejectDelay.max",
    message: "at most 10s",
  },
  {
    name: "a least delay over the longest",
    yaml: udp("rejectDelay: { min: 5s }"),
    line: 3,
    key: "udp[0].rejectDelay.min",
    message: "longer than max",
  },
  {
    name: "an unknown answer",
    yaml: udp("noRoute: { answer: ack }"),
    line: 3,
    key: "udp[0].noRoute.answer",
    message: "nak, silence, access-reject",
  },
  {
    name: "an Error-Cause of silence",
    yaml: udp("noRoute: { answer: silence, errorCause: 502 }"),
    line: 3,
    key: "udp[0].noRoute.errorCause",
    message: "answer: nak",
  },
  {
    name: "two listeners on a port",
    yaml: `${udp("name: a")}\n  - name: b\n    addresses: 10.0.0.1\n    authPort: 1812`,
    line: 6,
    key: "udp[1].authPort",
    message: "udp[0] listens there",
  },
  {
    name: "two listeners with one name",
    yaml: "udp:\n  - { name: a, authPort: 1 }\n  - { name: a, authPort: 2 }",
    line: 3,
    key: "udp[1].name",
    message: "duplicate listener name",
  },
  {
    name: "a name of another section",
    yaml: "udp:\n  - { name: radsec, authPort: 1 }",
    line: 2,
    key: "udp[0].name",
    message: "radsec[0]",
  },
  {
    name: "RADIUS/TCP on the port of RADIUS/TLS",
    yaml: "tcp:\n  - port: 2083",
    line: 2,
    key: "tcp[0].port",
    message: "radsec[0] listens there",
  },
];

const DYNAUTH: readonly Mistake[] = [
  {
    name: "no exchange at all",
    yaml: "dynauth: { exchanges: 0 }",
    line: 1,
    key: "dynauth.exchanges",
    message: "at least 1",
  },
  {
    name: "DP-21 an Operator-NAS-Identifier of 33 octets",
    yaml: `dynauth:\n  operatorNas:\n    - { operatorNasIdentifier: "${"ab".repeat(33)}", nasIdentifier: a }`,
    line: 3,
    key: "dynauth.operatorNas[0].operatorNasIdentifier",
    message: "1 to 32 octets",
  },
  {
    name: "an Operator-NAS-Identifier that is not hexadecimal",
    yaml: "dynauth: { operatorNas: [{ operatorNasIdentifier: edge, nasIdentifier: a }] }",
    line: 1,
    key: "dynauth.operatorNas[0].operatorNasIdentifier",
    message: "hexadecimal",
  },
  {
    name: "an Operator-NAS-Identifier of nobody",
    yaml: "dynauth: { operatorNas: [{ operatorNasIdentifier: ab }] }",
    line: 1,
    key: "dynauth.operatorNas[0]",
    message: "nasIdentifier or nasAddress",
  },
  {
    name: "an Operator-NAS-Identifier twice, in any case",
    yaml: "dynauth:\n  operatorNas:\n    - { operatorNasIdentifier: ab, nasIdentifier: a }\n    - { operatorNasIdentifier: AB, nasIdentifier: b }",
    line: 4,
    key: "dynauth.operatorNas[1].operatorNasIdentifier",
    message: "duplicate",
  },
  {
    name: "a kind of link that does not exist",
    yaml: "dynauth: { reverseFromUpstreams: [tcp] }",
    line: 1,
    key: "dynauth.reverseFromUpstreams[0]",
    message: "tls, udp",
  },
];

describe.each([
  ["clients over UDP and TCP", CLIENTS],
  ["reach and filter", REACH],
  ["listeners for UDP and TCP", LISTENERS],
  ["triggers", DYNAUTH],
])("loadConfig() refuses: %s", (_, mistakes) => {
  it.each(mistakes)("$name", expectMistake);
});
