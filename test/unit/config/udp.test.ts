import { describe, expect, it } from "vitest";
import type { Config } from "../../../src/config.ts";
import { Dictionary } from "../../../src/radius/dictionary.ts";
import type { ClientEntry } from "../../../src/transport/client-entry.ts";
import { configOf, FILES, load } from "./load.ts";

const SECRET = "secret: a-secret-that-is-long";

function entryOf(keys: string, dictionary?: Dictionary): ClientEntry {
  const loaded = load(`clients: [{ name: a, ${keys} }]`, {}, FILES, dictionary && { dictionary });
  if (!loaded.ok || loaded.config.clients[0] === undefined) throw new Error(JSON.stringify(loaded));
  return loaded.config.clients[0];
}

function udpOf(keys: string, rest = ""): Config["udp"][number] | undefined {
  return configOf(`udp: [{ ${keys} }]\n${rest}`).udp[0];
}

describe("clients over UDP and TCP", () => {
  it.each([
    ["match: { commonName: b }", false],
    ["match: { commonName: b }, requireMessageAuthenticator: true", true],
    [`transport: udp, match: { network: 10.0.0.1 }, ${SECRET}`, true],
    [`transport: tcp, match: { network: 10.0.0.1 }, ${SECRET}`, true],
    [`transport: udp, match: { network: 10.0.0.1 }, ${SECRET}, requireMessageAuthenticator: false`, false],
  ])("BR-02, BR-06 requires Message-Authenticator by default over UDP and TCP, not over TLS: %s", (keys, expected) => {
    expect(entryOf(keys).requireMessageAuthenticator).toBe(expected);
  });

  it("UC-01 sends to port 3799 by default, and to another where told so", () => {
    const udp = `transport: udp, match: { network: 10.0.0.1 }, ${SECRET}`;
    expect(entryOf(udp)).toMatchObject({ transport: "udp", role: "nas", dynauthPort: 3799, limitProxyState: false });
    expect(entryOf(`${udp}, dynauthPort: 1700`).dynauthPort).toBe(1700);
  });

  it("takes equal networks over UDP and TCP, and networks inside each other", () => {
    const entry = (name: string, transport: string, network: string) =>
      `{ name: ${name}, transport: ${transport}, match: { network: ${network} }, ${SECRET} }`;
    const entries = [
      entry("a", "udp", "10.0.0.0/8"),
      entry("b", "tcp", "10.0.0.0/8"),
      entry("c", "udp", "10.1.0.0/16"),
    ];
    expect(configOf(`clients: [${entries.join(", ")}]`).clients).toHaveLength(3);
  });

  it("needs no secret of its own for UDP from listeners for TLS with several", () => {
    const udp = `{ name: a, transport: udp, match: { network: 10.0.0.1 }, ${SECRET} }`;
    const radsec = "radsec: [{ name: x, port: 1 }, { name: y, port: 2, secret: another-secret }]";
    expect(configOf(`${radsec}\nclients: [${udp}]`).clients).toHaveLength(1);
  });

  it("DP-09 makes what a trigger may reach comparable", () => {
    const reach = "{ nas: ['edge-*', 2001:DB8:0:0::1], realms: Example.NET, codes: [43, disconnect-request] }";
    expect(entryOf(`match: { commonName: b }, mayTrigger: true, reach: ${reach}`).reach).toEqual({
      nas: ["edge-*", "2001:db8::1"],
      realms: ["example.net"],
      codes: new Set([43, 40]),
    });
    expect(entryOf("match: { commonName: b }").reach).toBeUndefined();
  });

  it("DP-18 finds filtered attributes by name and by number", () => {
    const dictionary = Dictionary.load(new URL("../../../config/dictionaries", import.meta.url).pathname);
    const filter = "filter: { remove: [user-name, Mikrotik-Rate-Limit, Attr-26.9.1], select: '241.8' }";
    expect(entryOf(`match: { commonName: b }, mayTrigger: true, ${filter}`, dictionary).filter).toEqual({
      remove: [{ type: 1 }, { type: 26, vendor: 14988, vendorType: 8 }, { type: 26, vendor: 9, vendorType: 1 }],
      select: [{ type: 241, extendedType: 8 }],
    });
  });
});

