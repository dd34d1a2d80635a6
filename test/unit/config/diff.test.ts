import { describe, expect, it } from "vitest";
import { type Config, diffConfig, LIVE_KEYS } from "../../../src/config.ts";
import { configOf } from "./load.ts";

const BASE = "clients: [{ name: a, match: { commonName: b } }]\n";
const base = configOf(BASE);
const entries = (entry: string) => `clients: [{ name: a, match: { commonName: b }, ${entry} }]`;

describe("diffConfig()", () => {
  it("finds nothing in two readings of one file, secrets and sets included", () => {
    expect(diffConfig(base, configOf(BASE))).toEqual({ changed: [], live: [], needsRestart: [] });
  });

  it.each([
    ["node: { name: other }", ["node"], [], ["node.name"]],
    ["node: { stopGrace: 5s }", ["node"], ["node"], []],
    ["radsec: [{ port: 2084 }]", ["radsec"], [], ["radsec[0].port"]],
    ["radsec: [{ address: 127.0.0.1, noDelay: false }]", ["radsec"], ["radsec"], ["radsec[0].address"]],
    ["radsec: [{ limits: { links: 5 } }]", ["radsec"], ["radsec"], []],
    ["radsec: [{}, { name: b, port: 1 }]", ["radsec"], [], ["radsec"]],
    ["udp: [{ authPort: 1 }]", ["udp"], [], ["udp"]],
    ["udpRouters: { idle: 1h }", ["udpRouters"], ["udpRouters"], []],
    ["udpRouters: { max: 5 }", ["udpRouters"], [], ["udpRouters.linksMax"]],
    ["tcp: [{ port: 1 }]", ["tcp"], [], ["tcp"]],
    ["dynauth: { realms: [a.example] }", ["dynauth"], ["dynauth"], []],
    ["upstreams: { servers: [{ name: a, transport: radsec, host: b }] }", ["upstreams"], ["upstreams"], []],
    ["realms: [{ answerHere: true }]", ["realms"], ["realms"], []],
    ["heartbeat: { enabled: false }", ["heartbeat"], ["heartbeat"], []],
    ["bindings: { lapse: 1h }", ["bindings"], ["bindings"], []],
    ["http: { port: 4001 }", ["http"], [], ["http.port"]],
    ["http: { enabled: false }", ["http"], [], ["http"]],
    ["http: { bodyMax: 2MiB }", ["http"], ["http"], []],
    ["pki: { folder: x, names: [a] }", ["pki"], [], ["pki.folder", "pki.names"]],
    ["log: { level: warn }", ["log"], ["log"], []],
    ["log: { format: pretty }", ["log"], [], ["log.format"]],
  ])("%s", (yaml, changed, live, needsRestart) => {
    expect(diffConfig(base, configOf(`${BASE}${yaml}`))).toEqual({ changed, live, needsRestart });
  });

  it.each(["secret: another-secret-then", "reverse: [40]", "sharedNasIdentifiers: [x]", "mayTrigger: true"])(
    "changes clients live: %s",
    (entry) => {
      const live: (keyof Config)[] = ["clients"];
      expect(diffConfig(base, configOf(entries(entry)))).toEqual({ changed: live, live, needsRestart: [] });
    },
  );

  it.each([
    ["authPort: 2", [], ["udp[0].authPort"]],
    ["dynauthPort: 2", [], ["udp[0].dynauthPort"]],
    ["receiveBuffer: 1MiB", [], ["udp[0].receiveBufferBytes"]],
    ["noRoute: { answer: silence }", ["udp"], []],
    ["rejectDelay: { min: 2s }", ["udp"], []],
  ])("changes a UDP listener: %s", (keys, live, needsRestart) => {
    const udp = (more: string) => configOf(`${BASE}udp: [{ acctPort: 1, ${more} }]`);
    expect(diffConfig(udp(""), udp(keys))).toEqual({ changed: ["udp"], live, needsRestart });
  });

  it("LIVE_KEYS has a row for each section of Config", () => {
    expect(Object.keys(LIVE_KEYS).sort()).toEqual(Object.keys(base).sort());
  });
});
