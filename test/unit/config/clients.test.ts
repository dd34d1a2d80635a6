import { describe, expect, it } from "vitest";
import type { ClientEntry } from "../../../src/transport/client-entry.ts";
import { configOf } from "./load.ts";

function entryOf(rest: string, listeners = "[{}]"): ClientEntry {
  const entry = configOf(`radsec: ${listeners}\nclients:\n  - name: a\n    ${rest}`).clients[0];
  if (entry === undefined) throw new Error("no entry");
  return entry;
}

describe("clients", () => {
  it("IDX-01 sends CoA- and Disconnect-Request in reverse unless told otherwise", () => {
    const entry = entryOf("match: { commonName: x }");
    expect(entry).toMatchObject({
      name: "a",
      match: { commonName: ["x"] },
      mayTrigger: false,
      requireMessageAuthenticator: false,
      coalesce: "none",
      vendor: undefined,
      linksMax: undefined,
    });
    expect(entry.reverse).toEqual(new Set([43, 40]));
    expect(entry.secret.octets.toString()).toBe("radsec");
  });

  it.each([
    ["[]", []],
    ["[disconnect-request]", [40]],
    ["[43, '40']", [43, 40]],
    ["[Accounting-Request, 250]", [4, 250]],
  ])("takes reverse: %s", (reverse, codes) => {
    expect(entryOf(`match: { commonName: x }\n    reverse: ${reverse}`).reverse).toEqual(new Set(codes));
  });

  it("takes the secret of the listener, or its own", () => {
    const listener = "[{ secret: secret-of-the-listener }]";
    expect(entryOf("match: { commonName: x }", listener).secret.octets.toString()).toBe("secret-of-the-listener");
    const own = entryOf("match: { commonName: x }\n    secret: a-secret-of-its-own", listener);
    expect(own.secret.octets.toString()).toBe("a-secret-of-its-own");
  });

  it.each([
    "match: { commonName: x }",
    `match: { fingerprint: ${"ab".repeat(32)} }`,
    "match: { psk: { identity: x, key: a key of sixteen octets } }",
    "match: { network: 10.0.0.7 }\n    transport: udp\n    secret: a-secret-that-is-long",
    'match: { network: "2001:db8::7" }\n    transport: tcp\n    secret: a-secret-that-is-long',
  ])("DP-16 takes what the one router of an entry is called: %s", (rest) => {
    const named = `${rest}\n    nasIdentifier: Zürich\n    nasAddress: "2001:DB8::0:7"`;
    expect(entryOf(named)).toMatchObject({ nasIdentifier: "Z\u00c3\u00bcrich", nasAddress: "2001:db8::7" });
    expect(entryOf(rest)).not.toHaveProperty("nasIdentifier");
  });

  it("takes single values and lists, and makes them canonical", () => {
    const match = `match:
      san: { dns: "*.NAS.Example", ip: [2001:DB8:0:0::1, 192.0.2.1], uri: urn:x, email: a@b.example }
      commonName: [x, y]
      fingerprint: [${"ab".repeat(32)}, "${Array.from({ length: 32 }, () => "CD").join(":")}"]
      issuer: CN=CA
      network: [10.0.0.0/8, 192.0.2.7, 2001:DB8::/32]
      admitEvery: true`;
    expect(entryOf(match).match).toEqual({
      san: { dns: ["*.nas.example"], ip: ["2001:db8::1", "192.0.2.1"], uri: ["urn:x"], email: ["a@b.example"] },
      commonName: ["x", "y"],
      fingerprint256: [Array(32).fill("AB").join(":"), Array(32).fill("CD").join(":")],
      issuer: "CN=CA",
      network: ["10.0.0.0/8", "192.0.2.7/32", "2001:db8::/32"],
      admitEvery: true,
    });
  });

  it("IDX-05 keeps shared NAS-Identifiers as octets", () => {
    const shared = entryOf(
      "match: { commonName: x }\n    sharedNasIdentifiers: [Mist-AP, Zürich]",
    ).sharedNasIdentifiers;
    expect(shared).toEqual(new Set(["Mist-AP", "Z\u00c3\u00bcrich"]));
  });
});
