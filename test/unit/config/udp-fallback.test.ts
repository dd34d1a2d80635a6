import { describe, expect, it } from "vitest";
import { configOf, load } from "./load.ts";
import { expectMistake, type Mistake } from "./mistake.ts";

const FALLBACK = "{ address: 10.0.0.7, secret: a-secret-that-is-long }";

function yaml(match: string, fallback = FALLBACK, more = ""): string {
  return `clients:\n  - name: edge\n    match: ${match}\n    udpFallback: ${fallback}${more}`;
}

function warningsOf(text: string): string[] {
  return load(text).warnings.map(({ key, message }) => `${key} ${message}`);
}

describe("clients[].udpFallback", () => {
  it("UC-01 is port 3799 unless told otherwise", () => {
    const fallbackOf = (text: string) => configOf(text).clients[0]?.udpFallback;
    expect(fallbackOf(yaml("{ commonName: edge-1 }"))).toMatchObject({
      address: "10.0.0.7",
      port: 3799,
    });
    const other = '{ address: "2001:DB8::0:7", port: 1700, secret: s }';
    expect(fallbackOf(yaml("{ commonName: edge-1 }", other))).toMatchObject({
      address: "2001:db8::7",
      port: 1700,
    });
  });

  it.each([
    "{ san: { dns: edge-1.nas.example } }",
    "{ san: { ip: 192.0.2.7 }, network: 192.0.2.0/24 }",
    `{ fingerprint: ${"ab".repeat(32)} }`,
    "{ psk: { identity: edge-1, key: a key of sixteen octets } }",
  ])("stands in an entry that names one router: %s", (match) => {
    expect(load(yaml(match))).toMatchObject({ ok: true });
  });

  const several = "is the port of one router, and the entry names several";
  const mistakes: readonly Mistake[] = [
    ...[
      "{ issuer: CN=a, admitEvery: true }",
      '{ san: { dns: "*.nas.example" } }',
      "{ san: { dns: [edge-1, edge-2] } }",
      "{ san: { dns: edge-1 }, commonName: edge-1 }",
      `{ fingerprint: [${"ab".repeat(32)}, ${"cd".repeat(32)}] }`,
    ].map((match) => ({
      name: `RC-20 an entry that may be about several routers: ${match}`,
      yaml: yaml(match),
      line: 4,
      key: "clients[0].udpFallback",
      message: several,
    })),
    {
      name: "a router over UDP, which has dynauthPort",
      yaml: yaml("{ network: 10.0.0.7 }", FALLBACK, "\n    transport: udp\n    secret: a-secret-that-is-long"),
      line: 4,
      key: "clients[0].udpFallback",
      message: "has no meaning with transport: udp",
    },
    {
      name: "a host name",
      yaml: yaml("{ commonName: a }", "{ address: edge.example, secret: a-secret-that-is-long }"),
      line: 4,
      key: "clients[0].udpFallback.address",
      message: "must be an IP address",
    },
  ];
  it.each(mistakes)("refuses $name", expectMistake);

  it("UC-08 CRY-17 warns of a public address and of a secret that can be guessed", () => {
    const public_ = yaml("{ commonName: a }", "{ address: 8.8.8.8, secret: radsec }");
    expect(warningsOf(public_)).toEqual([
      expect.stringMatching(/^clients\[0\]\.udpFallback\.address is a public address/),
      expect.stringMatching(/^clients\[0\]\.udpFallback\.secret is a secret of 12 octets or less/),
    ]);
    expect(warningsOf(yaml("{ commonName: a }"))).toEqual([]);
  });
});
