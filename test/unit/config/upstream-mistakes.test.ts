import { describe, it } from "vitest";
import { expectMistake, type Mistake } from "./mistake.ts";

const UDP = "name: a, transport: udp, host: 10.0.0.1, secret: a-secret-that-is-long";
const TLS = "name: a, transport: radsec, host: aaa.example";
const server = (keys: string) => `upstreams:\n  servers:\n    - { ${keys} }`;
const KEY = "upstreams.servers[0]";

const SERVERS: readonly Mistake[] = [
  {
    name: "no transport",
    yaml: server("name: a, host: b.example"),
    line: 3,
    key: `${KEY}.transport`,
    message: "required",
  },
  { name: "no host", yaml: server("name: a, transport: radsec"), line: 3, key: `${KEY}.host`, message: "required" },
  {
    name: "a bad host",
    yaml: server("name: a, transport: radsec, host: a b"),
    line: 3,
    key: `${KEY}.host`,
    message: "DNS name",
  },
  {
    name: "CRY-17 udp without secret",
    yaml: server("name: a, transport: udp, host: 10.0.0.1"),
    line: 3,
    key: `${KEY}.secret`,
    message: "is required",
  },
  ...["port: 1", "links: 2", "watchdog: 10s", "queue: 1", "naiRealm: a.example", "tls: {}", "mayTrigger: true"].map(
    (key) => ({
      name: `udp with ${key}`,
      yaml: server(`${UDP}, ${key}`),
      line: 3,
      key: `${KEY}.${key.split(":")[0]}`,
      message: "only with radsec",
    }),
  ),
  ...["authPort: 1", "acctPort: 1", "requireMessageAuthenticator: true", "retransmit: {}", "suspectAfter: 1"].map(
    (key) => ({
      name: `radsec with ${key}`,
      yaml: server(`${TLS}, ${key}`),
      line: 3,
      key: `${KEY}.${key.split(":")[0]}`,
      message: "only with udp",
    }),
  ),
  {
    name: "WD-02 a Tw of 5 s",
    yaml: server(`${TLS}, watchdog: 5s`),
    line: 3,
    key: `${KEY}.watchdog`,
    message: "at least 6s",
  },
  {
    name: "WD-07 a reconnect after 0.4 s",
    yaml: server(`${TLS}, reconnect: { floor: 400ms }`),
    line: 3,
    key: `${KEY}.reconnect.floor`,
    message: "at least 500ms",
  },
  {
    name: "a cap below the floor",
    yaml: server(`${TLS}, reconnect: { floor: 5s, cap: 4s }`),
    line: 3,
    key: `${KEY}.reconnect.floor`,
    message: "longer than cap",
  },
  {
    name: "UC-02 a first retransmission after the longest",
    yaml: server(`${UDP}, retransmit: { first: 5s, longest: 4s }`),
    line: 3,
    key: `${KEY}.retransmit.first`,
    message: "longer than longest",
  },
  {
    name: "a name and a realm",
    yaml: server(`${TLS}, serverName: b.example, naiRealm: c.example`),
    line: 3,
    key: `${KEY}.naiRealm`,
    message: "one of them",
  },
  {
    name: "a probe slower than its interval",
    yaml: server(`${UDP}, probe: { timeout: 6s }`),
    line: 3,
    key: `${KEY}.probe.timeout`,
    message: "longer than interval",
  },
  {
    name: "UL-03 an Access-Request to the accounting port",
    yaml: server(`${UDP}, probe: { kind: access-request, port: acct }`),
    line: 3,
    key: `${KEY}.probe.port`,
    message: "no Access-Request",
  },
  {
    name: "an interval that shrinks",
    yaml: server(`${UDP}, probe: { interval: 5s, intervalMax: 4s }`),
    line: 3,
    key: `${KEY}.probe.intervalMax`,
    message: "shorter than interval",
  },
  {
    name: "a password of 129 octets",
    yaml: server(`${UDP}, probe: { password: ${"x".repeat(129)} }`),
    line: 3,
    key: `${KEY}.probe.password`,
    message: "128 octets",
  },
  {
    name: "a missing CA file",
    yaml: server(`${TLS}, tls: { certificateFile: hub.pem, keyFile: hub.key, caFiles: [no.pem] }`),
    line: 3,
    key: `${KEY}.tls.caFiles[0]`,
    message: "ENOENT",
  },
  {
    name: "TLS-10 a certificate without CAs",
    yaml: server(`${TLS}, tls: { certificateFile: hub.pem, keyFile: hub.key }`),
    line: 3,
    key: `${KEY}.tls.caFiles`,
    message: "CAs of the server",
  },
  {
    name: "no certificate and no development PKI",
    yaml: `${server(TLS)}\npki: { development: false }\nradsec: [{ tls: { certificateFile: hub.pem, keyFile: hub.key, caFiles: [ca.pem] } }]`,
    line: 3,
    key: `${KEY}.tls`,
    message: "pki.development",
  },
  {
    name: "an attribute that nobody knows",
    yaml: server(`${TLS}, mayTrigger: true, filter: { remove: [Nonsense] }`),
    line: 3,
    key: `${KEY}.filter.remove[0]`,
    message: "no dictionary",
  },
  {
    name: "two servers of one name",
    yaml: `${server(UDP)}\n    - { ${TLS} }`,
    line: 4,
    key: "upstreams.servers[1].name",
    message: "duplicate server name",
  },
];

