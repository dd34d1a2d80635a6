import { describe, expect, it } from "vitest";
import { ClientDirectory } from "../../../src/transport/client-directory.ts";
import type { ClientMatch } from "../../../src/transport/client-entry.ts";
import type { CertificatePeer, SubjectAltNames } from "../../../src/transport/peer.ts";
import { PskKey } from "../../../src/transport/psk.ts";
import { clientEntry } from "../../support/client-entries.ts";

const FINGERPRINT = "AB:".repeat(31) + "AB";

interface Facts extends Partial<Omit<CertificatePeer, "san">> {
  readonly san?: Partial<SubjectAltNames>;
}

function peer({ san, ...facts }: Facts = {}): CertificatePeer {
  return {
    kind: "certificate",
    commonName: "edge-1",
    subject: "CN=edge-1",
    issuer: "CN=Test CA",
    serialNumber: "01",
    fingerprint256: FINGERPRINT,
    san: { dns: [], ip: [], uri: [], email: [], ...san },
    notBeforeMs: 0,
    notAfterMs: 1,
    chain: [],
    ...facts,
  };
}

function directoryOf(...matches: ClientMatch[]): ClientDirectory {
  return new ClientDirectory(matches.map((match, index) => clientEntry({ name: `entry-${index}`, match })));
}

function matched(match: ClientMatch, facts: Facts, address = "192.0.2.1"): boolean {
  return directoryOf(match).match(peer(facts), address) !== undefined;
}

