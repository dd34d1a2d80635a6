import { describe, expect, it } from "vitest";
import { load } from "./load.ts";

function warningsOf(yaml: string): string[] {
  const loaded = load(yaml);
  if (!loaded.ok) throw new Error(JSON.stringify(loaded.problems));
  return loaded.warnings.map(({ key, message }) => `${key}: ${message}`);
}

const LONG = "secret: a-secret-that-is-long";
const LISTENER = "udp: [{ authPort: 1812 }]";
const client = (keys: string, name = "a") => `{ name: ${name}, ${keys} }`;
const udp = (network: string, keys = LONG, name = "a") =>
  client(`transport: udp, match: { network: ${network} }, ${keys}`, name);
const clients = (...entries: string[]) => `${LISTENER}\nclients: [${entries.join(", ")}]`;

describe("warnings of clients", () => {
  it.each([
    "10.0.0.0/8",
    "172.16.0.0/12",
    "192.168.1.0/24",
    "100.64.0.0/10",
    "127.0.0.1",
    "::1",
    "fd00::/8",
    "fe80::/10",
  ])("UC-08 takes UDP from %s", (network) => {
    expect(warningsOf(clients(udp(`"${network}"`)))).toEqual([]);
  });

  it.each(["0.0.0.0/0", "::/0", "8.8.8.8", "10.0.0.0/7", "172.0.0.0/8", "2001:db8::/32", "fc00::/6"])(
    "UC-08 warns of UDP from %s",
    (network) => {
      expect(warningsOf(clients(udp(`"${network}"`)))).toEqual([
        expect.stringContaining("clients[0].match.network[0]: has public addresses"),
      ]);
    },
  );

  it.each([
    ["10.1.0.0/16", "10.0.0.0/8"],
    ["10.0.0.0/8", "10.1.2.3"],
    ["10.1.2.3", "10.1.2.3"],
  ])("CON-23 warns of UDP from %s where TLS comes from %s", (insecure, secure) => {
    const tls = client(`match: { commonName: b, network: ${secure} }`, "b");
    expect(warningsOf(clients(udp(insecure), tls))).toEqual([
      expect.stringContaining("clients[0].match.network[0]: takes RADIUS/UDP from addresses that clients[1]"),
    ]);
  });

  it("CON-23 leaves apart what has no address in common", () => {
    const tls = client("match: { commonName: b, network: [10.2.0.0/16, 'fd00::/8'] }", "b");
    expect(warningsOf(clients(udp("10.1.0.0/16"), tls))).toEqual([]);
  });

  it.each(["radsec", "123456789012"])("CRY-17 warns of the secret %s over UDP", (secret) => {
    expect(warningsOf(clients(udp("10.0.0.1", `secret: "${secret}"`)))).toEqual([
      expect.stringContaining("clients[0].secret: is a secret of 12 octets or less"),
    ]);
  });

  it("DP-02 warns of one secret for two that may trigger", () => {
    const [one, other] = [udp("10.0.0.1"), udp("10.0.0.2", `${LONG}, mayTrigger: true`, "b")];
    expect(warningsOf(`udp: [{ dynauthPort: 3799 }]\nclients: [${one}, ${other}]`)).toEqual([
      expect.stringContaining("clients[1].secret: is that of clients[0]"),
    ]);
    expect(warningsOf(clients(one, udp("10.0.0.2", LONG, "b")))).toEqual([]);
  });

  it("BR-03 warns of limitProxyState that is not read", () => {
    const entry = (keys: string) => warningsOf(clients(udp("10.0.0.1", `${LONG}, limitProxyState: true${keys}`)));
    expect(entry("")).toEqual([expect.stringContaining("clients[0].limitProxyState: has no effect")]);
    expect(entry(", requireMessageAuthenticator: false")).toEqual([]);
  });

  it("warns of reach and filter without mayTrigger", () => {
    const entry = client("match: { commonName: b }, reach: { nas: x }, filter: { remove: '18' }");
    expect(warningsOf(`clients: [${entry}]`)).toEqual([
      "clients[0].reach: has no effect without mayTrigger: true",
      "clients[0].filter: has no effect without mayTrigger: true",
    ]);
  });

  it("warns of entries without listener, of listeners without entry, and of triggers that nobody may send", () => {
    expect(warningsOf(`clients: [${udp("10.0.0.1")}]`)).toEqual([
      "clients[0].transport: is udp, and section udp has no listener",
    ]);
    expect(warningsOf(`${LISTENER}\nclients: [${client("match: { commonName: b }")}]`)).toEqual([
      expect.stringContaining("udp: has listeners, and no entry"),
    ]);
    expect(warningsOf(`udp: [{ dynauthPort: 3799 }]\nclients: [${udp("10.0.0.1")}]`)).toEqual([
      expect.stringContaining("udp[0].dynauthPort: answers nobody but with NAK"),
    ]);
  });

  it.each([
    [
      "authPort: 1812",
      ["clients[0].mayTrigger: has no effect: no listener of udp has dynauthPort or triggersOnAuthPort"],
    ],
    ["authPort: 1812, triggersOnAuthPort: true", []],
    ["dynauthPort: 3799", []],
  ])("warns of who may trigger over UDP where no listener takes that: %s", (ports, expected) => {
    expect(warningsOf(`udp: [{ ${ports} }]\nclients: [${udp("10.0.0.1", `${LONG}, mayTrigger: true`)}]`)).toEqual(
      expected,
    );
  });

  it("warns of an API for FreeRADIUS that has no store to work on", () => {
    const yaml = (enabled: boolean) =>
      `${NOBODY}\naccounting: { enabled: ${enabled} }\nhttp: { compat: { radiusCheck: { token: 165f9a790787fc38e5cc } } }`;
    expect(warningsOf(yaml(true))).toEqual([]);
    expect(warningsOf(yaml(false))).toEqual([expect.stringContaining("http.compat: has no effect without the store")]);
  });

  it("DP-30 warns of checkSessions without the store, which has the acct sessions", () => {
    const yaml = (enabled: boolean) =>
      `${NOBODY}\naccounting: { enabled: ${enabled} }\ndynauth: { checkSessions: true }`;
    expect(warningsOf(yaml(true))).toEqual([]);
    expect(warningsOf(yaml(false))).toEqual([
      expect.stringContaining("dynauth.checkSessions: has no effect without the store"),
    ]);
  });

  it("warns of users whom nobody knows without the store, and only where hub.yaml speaks of them", () => {
    const yaml = (rest: string) => `${NOBODY}\naccounting: { enabled: false }\n${rest}`;
    expect(warningsOf(yaml(""))).toEqual([]);
    const why = "without the store: accounting.enabled is false";
    expect(warningsOf(yaml("users: { memory: 1m }"))).toEqual([`users: has no effect ${why}`]);
    const sections = "modules: { sections: { authorize: [proxy, users, pap] } }";
    expect(warningsOf(yaml(sections))).toEqual([`modules.sections.authorize[1]: knows nobody ${why}`]);
  });

  it("warns of devices that every caller may log in", () => {
    const yaml = (more: string) =>
      `${NOBODY}\nhttp: { compat: { openwispRadius: { organizations: [{ name: a, uuid: 0e4f12b5-9a6d-4f2b-8a53-c1a0a2b1a3f7, token: 165f9a790787fc38e5cc, macRoaming: true, ${more} }] } } }`;
    expect(warningsOf(yaml("allowedHosts: [10.0.0.5]"))).toEqual([]);
    expect(warningsOf(yaml(""))).toEqual([expect.stringContaining("organizations[0].macRoaming: lets every caller")]);
  });

  it("warns of RADIUS/TCP outside the loopback", () => {
    const yaml = (address: string) =>
      `tcp: [{ address: "${address}" }]\nclients: [${client(`transport: tcp, match: { network: 127.0.0.1 }, ${LONG}`)}]`;
    expect(warningsOf(yaml("::1"))).toEqual([]);
    expect(warningsOf(yaml("::"))).toEqual([expect.stringContaining("tcp[0].address: is open to other machines")]);
  });
});

