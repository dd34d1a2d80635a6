import { inspect } from "node:util";
import { describe, expect, it } from "vitest";
import { configOf, load } from "./load.ts";
import { expectMistake, type Mistake } from "./mistake.ts";

const HEX = "0123456789abcdef".repeat(4);

function pskYaml(psk: string, rest = ""): string {
  return `${rest}\nclients:\n  - name: a\n    match:\n      psk: ${psk}`;
}

function keyOf(written: string): Buffer | undefined {
  return configOf(pskYaml(`{ identity: a, key: "${written}" }`)).clients[0]?.match.psk?.[0]?.key.octets;
}

describe("clients[].match.psk", () => {
  it("PSK-01 takes one or several identities, for TLS 1.3 unless told otherwise, and networks", () => {
    const psk = `[{ identity: edge-1, key: "hex:${HEX}" }, { identity: Zürich@x, key: "text of 16 octets", tls: TLSv1.2 }]`;
    const { match } = configOf(pskYaml(`${psk}\n      network: 10.0.0.0/8`)).clients[0] ?? {};
    expect(match?.psk?.map(({ identity, tls }) => [identity, tls])).toEqual([
      ["edge-1", "TLSv1.3"],
      ["Zürich@x", "TLSv1.2"],
    ]);
    expect(match?.network).toEqual(["10.0.0.0/8"]);
    expect(match?.admitEvery).toBeUndefined();
  });

  it.each([
    ["hex", `hex:${HEX.toUpperCase()}`, Buffer.from(HEX, "hex")],
    ["base64", `base64:${Buffer.from(HEX, "hex").toString("base64")}`, Buffer.from(HEX, "hex")],
    ["text", "hexagons are no hexadecimal", Buffer.from("hexagons are no hexadecimal")],
    ["text of 16 octets in 8 letters", "äöüÄÖÜßé", Buffer.from("äöüÄÖÜßé")],
    ["64 octets", `hex:${HEX}${HEX}`, Buffer.from(HEX + HEX, "hex")],
  ])("PSK-03 takes a key as %s", (_what, written, octets) => {
    expect(keyOf(written)).toEqual(octets);
  });

  it("never shows a key", () => {
    const config = configOf(pskYaml(`{ identity: a, key: "hex:${HEX}" }`));
    expect(JSON.stringify(config) + inspect(config, { depth: 20 })).not.toMatch(/01, ?35|AQ?EjRWeJ|0123|01 23/);
    expect(JSON.stringify(config.clients)).toContain('"key":"[psk]"');
  });

  it("PSK-03 warns of a key under 32 octets", () => {
    const warnings = (octets: number) => {
      const loaded = load(pskYaml(`{ identity: a, key: "hex:${"ab".repeat(octets)}" }`));
      return loaded.ok ? loaded.warnings.map(({ key }) => key) : loaded.problems;
    };
    expect(warnings(31)).toEqual(["clients[0].match.psk[0].key"]);
    expect(warnings(32)).toEqual([]);
  });

  const key = (octets: number) => `"hex:${"ab".repeat(octets)}"`;
  const IDENTITY = "clients[0].match.psk[0].identity";
  const KEY = "clients[0].match.psk[0].key";
  const one = (identity: string, written = key(32)) => pskYaml(`{ identity: "${identity}", key: ${written} }`);
  const two = (first: string, second: string, rest?: string) =>
    pskYaml(`\n        - ${first}\n        - ${second}`, rest);
  const mistakes: readonly Mistake[] = [
    { name: "PSK-03 15 octets", yaml: one("a", key(15)), line: 5, key: KEY, message: "16 to 512 octets, not 15" },
    { name: "513 octets", yaml: one("a", key(513)), line: 5, key: KEY, message: "not 513" },
    { name: "hex without hex:", yaml: one("a", HEX), line: 5, key: KEY, message: "write hex: in front" },
    { name: "odd hex", yaml: one("a", `hex:${HEX}a`), line: 5, key: KEY, message: "even number" },
    { name: "no hex", yaml: one("a", `hex:${HEX}xx`), line: 5, key: KEY, message: "even number" },
    {
      name: "base64 cut short",
      yaml: one("a", "base64:AAAAAAAAAAAAAAAAAAAAAAAAA"),
      line: 5,
      key: KEY,
      message: "padding",
    },
    { name: "PSK-05 257 octets", yaml: one("é".repeat(128) + "x"), line: 5, key: IDENTITY, message: "more than 256" },
    { name: "PSK-06 a NUL", yaml: one("a\\0b"), line: 5, key: IDENTITY, message: "control characters" },
    { name: "PSK-06 a line break", yaml: one("a\\nb"), line: 5, key: IDENTITY, message: "control characters" },
    { name: "no identity", yaml: one(""), line: 5, key: IDENTITY, message: "must not be empty" },
    {
      name: "PSK-02 another version",
      yaml: pskYaml(`{ identity: a, key: ${key(32)}, tls: TLSv1.1 }`),
      line: 5,
      key: "clients[0].match.psk[0].tls",
      message: "one of TLSv1.3, TLSv1.2",
    },
    {
      name: "PSK-02 one key for two versions",
      yaml: two(`{ identity: a, key: ${key(32)} }`, `{ identity: b, key: ${key(32)}, tls: TLSv1.2 }`),
      line: 7,
      key: "clients[0].match.psk[1].key",
      message: "is the key of clients[0].match.psk[0] too",
    },
    {
      name: "a duplicate identity",
      yaml: two(`{ identity: a, key: ${key(32)} }`, `{ identity: a, key: ${key(33)} }`),
      line: 7,
      key: "clients[0].match.psk[1].identity",
      message: "duplicate identity",
    },
    ...[
      ["a listener", "radsec: [{ secret: the-secret-of-all }]"],
      [
        "an upstream",
        "upstreams: { servers: [{ name: u, transport: udp, host: 10.0.0.1, secret: the-secret-of-all }] }",
      ],
    ].map(([what = "", rest = ""]) => ({
      name: `PSK-04 the secret of ${what}`,
      yaml: pskYaml("{ identity: a, key: the-secret-of-all }", rest),
      line: 5,
      key: KEY,
      message: "is a RADIUS shared secret too",
    })),
    {
      name: "PSK-04 the secret of an entry",
      yaml: `${pskYaml("{ identity: a, key: the-secret-of-all }")}\n    secret: the-secret-of-all`,
      line: 5,
      key: KEY,
      message: "is a RADIUS shared secret too",
    },
    ...["commonName: a", "issuer: CN=a", "fingerprint: " + HEX, "admitEvery: true", "san: { dns: a.example }"].map(
      (also) => ({
        name: `beside ${also}`,
        yaml: `${one("a")}\n      ${also}`,
        line: 6,
        key: `clients[0].match.${also.split(":")[0]}`,
        message: "a peer with a PSK has none",
      }),
    ),
    {
      name: "a PSK over UDP",
      yaml: `${one("a")}\n      network: 10.0.0.1\n    transport: udp\n    secret: a-secret-that-is-long`,
      line: 5,
      key: "clients[0].match.psk",
      message: "is about TLS",
    },
  ];
  it.each(mistakes)("refuses $name", expectMistake);
});