describe("ClientDirectory.match()", () => {
  it.each<[string, ClientMatch, Facts, boolean]>([
    ["TLS-13 a dNSName", { san: { dns: ["a.example"] } }, { san: { dns: ["a.example"] } }, true],
    ["TLS-13 a dNSName in another case", { san: { dns: ["A.example"] } }, { san: { dns: ["a.EXAMPLE"] } }, true],
    ["TLS-13 the second dNSName", { san: { dns: ["b.example"] } }, { san: { dns: ["a.example", "b.example"] } }, true],
    ["TLS-13 another dNSName", { san: { dns: ["a.example"] } }, { san: { dns: ["b.example"] } }, false],
    ["TLS-13 an iPAddress", { san: { ip: ["2001:db8:0::1"] } }, { san: { ip: ["2001:db8::1"] } }, true],
    ["TLS-13 another iPAddress", { san: { ip: ["192.0.2.1"] } }, { san: { ip: ["192.0.2.2"] } }, false],
    ["an address written as a dNSName", { san: { ip: ["192.0.2.1"] } }, { san: { dns: ["192.0.2.1"] } }, false],
    ["a URI", { san: { uri: ["urn:a"] } }, { san: { uri: ["urn:a"] } }, true],
    ["a URI in another case", { san: { uri: ["urn:a"] } }, { san: { uri: ["urn:A"] } }, false],
    ["an e-mail address", { san: { email: ["Noc@EXAMPLE.net"] } }, { san: { email: ["Noc@example.NET"] } }, true],
    ["another mailbox", { san: { email: ["noc@example.net"] } }, { san: { email: ["Noc@example.net"] } }, false],
    ["either of two kinds", { san: { dns: ["x"], ip: ["192.0.2.1"] } }, { san: { ip: ["192.0.2.1"] } }, true],
    ["TLS-14 the CN under commonName", { commonName: ["edge-1"] }, {}, true],
    ["TLS-14 the CN under a SAN key", { san: { dns: ["edge-1"] } }, {}, false],
    ["TLS-14 a dNSName under commonName", { commonName: ["a"] }, { san: { dns: ["a"] } }, false],
    ["TLS-14 both keys, one of which holds", { san: { dns: ["a"] }, commonName: ["edge-1"] }, {}, false],
    ["TLS-15 *.a.example", { san: { dns: ["*.a.example"] } }, { san: { dns: ["n.a.example"] } }, true],
    ["TLS-15 *.a.example on two labels", { san: { dns: ["*.a.example"] } }, { san: { dns: ["m.n.a.example"] } }, false],
    ["TLS-15 *.a.example on a.example", { san: { dns: ["*.a.example"] } }, { san: { dns: ["a.example"] } }, false],
    [
      "TLS-15 *.a.example on an empty label",
      { san: { dns: ["*.a.example"] } },
      { san: { dns: [".a.example"] } },
      false,
    ],
    ["TLS-15 n*.a.example", { san: { dns: ["n*.a.example"] } }, { san: { dns: ["n1.a.example"] } }, false],
    ["TLS-15 n*.a.example itself", { san: { dns: ["n*.a.example"] } }, { san: { dns: ["n*.a.example"] } }, false],
    ["TLS-15 a.*.example", { san: { dns: ["a.*.example"] } }, { san: { dns: ["a.b.example"] } }, false],
    ["TLS-15 *", { san: { dns: ["*"] } }, { san: { dns: ["a"] } }, false],
    [
      "TLS-15 a wildcard in the certificate",
      { san: { dns: ["n.a.example"] } },
      { san: { dns: ["*.a.example"] } },
      false,
    ],
    [
      "TLS-15 the same wildcard on both sides",
      { san: { dns: ["*.a.example"] } },
      { san: { dns: ["*.a.example"] } },
      false,
    ],
    [
      "a dNSName with an octet outside ASCII",
      { san: { dns: ["\u00e4.example"] } },
      { san: { dns: ["\u00e4.example"] } },
      false,
    ],
    ["a fingerprint", { fingerprint256: [FINGERPRINT] }, {}, true],
    ["a fingerprint in lower case", { fingerprint256: [FINGERPRINT.toLowerCase()] }, {}, true],
    ["another fingerprint", { fingerprint256: [FINGERPRINT.replace("AB", "AC")] }, {}, false],
    ["the issuer too", { commonName: ["edge-1"], issuer: "CN=Test CA" }, {}, true],
    ["another issuer", { commonName: ["edge-1"], issuer: "CN=Other CA" }, {}, false],
    ["TLS-19 the network too", { commonName: ["edge-1"], network: ["10.0.0.0/8", "192.0.2.0/24"] }, {}, true],
    [
      "TLS-19 the right certificate from a wrong network",
      { commonName: ["edge-1"], network: ["10.0.0.0/8"] },
      {},
      false,
    ],
    ["admitEvery", { admitEvery: true }, {}, true],
    ["admitEvery of another issuer", { admitEvery: true, issuer: "CN=Other CA" }, {}, false],
    ["admitEvery with a name that does not fit", { admitEvery: true, commonName: ["edge-2"] }, {}, false],
    ["a network alone, without admitEvery", { network: ["192.0.2.0/24"] }, {}, false],
    ["an issuer alone, without admitEvery", { issuer: "CN=Test CA" }, {}, false],
    ["no key at all", {}, {}, false],
    ["an empty list of names", { san: { dns: [] } }, { san: { dns: ["a"] } }, false],
  ])("%s: %o", (_what, match, facts, expected) => expect(matched(match, facts)).toBe(expected));

  it("TLS-19 holds an IPv4-mapped address to an IPv4 network", () => {
    expect(matched({ admitEvery: true, network: ["10.0.0.0/8"] }, {}, "::ffff:10.1.1.1")).toBe(true);
  });

  it("takes the first entry in file order, whichever key found it", () => {
    const san = { dns: ["n.a.example"] };
    const every: ClientMatch = { admitEvery: true };
    const wildcard: ClientMatch = { san: { dns: ["*.a.example"] } };
    const name: ClientMatch = { san: { dns: ["n.a.example"] } };
    const first = (...matches: ClientMatch[]) => directoryOf(...matches).match(peer({ san }), "::1")?.match;
    expect(first(every, wildcard, name)).toBe(every);
    expect(first(wildcard, name, every)).toBe(wildcard);
    expect(first({ commonName: ["x"] }, name, wildcard, every)).toBe(name);
    expect(first({ ...name, network: ["10.0.0.0/8"] }, wildcard)).toBe(wildcard);
  });

  it("an entry for certificates admits no PSK, and none a bare address", () => {
    const directory = directoryOf({ admitEvery: true });
    expect(directory.match({ kind: "psk", identity: "a" }, "::1")).toBeUndefined();
    expect(directory.match({ kind: "address", address: "::1" }, "::1")).toBeUndefined();
  });
});

