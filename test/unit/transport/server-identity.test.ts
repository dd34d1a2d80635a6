import { X509Certificate } from "node:crypto";
import { beforeAll, describe, expect, it } from "vitest";
import { openPki } from "../../../pki/development.ts";
import { systemClock } from "../../../src/clock.ts";
import { serverIdentityFault } from "../../../src/transport/server-identity.ts";
import { temporaryFolder } from "../../support/temporary-folder.ts";
import { TestCa } from "../../support/test-pki.ts";

let ca: TestCa;
beforeAll(async () => {
  ca = await TestCa.create();
});

async function certificate(names: Parameters<TestCa["issue"]>[0]): Promise<Buffer> {
  return new X509Certificate((await ca.issue(names)).certificate).raw;
}

describe("serverIdentityFault()", () => {
  it.each([
    [{ dns: ["radius.example"] }, "radius.example", true],
    [{ dns: ["radius.example"] }, "RADIUS.example", true],
    [{ dns: ["other.example", "radius.example"] }, "radius.example", true],
    [{ dns: ["other.example"] }, "radius.example", false],
    [{ dns: ["*.a.example"] }, "n.a.example", true],
    [{ dns: ["*.a.example"] }, "m.n.a.example", false],
    [{ dns: ["n*.a.example"] }, "nn.a.example", false],
    [{ ip: ["192.0.2.1"] }, "192.0.2.1", true],
    [{ ip: ["192.0.2.1"] }, "192.0.2.2", false],
    [{ dns: ["192.0.2.1"] }, "192.0.2.1", false],
    [{ ip: ["2001:db8::1"] }, "2001:db8:0:0::1", true],
  ] as const)("TLS-14 TLS-15 a certificate for %j and the server %s: %s", async (names, serverName, fits) => {
    expect(serverIdentityFault(await certificate(names), { serverName }) === undefined).toBe(fits);
  });

  it("TLS-14 a Common Name proves nothing, with a SAN or without", async () => {
    const subject = "CN=radius.example";
    const wanted = { serverName: "radius.example" };
    expect(serverIdentityFault(await certificate({ subject }), wanted)).toMatch(/not for radius.example/);
    expect(serverIdentityFault(await certificate({ subject, dns: ["x.example"] }), wanted)).toMatch(/x\.example/);
  });

  it("TLS-24 a realm is looked for among the NAIRealm names, in place of the host name", async () => {
    const folder = await temporaryFolder();
    const naiRealms = ["example.org", "*.example.net"];
    const pki = await openPki(folder, { clock: systemClock, hubNames: ["hub.example"], naiRealms });
    const raw = new X509Certificate(pki.hub.certificatePem).raw;
    const fits = (naiRealm: string) => serverIdentityFault(raw, { serverName: "any", naiRealm }) === undefined;
    expect(["example.org", "EXAMPLE.org", "a.example.net", "a.b.example.net", "hub.example"].map(fits)).toEqual([
      true,
      true,
      true,
      false,
      false,
    ]);
  });
});
