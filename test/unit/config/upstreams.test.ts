import { describe, expect, it } from "vitest";
import { configOf } from "./load.ts";

const UDP = "name: a, transport: udp, host: 10.0.0.1, secret: a-secret-that-is-long";
const TLS = "name: b, transport: radsec, host: AAA.Example";
const PROBE = {
  kind: "status-server",
  port: "auth",
  userName: "radsec-hub-probe",
  password: "radsec-hub-probe",
  timeoutMs: 3_000,
  intervalMs: 5_000,
  intervalMaxMs: 60_000,
};

describe("upstreams", () => {
  it("UC-02, BR-08 has the times of RFC 5080 and requires Message-Authenticator over UDP", () => {
    const [{ secret, ...server } = { secret: undefined }] = configOf(`upstreams: { servers: [{ ${UDP} }] }`).upstreams
      .servers;
    expect(secret?.octets.toString()).toBe("a-secret-that-is-long");
    expect(server).toEqual({
      name: "a",
      transport: "udp",
      host: "10.0.0.1",
      authPort: 1812,
      acctPort: 1813,
      requireMessageAuthenticator: true,
      retransmit: { irtMs: 2_000, mrtMs: 16_000, mrc: 5 },
      suspectAfter: 3,
      replyTimeoutMs: 5_000,
      probe: PROBE,
    });
  });

  it("WD-02, WD-07 watches a RADIUS/TLS server every 15 s, and comes back after a second at the earliest", () => {
    const [{ secret, ...server } = { secret: undefined }] = configOf(`upstreams: { servers: [{ ${TLS} }] }`).upstreams
      .servers;
    expect(secret?.octets.toString()).toBe("radsec");
    expect(server).toEqual({
      name: "b",
      transport: "radsec",
      host: "aaa.example",
      port: 2083,
      tls: {
        certificateFile: undefined,
        keyFile: undefined,
        caFiles: undefined,
        crlFiles: undefined,
        minVersion: "TLSv1.2",
      },
      serverName: undefined,
      naiRealm: undefined,
      links: 1,
      watchdogMs: 15_000,
      reconnect: { floorMs: 1_000, capMs: 60_000 },
      queueMax: 1_000,
      replyTimeoutMs: 5_000,
      probe: PROBE,
      triggers: { mayTrigger: false, reach: undefined, filter: undefined },
    });
  });

  it("takes its own files, and what the server may send back", () => {
    const tls = "tls: { certificateFile: hub.pem, keyFile: hub.key, caFiles: [ca.pem], minVersion: TLSv1.3 }";
    const triggers = "mayTrigger: true, reach: { codes: [40] }, filter: { remove: '18' }";
    const { servers } = configOf(`upstreams: { servers: [{ ${TLS}, ${tls}, ${triggers} }] }`).upstreams;
    expect(servers[0]).toMatchObject({
      tls: { certificateFile: "hub.pem", caFiles: ["ca.pem"], minVersion: "TLSv1.3" },
      triggers: { mayTrigger: true, reach: { codes: new Set([40]) }, filter: { remove: [{ type: 18 }] } },
    });
  });

  it("asks no certificate of a server over UDP", () => {
    const own = "tls: { certificateFile: hub.pem, keyFile: hub.key, caFiles: [ca.pem] }";
    const yaml = `pki: { development: false }\nradsec: [{ ${own} }]\nupstreams: { servers: [{ ${UDP} }] }`;
    expect(configOf(yaml).upstreams.servers).toHaveLength(1);
  });

  it("groups servers into pools", () => {
    const pools = "[{ name: p, servers: [a, b] }, { name: q, servers: b, mode: balance, timeout: 5s }]";
    expect(configOf(`upstreams: { servers: [{ ${UDP} }, { ${TLS} }], pools: ${pools} }`).upstreams.pools).toEqual([
      { name: "p", servers: ["a", "b"], mode: "fail-over", timeoutMs: 20_000 },
      { name: "q", servers: ["b"], mode: "balance", timeoutMs: 5_000 },
    ]);
  });
});

describe("realms", () => {
  it.each([
    ["realm: Example.ORG, pool: p", { realm: "example.org", pool: "p" }],
    ["realm: '*.example.org', pool: p", { realm: "*.example.org", pool: "p" }],
    ["realm: '*', pool: p", { realm: "*", pool: "p" }],
    ["realm: '', pool: p", { realm: "", pool: "p" }],
    ["realm: corp, pool: p", { realm: "corp", pool: "p" }],
    ["pool: p, kind: acct, listeners: radsec", { pool: "p", kind: "acct", listeners: ["radsec"] }],
    ["pool: p, listeners: [heartbeat]", { pool: "p", listeners: ["heartbeat"] }],
    ["realm: here.example, answerHere: true", { realm: "here.example", pool: undefined }],
  ])("takes the rule %s", (keys, expected) => {
    const upstreams = `upstreams: { servers: [{ ${UDP} }], pools: [{ name: p, servers: a }] }`;
    expect(configOf(`${upstreams}\nrealms: [{ ${keys} }]`).realms).toEqual([expected]);
  });
});

describe("heartbeat", () => {
  it("beats every 60 s, and stops where told so", () => {
    expect(configOf("").heartbeat).toEqual({
      enabled: true,
      intervalMs: 60_000,
      timeoutMs: 10_000,
      userName: "radsec-hub-heartbeat",
      password: "radsec-hub-heartbeat",
    });
    expect(configOf("heartbeat: { enabled: false }").heartbeat.enabled).toBe(false);
  });
});
