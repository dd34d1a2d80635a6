import { describe, it } from "vitest";
import { expectMistake, type Mistake } from "./mistake.ts";

const client = (rest: string) => `clients:\n  - name: a\n    ${rest}`;
const SEVERAL = [
  "match: { issuer: CN=CA, admitEvery: true }",
  "match: { san: { dns: '*.a.example' } }",
  "match: { commonName: [a, b] }",
  "match: { network: 10.0.0.0/24 }, transport: udp, secret: a-secret-that-is-long",
  "match: { network: '2001:db8::/64' }, transport: udp, secret: a-secret-that-is-long",
  "match: { network: [10.0.0.1, 10.0.0.2] }, transport: tcp, secret: a-secret-that-is-long",
];
const CLIENTS: readonly Mistake[] = [
  ...SEVERAL.flatMap((match) =>
    ["nasIdentifier: edge", "nasAddress: 10.0.0.1"].map((name) => ({
      name: `DP-16 one name for several routers: ${name} beside ${match}`,
      yaml: `clients:\n  - { name: a, ${match},\n      ${name} }`,
      line: 3,
      key: `clients[0].${name.split(":")[0]}`,
      message: "is the name of one router, and the entry names several",
    })),
  ),
  {
    name: "DP-16 the name of a router beside role: hub",
    yaml: client("match: { commonName: a }\n    role: hub\n    nasIdentifier: edge"),
    line: 5,
    key: "clients[0].nasIdentifier",
    message: "behind a proxy or hub there are several",
  },
  {
    name: "nasAddress that is none",
    yaml: client("match: { commonName: a }\n    nasAddress: edge.example"),
    line: 4,
    key: "clients[0].nasAddress",
    message: "must be an IP address",
  },
  {
    name: "a CA without admitEvery",
    yaml: client("match: { issuer: CN=CA }"),
    line: 3,
    key: "clients[0].match",
    message: "admitEvery: true",
  },
  {
    name: "a network without admitEvery",
    yaml: client("match: { network: 10.0.0.0/8 }"),
    line: 3,
    key: "clients[0].match",
    message: "admitEvery: true",
  },
  {
    name: "admitEvery: false",
    yaml: client("match: { issuer: CN=CA, admitEvery: false }"),
    line: 3,
    key: "clients[0].match",
    message: "admitEvery: true",
  },
  { name: "an empty match", yaml: client("match: {}"), line: 3, key: "clients[0].match", message: "admitEvery: true" },
  {
    name: "an empty san",
    yaml: client("match: { san: {} }"),
    line: 3,
    key: "clients[0].match",
    message: "admitEvery: true",
  },
  {
    name: "an empty list of names",
    yaml: client("match: { san: { dns: [] } }"),
    line: 3,
    key: "clients[0].match.san.dns",
    message: "empty list",
  },
  {
    name: "TLS-15 a wildcard inside a label",
    yaml: client("match: { san: { dns: 'n*.a.example' } }"),
    line: 3,
    key: "clients[0].match.san.dns[0]",
    message: "first label",
  },
  {
    name: "TLS-15 a wildcard further right",
    yaml: client("match: { san: { dns: 'a.*.example' } }"),
    line: 3,
    key: "clients[0].match.san.dns[0]",
    message: "first label",
  },
  {
    name: "a SAN that is no address",
    yaml: client("match: { san: { ip: router } }"),
    line: 3,
    key: "clients[0].match.san.ip[0]",
    message: "IP address",
  },
  {
    name: "a short fingerprint",
    yaml: client("match: { fingerprint: 'AA:BB' }"),
    line: 3,
    key: "clients[0].match.fingerprint[0]",
    message: "32 octets",
  },
  {
    name: "CRY-17 an empty secret",
    yaml: client("match: { commonName: b }\n    secret: ''"),
    line: 4,
    key: "clients[0].secret",
    message: "not be empty",
  },
  {
    name: "an unknown code",
    yaml: client("match: { commonName: b }\n    reverse: [Reboot-Request]"),
    line: 4,
    key: "clients[0].reverse[0]",
    message: "RADIUS code",
  },
  {
    name: "the code 256",
    yaml: client("match: { commonName: b }\n    reverse: [256]"),
    line: 4,
    key: "clients[0].reverse[0]",
    message: "RADIUS code",
  },
  {
    name: "a reply in reverse",
    yaml: client("match: { commonName: b }\n    reverse: [CoA-ACK]"),
    line: 4,
    key: "clients[0].reverse[0]",
    message: "is a reply",
  },
  {
    name: "duplicate client names",
    yaml: client("match: { commonName: b }\n  - name: a\n    match: { commonName: c }"),
    line: 4,
    key: "clients[1].name",
    message: "duplicate",
  },
  {
    name: "no secret beside listeners with several",
    yaml: `radsec: [{ name: a, port: 1 }, { name: b, port: 2, secret: "another secret" }]\n${client("match: { commonName: b }")}`,
    line: 3,
    key: "clients[0]",
    message: "secret of its own",
  },
];

describe("loadConfig() refuses: clients", () => {
  it.each(CLIENTS)("$name", expectMistake);
});