const NOBODY = "clients: [{ name: a, match: { commonName: a } }]";
const server = (keys: string, name = "s") => `{ name: ${name}, ${keys} }`;
const upstreams = (servers: string, rest = "pools: [{ name: p, servers: s }] }\nrealms: [{ pool: p }]") =>
  `${NOBODY}\nupstreams: { servers: [${servers}], ${rest}`;
const UDP_SERVER = `transport: udp, ${LONG}`;

describe("warnings of upstreams and realms", () => {
  it("has none for a server that is used", () => {
    expect(warningsOf(upstreams(server(`${UDP_SERVER}, host: 10.0.0.1`)))).toEqual([]);
  });

  it("UC-08 warns of a public address over UDP, not over TLS", () => {
    expect(warningsOf(upstreams(server(`${UDP_SERVER}, host: 8.8.8.8`)))).toEqual([
      expect.stringContaining("upstreams.servers[0].host: is a public address"),
    ]);
    expect(warningsOf(upstreams(server("transport: radsec, host: 8.8.8.8")))).toEqual([]);
  });

  it("CRY-17 warns of a short secret over UDP", () => {
    expect(warningsOf(upstreams(server("transport: udp, host: 10.0.0.1, secret: radsec")))).toEqual([
      expect.stringContaining("upstreams.servers[0].secret: is a secret of 12 octets or less"),
    ]);
  });

  it.each([
    ["transport: radsec, host: localhost", ""],
    ["transport: radsec, host: 127.0.0.1", ""],
    ["transport: radsec, host: 10.0.0.5, port: 2084", "radsec: [{ address: 10.0.0.5, port: 2084 }]"],
    [`${UDP_SERVER}, host: 127.0.0.1`, "udp: [{ authPort: 1812 }]"],
    [`${UDP_SERVER}, host: 10.0.0.5, acctPort: 1646`, "udp: [{ addresses: 10.0.0.5, acctPort: 1646 }]"],
  ])("TLS-25 warns of the hub's own address: %s", (keys, listeners) => {
    expect(warningsOf(`${upstreams(server(keys))}\n${listeners}`)).toContainEqual(
      expect.stringContaining("upstreams.servers[0].host: is this hub itself"),
    );
  });

  it.each([
    ["transport: radsec, host: 127.0.0.1, port: 2084", ""],
    ["transport: radsec, host: 127.0.0.1", "radsec: [{ address: 10.0.0.5 }]"],
    [`${UDP_SERVER}, host: 127.0.0.1, authPort: 11812`, "udp: [{ authPort: 1812, addresses: 0.0.0.0 }]"],
    [`${UDP_SERVER}, host: '::1'`, "udp: [{ authPort: 1812, addresses: 0.0.0.0 }]"],
  ])("TLS-25 does not take another for the hub: %s", (keys, listeners) => {
    const own = warningsOf(`${upstreams(server(keys))}\n${listeners}`).filter((text) => text.includes("itself"));
    expect(own).toEqual([]);
  });

  it("warns of a server that is never asked, unless it is there for what it sends back", () => {
    const rest = "pools: [] }";
    expect(warningsOf(upstreams(server(`${UDP_SERVER}, host: 10.0.0.1`), rest))).toEqual([
      expect.stringContaining("upstreams.servers[0]: is in no pool"),
    ]);
    expect(warningsOf(upstreams(server("transport: radsec, host: a.example"), rest))).toEqual([]);
  });

  it("warns of a pool without rule, of one that has no time to fail over, and of a rule behind one that fits all", () => {
    const two = `${server(`${UDP_SERVER}, host: 10.0.0.1`)}, ${server(`${UDP_SERVER}, host: 10.0.0.2`, "t")}`;
    expect(warningsOf(upstreams(two, "pools: [{ name: p, servers: [s, t], timeout: 5s }] }"))).toEqual([
      "upstreams.pools[0]: is in no rule of realms",
      expect.stringContaining("upstreams.pools[0].timeout: leaves no time"),
    ]);
    const rules = "pools: [{ name: p, servers: [s, t] }] }\nrealms: [{ pool: p }, { realm: a.example, pool: p }]";
    expect(warningsOf(upstreams(two, rules))).toEqual([expect.stringContaining("realms[1]: is never reached")]);
  });

  it.each([
    ["", "kind: acct", "", true],
    [", probe: { port: acct }", "kind: acct", "", false],
    [", probe: { kind: access-request }", "kind: acct", "", false],
    ["", "realm: a.example", "", false],
    ["", "kind: acct", "modules: { instances: [{ module: proxy, settings: { pool: p } }] }", false],
  ])("warns of a server that is asked for accounting alone and probed elsewhere: %s %s", (keys, rule, more, warned) => {
    const rest = `pools: [{ name: p, servers: s }] }\nrealms: [{ pool: p, ${rule} }]\n${more}`;
    const about = "upstreams.servers[0].probe.port: is auth, and realms ask this server for accounting alone";
    const yaml = upstreams(server(`${UDP_SERVER}, host: 10.0.0.1${keys}`), rest);
    expect(warningsOf(yaml)).toEqual(warned ? [expect.stringContaining(about)] : []);
  });

  it("warns of reach and filter without mayTrigger", () => {
    expect(warningsOf(upstreams(server("transport: radsec, host: a.example, reach: { nas: x }")))).toEqual([
      "upstreams.servers[0].reach: has no effect without mayTrigger: true",
    ]);
  });
});