const pools = (pool: string) => `${server(UDP)}\n  pools:\n    - ${pool}`;
const POOLS: readonly Mistake[] = [
  {
    name: "an empty pool",
    yaml: pools("{ name: p, servers: [] }"),
    line: 5,
    key: "upstreams.pools[0].servers",
    message: "empty list",
  },
  {
    name: "a pool of a server that does not exist",
    yaml: pools("{ name: p, servers: [a, b] }"),
    line: 5,
    key: "upstreams.pools[0].servers[1]",
    message: "no server of this name",
  },
  {
    name: "a server twice",
    yaml: pools("{ name: p, servers: [a, a] }"),
    line: 5,
    key: "upstreams.pools[0].servers[1]",
    message: "duplicate server",
  },
  {
    name: "an unknown mode",
    yaml: pools("{ name: p, servers: a, mode: random }"),
    line: 5,
    key: "upstreams.pools[0].mode",
    message: "fail-over, balance",
  },
  {
    name: "two pools of one name",
    yaml: pools("{ name: p, servers: a }\n    - { name: p, servers: a }"),
    line: 6,
    key: "upstreams.pools[1].name",
    message: "duplicate pool name",
  },
];

const route = (keys: string) => `${pools("{ name: p, servers: a }")}\nrealms:\n  - { ${keys} }`;
const REALMS: readonly Mistake[] = [
  { name: "a rule to nowhere", yaml: route("realm: a.example"), line: 7, key: "realms[0]", message: "needs pool" },
  {
    name: "a rule to two places",
    yaml: route("pool: p, answerHere: true"),
    line: 7,
    key: "realms[0].answerHere",
    message: "contradicts",
  },
  { name: "an unknown pool", yaml: route("pool: q"), line: 7, key: "realms[0].pool", message: "no pool of this name" },
  {
    name: "a realm with @",
    yaml: route("pool: p, realm: '@a.example'"),
    line: 7,
    key: "realms[0].realm",
    message: "must be a realm",
  },
  {
    name: "a star inside",
    yaml: route("pool: p, realm: 'a.*.example'"),
    line: 7,
    key: "realms[0].realm",
    message: "must be a realm",
  },
  {
    name: "an unknown listener",
    yaml: route("pool: p, listeners: [radsec, other]"),
    line: 7,
    key: "realms[0].listeners[1]",
    message: "no listener",
  },
  { name: "an unknown kind", yaml: route("pool: p, kind: coa"), line: 7, key: "realms[0].kind", message: "auth, acct" },
];

const HEARTBEAT: readonly Mistake[] = [
  {
    name: "ten a second",
    yaml: "heartbeat: { interval: 100ms }",
    line: 1,
    key: "heartbeat.interval",
    message: "at least 1s",
  },
  {
    name: "one that overtakes the next",
    yaml: "heartbeat: { interval: 5s }",
    line: 1,
    key: "heartbeat.timeout",
    message: "longer than interval",
  },
];

describe.each([
  ["upstream servers", SERVERS],
  ["pools", POOLS],
  ["realms", REALMS],
  ["heartbeat", HEARTBEAT],
])("loadConfig() refuses: %s", (_, mistakes) => {
  it.each(mistakes)("$name", expectMistake);
});
