import { X509Certificate } from "node:crypto";
import { describe, expect, it } from "vitest";
import { type Credentials, makeThrowAwayPki } from "../../../pki/throw-away.ts";
import { ManualClock } from "../../support/manual-clock.ts";

const NOW_MS = 1_800_000_000_000;
const pki = await makeThrowAwayPki({ clock: new ManualClock(NOW_MS), hubNames: ["hub.example.org", "10.0.0.1"] });

function read({ certificatePem }: Credentials): X509Certificate {
  return new X509Certificate(certificatePem);
}

describe("makeThrowAwayPki()", () => {
  it("TLS-28 signs EC P-256 keys with SHA-256", () => {
    for (const each of [pki.ca, pki.hub]) {
      expect(read(each).publicKey.asymmetricKeyDetails?.namedCurve).toBe("prime256v1");
      // ecdsa-with-SHA256, 1.2.840.10045.4.3.2; selfsigned's own choice would be SHA-1.
      expect(read(each).raw.includes(Buffer.from("06082a8648ce3d040302", "hex"))).toBe(true);
    }
  });

  it("makes a hub certificate with its names, for a server only", () => {
    expect(read(pki.hub).subjectAltName).toBe(
      "DNS:localhost, DNS:hub.example.org, IP Address:127.0.0.1, IP Address:0:0:0:0:0:0:0:1, IP Address:10.0.0.1",
    );
    expect(read(pki.hub).keyUsage).toEqual(["1.3.6.1.5.5.7.3.1"]);
    expect(read(pki.hub).verify(read(pki.ca).publicKey)).toBe(true);
  });

  it("nas() writes the SANs it is given, the Common Name by default, or none", async () => {
    const names = { dns: ["a.example"], ip: ["10.0.0.7"], uri: ["urn:x:y"], email: ["a@b.example"] };
    const all = read(await pki.nas("edge-1", { san: names }));
    expect(all.subjectAltName).toBe("DNS:a.example, IP Address:10.0.0.7, URI:urn:x:y, email:a@b.example");
    expect(all.keyUsage).toEqual(["1.3.6.1.5.5.7.3.2"]);
    expect(read(await pki.nas("edge-1")).subjectAltName).toBe("DNS:edge-1");
    const bare = read(await pki.nas("edge-1", { san: "none" }));
    expect([bare.subject, bare.subjectAltName]).toEqual(["CN=edge-1", undefined]);
  });

  it("nas() keeps a Common Name with separators in one piece", async () => {
    const { subject } = read(await pki.nas('a, O="b"+c\\d;')).toLegacyObject();
    expect(subject).toEqual({ CN: 'a, O="b"+c\\d;' });
  });

  it.each([
    ["valid", true, true],
    ["expired", true, false],
    ["not-yet-valid", false, true],
    [{ notBeforeMs: NOW_MS - 1_000, notAfterMs: NOW_MS + 60_000 }, true, true],
  ] as const)("nas() makes one that is %j", async (validity, hasBegun, goesOn) => {
    const { validFromDate, validToDate } = read(await pki.nas("edge-1", { validity }));
    expect([validFromDate.getTime() <= NOW_MS, validToDate.getTime() > NOW_MS]).toEqual([hasBegun, goesOn]);
  });

  it("makes another CA each time", async () => {
    const other = await makeThrowAwayPki();
    expect(read(pki.hub).verify(read(other.ca).publicKey)).toBe(false);
  });
});
