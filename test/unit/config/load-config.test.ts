import { describe, expect, it } from "vitest";
import { problemText } from "../../../src/config.ts";
import { SharedSecret } from "../../../src/radius/authenticator.ts";
import { Dictionary } from "../../../src/radius/dictionary.ts";
import { configOf, FILES, load, problemsOf } from "./load.ts";

const TWENTY = `node:
  name: "a b"
  stopGrace: 10
radsec:
  - name: one
    port: 1812
    secret: ""
    tls: { minVersion: SSLv3 }
    proxyProtocolFrom: [10.0.0.0/99]
    limits:
      links: none
      halfOpn: 5
  - name: one
    port: 70000
    idleTimeout: 5m
clients:
  - name: wide
    match: { issuer: CN=CA }
    reverse: [Nothing]
  - match: { fingerprint: 12 }
dynauth:
  timeout: 40s
  select:
    - match: { client: "/(/" }
      mode: any
http:
  address: 0.0.0.0
  tokens:
    - { name: t, token: hunter2, rolle: admin }
log:
  level: loud
`;

describe("loadConfig()", () => {
  it("reports twenty mistakes at once, in the order of the text", () => {
    const problems = problemsOf(TWENTY);
    expect(problems.map(({ line, key }) => `${line} ${key}`)).toEqual([
      "2 node.name",
      "3 node.stopGrace",
      "6 radsec[0].port",
      "7 radsec[0].secret",
      "8 radsec[0].tls.minVersion",
      "9 radsec[0].proxyProtocolFrom[0]",
      "11 radsec[0].limits.links",
      "12 radsec[0].limits.halfOpn",
      "13 radsec[1].name",
      "14 radsec[1].port",
      "15 radsec[1].idleTimeout",
      "18 clients[0].match",
      "19 clients[0].reverse[0]",
      "20 clients[1].name",
      "20 clients[1].match.fingerprint[0]",
      "22 dynauth.timeout",
      "24 dynauth.select[0].match.client[0]",
      "25 dynauth.select[0].mode",
      "29 http.tokens[0].role",
      "29 http.tokens[0].rolle",
      "31 log.level",
    ]);
    expect(problems.map(problemText).join("\n")).not.toContain("hunter2");
  });

  it("names file, line, column and key in one line", () => {
    expect(problemsOf("log:\n  level: loud").map(problemText)).toEqual([
      "hub.yaml:2:10: log.level: must be one of trace, debug, info, warn, error, fatal, silent",
    ]);
  });

  it.each([
    ["syntax", "clients:\n  - secret: 'hunter2\n    name: a"],
    ["syntax beside a value", 'log: "x" hunter2'],
    ["a secret of the wrong type", "radsec:\n  - secret: [hunter2]"],
    ["a secret as number", "radsec:\n  - port: hunter2"],
    ["a token", "http: { tokens: [{ name: a, token: 'hunter2 x', role: admin }] }"],
    ["a secret from the environment", "log: { level: '${env:S}' }"],
    ["a default", "log: { level: '${env:NO:-hunter2}' }"],
    ["a secret from a file", "log: { level: '${file:s}' }"],
    ["a regular expression", "dynauth: { select: [{ match: { client: '/hunter2(/' } }] }"],
  ])("never shows a value: %s", (_, yaml) => {
    const problems = problemsOf(yaml, { S: "hunter2" }, { s: "hunter2" });
    expect(problems).not.toEqual([]);
    expect(JSON.stringify(problems)).not.toContain("hunter2");
  });

  it("freezes the configuration all the way down", () => {
    const config = configOf("clients: [{ name: a, match: { san: { dns: a.example } } }]");
    expect(config.clients[0]?.match.san?.dns).toEqual(["a.example"]);
    const loose: unknown[] = [];
    const visit = (value: unknown): void => {
      if (typeof value !== "object" || value === null || value instanceof SharedSecret) return;
      if (value instanceof Set || value instanceof Map) return;
      if (!Object.isFrozen(value)) loose.push(value);
      for (const item of Object.values(value)) visit(item);
    };
    visit(config);
    expect(loose).toEqual([]);
  });

  it("takes a section whose keys are all commented out, and an empty file", () => {
    expect(configOf("node:\nradsec:\n  - limits:\ndynauth:\nhttp:\nlog:\n")).toEqual(configOf(""));
    expect(configOf("# nothing\n")).toEqual(configOf(""));
  });

  it("has the limits of the issue as defaults (CON-16, CON-17)", () => {
    expect(configOf("").radsec).toEqual([
      {
        name: "radsec",
        address: "::",
        port: 2083,
        tls: {
          certificateFile: undefined,
          keyFile: undefined,
          caFiles: undefined,
          crlFiles: undefined,
          minVersion: "TLSv1.2",
        },
        proxyProtocolFrom: [],
        limits: {
          links: 20_000,
          linksPerPeer: 64,
          linksPerAddress: 20_000,
          halfOpen: 512,
          halfOpenPerAddress: 256,
          newPerSecondPerAddress: 200,
        },
        handshakeTimeoutMs: 5_000,
        noDelay: true,
        keepAliveMs: 60_000,
        link: {
          queueMax: 1_000,
          writeBacklogBytesMax: 1_048_576,
          requestsInHandlerMax: 256,
          statusServer: { enabled: true, perSecondMax: 20 },
          timestampWindowMs: 300_000,
          rejectDelayMs: { min: 1_000, max: 2_000 }, // UL-18
        },
      },
    ]);
    expect(configOf("").bindings).toEqual({ lapseMs: 86_400_000, namesPerLinkMax: 4_096, bindingsMax: 200_000 });
    expect(configOf("").dynauth).toEqual({
      timeoutMs: 10_000,
      timeoutUdpMs: 30_000, // UC-02
      timeoutMaxMs: 30_000,
      queueMax: 1_000,
      exchangesMax: 50_000,
      timestampWindowMs: 300_000,
      requireEventTimestamp: false,
      hopsMax: 16,
      checkSessions: false,
      realms: { ours: new Set(), required: false, operatorNas: new Map() },
      reverseFromUpstreams: new Set(["tls", "udp"]),
      audit: "asked",
      select: [],
    });
    expect(configOf("").http).toMatchObject({ address: "127.0.0.1", port: 4_000, tokens: [], clients: [] });
  });

  it("CON-20 takes noDelay both ways, CON-21 keepalive off", () => {
    const yaml = "radsec: [{ noDelay: false, keepAlive: 0s }]";
    expect(configOf(yaml).radsec[0]).toMatchObject({ noDelay: false, keepAliveMs: 0 });
  });

  it("TLS-10 takes the files of a listener, and trusts only what they hold", () => {
    const tls = "{ certificateFile: hub.pem, keyFile: hub.key, caFiles: [ca.pem], crlFiles: [ca.crl] }";
    expect(configOf(`pki: { development: false }\nradsec: [{ tls: ${tls} }]`).radsec[0]?.tls).toEqual({
      certificateFile: "hub.pem",
      keyFile: "hub.key",
      caFiles: ["ca.pem"],
      crlFiles: ["ca.crl"],
      minVersion: "TLSv1.2",
    });
  });

  it("ST-10 switches Status-Server off for all and for one client, ST-11 limits its rate", () => {
    const config = configOf(
      "status: { enabled: false, ratePerSecond: 3 }\nclients: [{ name: a, match: { commonName: a }, statusServer: true }]",
    );
    expect(config.radsec[0]?.link.statusServer).toEqual({ enabled: false, perSecondMax: 3 });
    expect(config.clients[0]?.statusServer).toBe(true);
  });

  it("allows HTTP on other addresses with tokens, basic or clients, and none at all", () => {
    const open = (rest: string) => configOf(`http: { address: 0.0.0.0, ${rest} }`).http;
    const token = { name: "a", token: "0123456789abcdef", role: "admin" };
    expect(open("tokens: [{ name: a, token: 0123456789abcdef, role: admin }]")?.tokens).toEqual([token]);
    expect(open("basic: [{ name: a, password: p, role: monitor }]")?.basic).toHaveLength(1);
    expect(open("clients: [10.0.0.0/8, { network: 10.1.2.3, role: operator }]")?.clients).toEqual([
      { network: "10.0.0.0/8" },
      { network: "10.1.2.3/32", role: "operator" },
    ]);
    expect(open("enabled: false")).toBeUndefined();
  });

  it("checks attribute names of select rules where it is given a dictionary", () => {
    const dictionary = Dictionary.load(new URL("../../../config/dictionaries", import.meta.url).pathname);
    const rule = (match: string) => `dynauth: { select: [{ match: { ${match} } }] }`;
    const mistakes = (match: string) => load(rule(match), {}, FILES, { dictionary });
    expect(mistakes("nasIdentifier: '%{request.NAS-Identifier}', status.NAS-Port-Id: x")).toMatchObject({ ok: true });
    for (const match of ["nasIdentifier: '%{request.NAS-Idenfitier}'", "status.NAS-Prot: x"]) {
      expect(mistakes(match)).toMatchObject({ ok: false, problems: [{ line: 1 }] });
    }
  });

  it("lets two entries share values by an alias, and bounds what aliases can blow up", () => {
    const shared = "clients:\n  - { name: a, match: &m { commonName: x } }\n  - { name: b, match: *m }";
    expect(configOf(shared).clients[1]?.match).toEqual({ commonName: ["x"] });
    const layers = Array.from({ length: 12 }, (_, n) => `  l${n}: &l${n} [${`*l${n - 1},`.repeat(n === 0 ? 0 : 9)} 1]`);
    expect(problemsOf(`log:\n${layers.join("\n")}`)).toContainEqual(
      expect.objectContaining({ message: expect.stringContaining("too large") as string }),
    );
  });
});

describe("loadConfig() warnings", () => {
  const warningsOf = (yaml: string) => load(yaml).warnings.map(({ line, key }) => `${line} ${key}`);
  const entry = (secret: string) =>
    `clients:\n  - name: a\n    match: { commonName: a }\n    secret: "${secret}"\nradsec:\n  - secret: radsec`;

  it.each([
    ["123456789012", ["4 clients[0].secret"]],
    ["1234567890123", []],
    ["radsec", []],
  ])("CRY-17 a secret %s", (secret, expected) => {
    expect(warningsOf(entry(secret))).toEqual(expected);
  });

  it("counts octets of a secret, not characters", () => {
    expect(warningsOf(entry("äöüäöüä"))).toEqual([]);
  });

  it("says that nobody can connect, that a token can be guessed, that everybody is trusted", () => {
    expect(warningsOf("")).toEqual(["1 clients"]);
    const http =
      "http:\n  tokens: [{ name: a, token: short, role: admin }]\n  clients: [{ network: 0.0.0.0/0, role: admin }]";
    expect(warningsOf(`clients: [{ name: a, match: { commonName: a } }]\n${http}`)).toEqual([
      "3 http.tokens[0].token",
      "4 http.clients[0]",
    ]);
  });
});
