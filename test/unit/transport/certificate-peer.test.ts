import { X509Certificate } from "node:crypto";
import { beforeAll, describe, expect, it } from "vitest";
import { certificatePeer, parseSubjectAltName } from "../../../src/transport/certificate-peer.ts";
import { TestCa, type TestCertificateOptions } from "../../support/test-pki.ts";

describe("certificatePeer()", () => {
  let ca: TestCa;
  beforeAll(async () => {
    ca = await TestCa.create("Test CA\\, Ltd");
  });

  async function peerOf(options: TestCertificateOptions) {
    const leaf = new X509Certificate((await ca.issue(options)).certificate);
    return certificatePeer(leaf, [leaf.raw]);
  }

  it("TLS-27 shows subject, issuer, serial number, fingerprint, validity and every kind of SAN", async () => {
    const notBefore = new Date("2026-01-01T00:00:00Z");
    const notAfter = new Date("2050-01-01T00:00:00Z");
    const peer = await peerOf({
      subject: "CN=edge-1, O=Example",
      dns: ["edge-1.nas.example", "edge-1.example"],
      ip: ["192.0.2.1", "2001:db8::1"],
      uri: ["urn:example:edge-1"],
      email: ["noc@example.net"],
      notBefore,
      notAfter,
    });
    expect(peer).toMatchObject({
      kind: "certificate",
      commonName: "edge-1",
      subject: "CN=edge-1, O=Example",
      issuer: "CN=Test CA\\, Ltd",
      san: {
        dns: ["edge-1.nas.example", "edge-1.example"],
        ip: ["192.0.2.1", "2001:db8::1"],
        uri: ["urn:example:edge-1"],
        email: ["noc@example.net"],
      },
      notBeforeMs: notBefore.getTime(),
      notAfterMs: notAfter.getTime(),
    });
    expect(peer.serialNumber).toMatch(/^[0-9A-F]+$/);
    expect(peer.fingerprint256).toMatch(/^([0-9A-F]{2}:){31}[0-9A-F]{2}$/);
  });

  it('TLS-13 keeps a SAN that contains ", DNS:other" one name (CVE-2021-44532)', async () => {
    const evil = "x, DNS:core.nas.example";
    const peer = await peerOf({
      dns: [evil, 'q", DNS:core.nas.example, DNS:"', "nul\u0000.example"],
      email: ["a@b, DNS:c"],
    });
    expect(peer.san.dns).toEqual([evil, 'q", DNS:core.nas.example, DNS:"', "nul\u0000.example"]);
    expect(peer.san.email).toEqual(["a@b, DNS:c"]);
  });

  it("reads a Common Name with commas, line breaks and equals signs as what it is", async () => {
    expect((await peerOf({ subject: "CN=a\\, CN\\=core, O=Example" })).commonName).toBe("a, CN=core");
    expect((await peerOf({ subject: "CN=a\\0ACN\\=core" })).commonName).toBe("a\nCN=core");
    expect((await peerOf({ subject: "CN=Zürich-1" })).commonName).toBe("Zürich-1");
  });

  it("takes the most specific of several Common Names, and none for none", async () => {
    expect((await peerOf({ subject: "CN=Computers, CN=edge-1" })).commonName).toBe("edge-1");
    expect((await peerOf({ subject: "O=Example" })).commonName).toBeUndefined();
    expect(await peerOf({ subject: "", dns: ["a.example"] })).toMatchObject({ commonName: undefined, subject: "" });
  });
});

describe("parseSubjectAltName()", () => {
  const NONE = { dns: [], ip: [], uri: [], email: [] };

  it("passes over kinds that name no router", () => {
    const text = 'DirName:"CN = a, DNS:b", othername:<unsupported>, Registered ID:1.2.3, DNS:c, IP Address:<invalid>';
    expect(parseSubjectAltName(text)).toEqual({ ...NONE, dns: ["c"] });
  });

  it.each(["", "DNS", 'DNS:"a', 'DNS:"a"b', "DNS:a,DNS:b", 'DNS:a"b', 'DNS:"\\x"', "DNS:a, , DNS:b", "DNS:a, "])(
    "guesses no name from %j",
    (text) => expect(parseSubjectAltName(text).dns.filter((name) => name !== "a")).toEqual([]),
  );
});