describe("ClientDirectory and PSKs", () => {
  const key = new PskKey(Buffer.alloc(32));
  const psk = (identity: string) => ({ identity, key, tls: "TLSv1.3" as const });

  it("PSK-09 finds an identity in its own entry and networks only, and no certificate there", () => {
    const directory = directoryOf(
      { psk: [psk("a"), psk("b")], network: ["10.0.0.0/8"] },
      { psk: [psk("c")], network: ["10.1.0.0/16", "::1"] },
    );
    const entryOf = (identity: string, address: string) => directory.match({ kind: "psk", identity }, address)?.name;
    expect([entryOf("a", "10.1.0.1"), entryOf("b", "10.1.0.1"), entryOf("c", "10.1.0.1")]).toEqual([
      "entry-0",
      "entry-0",
      "entry-1",
    ]);
    expect([entryOf("a", "::1"), entryOf("c", "10.2.0.1"), entryOf("A", "10.1.0.1"), entryOf("", "::1")]).toEqual(
      Array(4).fill(undefined),
    );
    expect(directory.psk("c", "10.2.0.1")).toBeUndefined();
    expect(directory.match(peer({ commonName: "a", san: { dns: ["a"] } }), "10.1.0.1")).toBeUndefined();
  });

  it("PSK-08 knows from where a PSK may come, and from where anything may", () => {
    const directory = directoryOf(
      { psk: [psk("a")], network: ["10.0.0.0/8"] },
      { commonName: ["x"], network: ["::1"] },
    );
    const answers = ["10.0.0.1", "::1", "192.0.2.1"].map((from) => [
      directory.takesPskFrom(from),
      directory.takesTlsFrom(from),
    ]);
    expect(answers).toEqual([
      [true, true],
      [false, true],
      [false, false],
    ]);
    expect(directoryOf({ psk: [psk("a")] }).takesPskFrom("192.0.2.1")).toBe(true);
    expect(directoryOf({ commonName: ["x"], network: ["::1"] }).takesTlsFrom("192.0.2.1")).toBe(true);
    expect(directoryOf({ commonName: ["x"] }).takesPskFrom("192.0.2.1")).toBe(false);
  });

  it("PSK-13 an entry with a PSK admits no certificate, whatever else it says", () => {
    for (const also of [{ commonName: ["edge-1"] }, { admitEvery: true }]) {
      expect(directoryOf({ psk: [psk("a")], ...also }).match(peer(), "::1")).toBeUndefined();
    }
  });
});

describe("ClientDirectory.peerKey()", () => {
  function keyOf(match: ClientMatch, facts: Facts = {}): string {
    const directory = directoryOf(match);
    const who = peer(facts);
    const entry = directory.match(who, "192.0.2.1");
    if (entry === undefined) throw new Error("the entry does not match");
    return directory.peerKey(who, entry);
  }
  const renewed: Facts = { serialNumber: "02", fingerprint256: FINGERPRINT.replaceAll("A", "C"), notAfterMs: 2 };

  it.each<[string, ClientMatch]>([
    ["one dNSName", { san: { dns: ["a.example"] } }],
    ["one Common Name", { commonName: ["edge-1"] }],
    [
      "one name and fingerprints",
      { commonName: ["edge-1"], fingerprint256: [FINGERPRINT, renewed.fingerprint256 ?? ""] },
    ],
  ])("is the entry where it names %s; renewal keeps it (invariant 1)", (_what, match) => {
    const san = { dns: ["a.example", "other.example"] };
    expect(keyOf(match, { san })).toBe("client:entry-0");
    expect(keyOf(match, { ...renewed, san })).toBe("client:entry-0");
  });

  it("tells two routers under one wildcard or one list of names apart (invariant 1)", () => {
    const wildcard: ClientMatch = { san: { dns: ["*.a.example"] } };
    const one = keyOf(wildcard, { san: { dns: ["one.a.example"] } });
    expect(keyOf(wildcard, { san: { dns: ["two.a.example"] } })).not.toBe(one);
    expect(keyOf(wildcard, { ...renewed, san: { dns: ["ONE.a.example", "one.b.example"] } })).toBe(one);
    const list: ClientMatch = { commonName: ["edge-1", "edge-2"] };
    expect(keyOf(list)).not.toBe(keyOf(list, { commonName: "edge-2" }));
  });

  it("tells routers apart by every listed name that they prove, in any order", () => {
    const match: ClientMatch = { san: { dns: ["*.a.example"] } };
    const both = keyOf(match, { san: { dns: ["shared.a.example", "one.a.example"] } });
    expect(keyOf(match, { san: { dns: ["one.a.example", "shared.a.example"] } })).toBe(both);
    expect(keyOf(match, { san: { dns: ["shared.a.example", "two.a.example"] } })).not.toBe(both);
  });

  it.each<[string, ClientMatch]>([
    ["admitEvery", { admitEvery: true }],
    ["several fingerprints", { fingerprint256: [FINGERPRINT, renewed.fingerprint256 ?? ""] }],
  ])("is issuer and SAN set under %s, the subject without a SAN; renewal keeps it (invariant 1)", (_what, match) => {
    const san = { dns: ["a.example"], ip: ["192.0.2.1"] };
    const key = keyOf(match, { san });
    expect(keyOf(match, { ...renewed, san: { dns: ["A.example"], ip: ["192.0.2.1"] } })).toBe(key);
    expect(keyOf(match, { san: { dns: ["a.example"] } })).not.toBe(key);
    expect(keyOf(match, { san, issuer: "CN=Other CA" })).not.toBe(key);
    expect(keyOf(match, { subject: "CN=a" })).not.toBe(keyOf(match, { subject: "CN=b" }));
  });

  it("can not be forged by a SAN that contains what separates the parts", () => {
    const match: ClientMatch = { admitEvery: true };
    expect(keyOf(match, { san: { uri: ['a","uri:b'] } })).not.toBe(keyOf(match, { san: { uri: ["a", "b"] } }));
  });
});