describe("udp", () => {
  it("is off, and so is tcp", () => {
    expect(configOf("")).toMatchObject({ udp: [], tcp: [] });
  });

  it("has the times of the standards as defaults (UL-07, UL-18, DP-06)", () => {
    expect(udpOf("authPort: 1812")).toEqual({
      name: "udp",
      addresses: ["0.0.0.0", "::"],
      authPort: 1812,
      acctPort: undefined,
      dynauthPort: undefined,
      triggersOnAuthPort: false,
      receiveBufferBytes: 4_194_304,
      statusServer: { enabled: true, perSecondMax: 20 },
      duplicates: { authAcctMs: 30_000, dynauthMs: 300_000, entriesMax: 65_536 },
      rejectDelayMs: { min: 1_000, max: 2_000 },
      timestampWindowMs: 300_000,
      requireEventTimestamp: false,
      noRoute: { answer: "nak" },
    });
  });

  it("DP-06 remembers triggers as long as their timestamps are good", () => {
    const udp = udpOf("dynauthPort: 3799", "dynauth: { timestampWindow: 60s, requireEventTimestamp: true }");
    expect(udp).toMatchObject({
      duplicates: { authAcctMs: 30_000, dynauthMs: 60_000 },
      timestampWindowMs: 60_000,
      requireEventTimestamp: true,
    });
  });

  it.each([
    ["{ answer: silence }", { answer: "silence" }],
    ["{ answer: access-reject }", { answer: "access-reject" }],
    ["{ errorCause: 505 }", { answer: "nak", errorCause: 505 }],
  ])("answers %s where there is no route", (noRoute, expected) => {
    expect(udpOf(`dynauthPort: 1, noRoute: ${noRoute}`)?.noRoute).toEqual(expected);
  });

  it("shares a port number with TCP, with other addresses, and with any free port", () => {
    const yaml = `udp:
  - { name: a, addresses: 10.0.0.1, authPort: 2083, acctPort: 0, dynauthPort: 0 }
  - { name: b, addresses: 10.0.0.2, authPort: 2083, acctPort: 0 }
  - { name: c, addresses: "::", authPort: 2083 }`;
    expect(configOf(yaml).udp).toHaveLength(3);
  });
});

function radsecOf(config: Config): Config["radsec"][number] {
  const [listener] = config.radsec;
  if (listener === undefined) throw new Error("no listener");
  return listener;
}

describe("udpRouters", () => {
  it("keeps 20,000 routers for a day", () => {
    expect(configOf("").udpRouters).toEqual({ idleMs: 86_400_000, linksMax: 20_000 });
    expect(configOf("udpRouters: { idle: 1h, max: 5 }").udpRouters).toEqual({ idleMs: 3_600_000, linksMax: 5 });
  });
});

describe("tcp", () => {
  it("listens on the loopback with the limits of RADIUS/TLS", () => {
    const config = configOf("tcp: [{}]");
    const { links, linksPerPeer, linksPerAddress, newPerSecondPerAddress } = radsecOf(config).limits;
    expect(config.tcp).toEqual([
      {
        name: "tcp",
        address: "127.0.0.1",
        port: 1812,
        limits: { links, linksPerPeer, linksPerAddress, newPerSecondPerAddress },
        noDelay: true,
        keepAliveMs: 60_000,
        link: radsecOf(config).link,
      },
    ]);
  });
});

describe("dynauth", () => {
  it("DP-11, DP-13, DP-14 knows its realms, and the NAS behind an Operator-NAS-Identifier", () => {
    const yaml = `dynauth:
  realms: [Example.NET]
  requireOperatorName: true
  operatorNas:
    - { operatorNasIdentifier: "0A1B", nasIdentifier: Zürich }
    - { operatorNasIdentifier: "00", nasAddress: 2001:DB8:0:0::1 }`;
    expect(configOf(yaml).dynauth.realms).toEqual({
      ours: new Set(["example.net"]),
      required: true,
      operatorNas: new Map([
        ["0a1b", { nasIdentifier: "Z\u00c3\u00bcrich" }],
        ["00", { nasAddress: "2001:db8::1" }],
      ]),
    });
  });

  it("DP-30 compares nothing with the acct sessions on record unless told to: it costs a query", () => {
    expect(configOf("dynauth: {}").dynauth.checkSessions).toBe(false);
    expect(configOf("dynauth: { checkSessions: true }").dynauth.checkSessions).toBe(true);
  });

  it.each([
    ["[]", []],
    ["[udp]", ["udp"]],
  ])("passes on to %s what upstreams send in reverse", (kinds, expected) => {
    expect(configOf(`dynauth: { reverseFromUpstreams: ${kinds} }`).dynauth.reverseFromUpstreams).toEqual(
      new Set(expected),
    );
  });
});
