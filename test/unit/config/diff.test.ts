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

  it("LIVE_KEYS has a row for each section of Config", () => {
    expect(Object.keys(LIVE_KEYS).sort()).toEqual(Object.keys(base).sort());
  });
});
