import { X509Certificate } from "node:crypto";
import { beforeAll, describe, expect, it } from "vitest";
import { makeThrowAwayPki } from "../../../pki/throw-away.ts";
import { Trust } from "../../../src/transport/trust.ts";
import { TestCa, type TestCertificate } from "../../support/test-pki.ts";

function der({ certificate }: TestCertificate): Buffer {
  return new X509Certificate(certificate).raw;
}

describe("Trust", () => {
  let ca: TestCa;
  let other: TestCa;
  let below: TestCa;
  let direct: TestCertificate;
  let viaBelow: TestCertificate;
  let trusted: Trust;

  beforeAll(async () => {
    ca = await TestCa.create("Test CA");
    other = await TestCa.create("Other CA");
    below = await ca.intermediate("Below CA");
    direct = await ca.issue();
    viaBelow = await below.issue();
    trusted = new Trust({ ca: [ca.certificate], crl: [] });
  });

  it("TLS-11 judge() says revoked for a serial number in a new list, and for no other", async () => {
    const spared = await ca.issue();
    const now = new Trust({ ca: [ca.certificate], crl: [await ca.revoke([direct.serialNumber])] });
    expect(now.judge(der(direct), trusted)).toMatchObject({ kind: "revoked" });
    expect(now.judge(der(spared), trusted)).toEqual({ kind: "trusted" });
  });

  it("TLS-11 judge() holds a list to the CA that issued it", async () => {
    const lists = [await other.revoke([direct.serialNumber]), await ca.revoke([])];
    const now = new Trust({ ca: [ca.certificate, other.certificate], crl: lists });
    expect(now.judge(der(direct), trusted)).toEqual({ kind: "trusted" });
  });

  it("TLS-11 judge() reads every list of one file, under either PEM label", async () => {
    const file = (await other.revoke([])) + (await ca.revoke([direct.serialNumber])).replaceAll("X509 CRL", "CRL");
    const now = new Trust({ ca: [ca.certificate, other.certificate], crl: [file] });
    expect(now.judge(der(direct), trusted)).toMatchObject({ kind: "revoked" });
  });

  it("TLS-11 judge() says unknown-ca once the CA is gone, and trusts a CA that was added", () => {
    const now = new Trust({ ca: [other.certificate], crl: [] });
    expect(now.judge(der(direct), trusted)).toMatchObject({ kind: "unknown-ca" });
    const more = new Trust({ ca: [other.certificate, ca.certificate], crl: [] });
    expect(more.judge(der(direct), trusted)).toEqual({ kind: "trusted" });
    expect(more.judge(der(direct), now)).toEqual({ kind: "trusted" }); // proven by its signature
  });

  it("TLS-11 judge() is not fooled by another CA of the same name, with key identifiers or without", async () => {
    const namesake = new Trust({ ca: [(await TestCa.create("Test CA")).certificate], crl: [] });
    expect(namesake.judge(der(direct), trusted)).toMatchObject({ kind: "unknown-ca" });
    const [one, two] = [await makeThrowAwayPki(), await makeThrowAwayPki()];
    const before = new Trust({ ca: [one.ca.certificatePem], crl: [] });
    const leaf = new X509Certificate((await one.nas("edge-1")).certificatePem).raw;
    const after = new Trust({ ca: [two.ca.certificatePem], crl: [] });
    expect(after.judge(leaf, before)).toMatchObject({ kind: "unknown-ca" });
  });

  it("TLS-11 judge() follows configured CAs up to a root, and sees one of them revoked", async () => {
    const ca2 = [below.certificate, ca.certificate];
    const before = new Trust({ ca: ca2, crl: [] });
    expect(before.judge(der(viaBelow), trusted)).toEqual({ kind: "trusted" });
    const serialNumber = new X509Certificate(below.certificate).serialNumber;
    const now = new Trust({ ca: ca2, crl: [await ca.revoke([serialNumber]), await below.revoke([])] });
    expect(now.judge(der(viaBelow), before)).toMatchObject({ kind: "revoked" });
    const rootless = new Trust({ ca: [below.certificate], crl: [] });
    expect(rootless.judge(der(viaBelow), before)).toMatchObject({ kind: "unknown-ca" });
  });

  it("TLS-11 judge() keeps a peer whose intermediate is not configured while nothing that concerns it changes", async () => {
    const wider = new Trust({ ca: [ca.certificate, other.certificate], crl: [] });
    expect(wider.judge(der(viaBelow), trusted)).toEqual({ kind: "trusted" });
    const listed = new Trust({ ca: [ca.certificate], crl: [await ca.revoke([])] });
    expect(listed.judge(der(viaBelow), trusted)).toMatchObject({ kind: "unknown-ca" });
  });

  it("warnings() names what turns every peer of a CA away", async () => {
    const now = Date.now();
    const lists = async (nextUpdate?: Date) => [await ca.revoke([], nextUpdate)];
    const warned = async (of: TestCa[], crl: string[]) =>
      new Trust({ ca: of.map(({ certificate }) => certificate), crl }).warnings(now);
    expect(await warned([ca], [])).toEqual([]);
    expect(await warned([ca], await lists())).toEqual([]);
    expect(await warned([], [])).toEqual([expect.stringContaining("no CA")]);
    expect(await warned([ca], await lists(new Date(now - 1_000)))).toEqual([
      expect.stringMatching(/CN=Test CA.*crl-expired/),
    ]);
    expect(await warned([ca, other], await lists())).toEqual([expect.stringMatching(/CN=Other CA.*no-crl/)]);
    expect(await warned([below], [])).toEqual([expect.stringMatching(/CN=Below CA is no root/)]);
  });
});
