import { inspect } from "node:util";
import { describe, expect, it } from "vitest";
import { configOf, load } from "./load.ts";
import { expectMistake, type Mistake } from "./mistake.ts";

const KEY = `"hex:${"ab".repeat(32)}"`;
const OTHER = `"hex:${"cd".repeat(32)}"`;
const ROUTER = "clients: [{ name: a, match: { psk: { identity: a, key: KEY } } }]".replace("KEY", KEY);

function server(psk: string, more = "", name = "up"): string {
  return `    - { name: ${name}, transport: radsec, host: aaa.example, psk: ${psk}${more} }`;
}

function yaml(...servers: readonly string[]): string {
  return [ROUTER, "upstreams:", "  servers:", ...servers].join("\n");
}

describe("upstreams.servers[].psk", () => {
  it("stands in place of certificates, and its key is never shown", () => {
    const config = configOf(yaml(server(`{ identity: hub, key: ${OTHER}, tls: TLSv1.2 }`)));
    expect(config.upstreams.servers[0]).toMatchObject({ psk: { identity: "hub", tls: "TLSv1.2" }, tls: undefined });
    expect(JSON.stringify(config) + inspect(config, { depth: 20 })).not.toMatch(/cdcd|cd cd|205, ?205/);
  });

  it("needs no certificate where there is no development PKI", () => {
    const radsec = "radsec: [{ tls: { certificateFile: hub.pem, keyFile: hub.key, caFiles: [ca.pem] } }]\n";
    const loaded = load(`pki: { development: false }\n${radsec}${yaml(server(`{ identity: hub, key: ${OTHER} }`))}`);
    expect(loaded).toMatchObject({ ok: true });
  });

  it("PSK-03 is warned of when it is short", () => {
    const loaded = load(yaml(server(`{ identity: hub, key: "hex:${"cd".repeat(31)}" }`)));
    expect(loaded.warnings.map(({ key }) => key)).toContain("upstreams.servers[0].psk.key");
  });

  it("may be one identity with a key for each of several servers", () => {
    const third = `"hex:${"ef".repeat(32)}"`;
    const servers = [
      server(`{ identity: hub, key: ${OTHER} }`),
      server(`{ identity: hub, key: ${third} }`, "", "other"),
    ];
    expect(load(yaml(...servers))).toMatchObject({ ok: true });
  });

  const mistakes: readonly Mistake[] = [
    {
      name: "PSK-14 an identity that a router has",
      yaml: yaml(server(`{ identity: a, key: ${OTHER} }`)),
      line: 4,
      key: "upstreams.servers[0].psk.identity",
      message: "is an identity of clients[0].match.psk[0] too",
    },
    {
      name: "PSK-14 the key of a router",
      yaml: yaml(server(`{ identity: hub, key: ${KEY} }`)),
      line: 4,
      key: "upstreams.servers[0].psk.key",
      message: "is the key of clients[0].match.psk[0] too",
    },
    {
      name: "PSK-02 one key for two servers",
      yaml: yaml(server(`{ identity: hub, key: ${OTHER} }`), server(`{ identity: two, key: ${OTHER} }`, "", "two")),
      line: 5,
      key: "upstreams.servers[1].psk.key",
      message: "is the key of upstreams.servers[0].psk too",
    },
    {
      name: "PSK-04 the RADIUS secret of the server",
      yaml: yaml(server("{ identity: hub, key: the-secret-of-all }", ", secret: the-secret-of-all")),
      line: 4,
      key: "upstreams.servers[0].psk.key",
      message: "is a RADIUS shared secret too",
    },
    ...["tls: { minVersion: TLSv1.3 }", "serverName: aaa.example", "naiRealm: example.org"].map((also) => ({
      name: `beside ${also}`,
      yaml: yaml(server(`{ identity: hub, key: ${OTHER} }`, `, ${also}`)),
      line: 4,
      key: `upstreams.servers[0].${also.split(":")[0]}`,
      message: "a server with psk shows none",
    })),
    {
      name: "a PSK over UDP",
      yaml: yaml(
        `    - { name: up, transport: udp, host: 10.0.0.1, secret: a-secret-that-is-long, psk: { identity: hub, key: ${OTHER} } }`,
      ),
      line: 4,
      key: "upstreams.servers[0].psk",
      message: "has no meaning with transport: udp",
    },
  ];
  it.each(mistakes)("refuses $name", expectMistake);
});
