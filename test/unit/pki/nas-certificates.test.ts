import { createPrivateKey, X509Certificate } from "node:crypto";
import { appendFileSync, readFileSync } from "node:fs";
import { readdir, readFile, stat } from "node:fs/promises";
import { dirname, join } from "node:path";
import { describe, expect, it } from "vitest";
import { readRevocationList } from "../../../pki/authority.ts";
import { openPki } from "../../../pki/development.ts";
import { ManualClock } from "../../support/manual-clock.ts";
import { temporaryFolder } from "../../support/temporary-folder.ts";

const DAY_MS = 86_400_000;
const START_MS = 1_800_000_000_000;

/** Lets a test act at the moments at which the code looks at the time. */
class WatchedClock extends ManualClock {
  onLook: () => void = () => undefined;

  override wallMs(): number {
    this.onLook();
    return super.wallMs();
  }
}

async function opened() {
  const folder = await temporaryFolder();
  const clock = new ManualClock(START_MS);
  return { folder, clock, pki: await openPki(folder, { clock, hubNames: [] }) };
}

describe("issueNas()", () => {
  it("writes key, certificate and CA into a folder of the router", async () => {
    const { folder, pki } = await opened();
    const issued = await pki.issueNas("edge-1");
    expect(issued.folder).toBe(join(folder, "nas", "edge-1"));
    expect(await readFile(issued.certificateFile, "utf8")).toBe(issued.certificatePem);
    expect(await readFile(issued.keyFile, "utf8")).toBe(issued.keyPem);
    expect(await readFile(issued.caFile, "utf8")).toBe(pki.ca.certificatePem);
    expect(((await stat(issued.keyFile)).mode & 0o777).toString(8)).toBe("600");
    const certificate = new X509Certificate(issued.certificatePem);
    expect(certificate.serialNumber).toBe(issued.serial);
    expect(certificate.subject).toBe("CN=edge-1");
    expect(certificate.subjectAltName).toBe("DNS:edge-1");
    expect(certificate.keyUsage).toEqual(["1.3.6.1.5.5.7.3.2"]);
    expect(certificate.checkPrivateKey(createPrivateKey(issued.keyPem))).toBe(true);
    expect(certificate.validToDate.getTime()).toBe(START_MS + 365 * DAY_MS);
    expect(issued.notAfterMs).toBe(START_MS + 365 * DAY_MS);
  });

  it("writes the SANs and days it is given, never beyond the end of the CA", async () => {
    const { clock, pki } = await opened();
    const names = { dns: ["a.example"], ip: ["10.0.0.7", "2001:db8::7"], uri: ["urn:x:y"], email: ["a@b.example"] };
    const issued = await pki.issueNas("edge-1", { ...names, days: 7 });
    expect(new X509Certificate(issued.certificatePem).subjectAltName).toBe(
      "DNS:a.example, IP Address:10.0.0.7, IP Address:2001:DB8:0:0:0:0:0:7, URI:urn:x:y, email:a@b.example",
    );
    expect(issued.notAfterMs).toBe(START_MS + 7 * DAY_MS);
    clock.advance(DAY_MS);
    expect((await pki.issueNas("edge-2", { days: 3650 })).notAfterMs).toBe(START_MS + 3650 * DAY_MS);
  });

  it("gives every certificate a serial number of its own", async () => {
    const { pki } = await opened();
    const issued = await Promise.all(Array.from({ length: 20 }, (_, index) => pki.issueNas(`edge-${index}`)));
    expect(new Set(issued.map(({ serial }) => serial)).size).toBe(20);
    expect((await pki.issuedNas()).map(({ name }) => name).sort()).toEqual(issued.map(({ name }) => name).sort());
  });

  it("refuses to overwrite without force, and leaves no trace in the ledger", async () => {
    const { pki } = await opened();
    const first = await pki.issueNas("edge-1");
    await expect(pki.issueNas("edge-1")).rejects.toThrow(
      expect.objectContaining({ code: "ERR_PKI", details: { file: first.folder } }),
    );
    expect(await pki.issuedNas()).toHaveLength(1);
    const second = await pki.issueNas("edge-1", { force: true });
    expect(await readFile(first.certificateFile, "utf8")).toBe(second.certificatePem);
    expect(await readdir(dirname(first.folder))).toEqual(["edge-1"]);
  });

  it("gives one of many that ask for the same name at once what is on disk, and refuses the others", async () => {
    const { pki } = await opened();
    const asked = await Promise.allSettled(Array.from({ length: 4 }, () => pki.issueNas("edge-1")));
    const [issued, ...more] = asked.flatMap((each) => (each.status === "fulfilled" ? [each.value] : []));
    expect(more).toEqual([]);
    expect(await readFile(issued?.keyFile ?? "", "utf8")).toBe(issued?.keyPem);
    expect(await readFile(issued?.certificateFile ?? "", "utf8")).toBe(issued?.certificatePem);
  });

  it("leaves a key beside its own certificate when many force the same name at once", async () => {
    const { pki } = await opened();
    const issued = await Promise.all(Array.from({ length: 4 }, () => pki.issueNas("edge-1", { force: true })));
    const [first] = issued;
    const certificate = new X509Certificate(await readFile(first?.certificateFile ?? "", "utf8"));
    expect(certificate.checkPrivateKey(createPrivateKey(await readFile(first?.keyFile ?? "", "utf8")))).toBe(true);
  });

  it.each(["../../ca", "..", ".", "/etc/passwd", "a/b", "a\\b", ".hidden", "-rf", "Büro 1", "ルーター"])(
    "keeps %j inside the folder for routers",
    async (name) => {
      const { folder, pki } = await opened();
      const issued = await pki.issueNas(name);
      expect(dirname(issued.folder)).toBe(join(folder, "nas"));
      expect(await readdir(join(folder, "nas"))).toEqual([expect.stringMatching(/^[A-Za-z0-9][A-Za-z0-9_-]*$/)]);
      expect(new X509Certificate(issued.certificatePem).toLegacyObject().subject).toEqual({ CN: name });
    },
  );

  it("gives names that look alike on disk folders of their own", async () => {
    const { folder, pki } = await opened();
    for (const name of ["a b", "a/b", "a_b"]) await pki.issueNas(name);
    expect(await readdir(join(folder, "nas"))).toHaveLength(3);
  });

  it.each([
    ["", {}],
    ["a\nb", {}],
    ["x".repeat(65), {}],
    ["edge-1", { days: 0 }],
    ["edge-1", { days: 1.5 }],
    ["edge-1", { days: Number.NaN }],
    ["edge-1", { days: 3651 }],
    ["edge-1", { dns: ["a b"] }],
    ["edge-1", { ip: ["10.0.0"] }],
  ])("throws ERR_INPUT for %j %j and issues nothing", async (name, request) => {
    const { folder, pki } = await opened();
    await expect(pki.issueNas(name, request)).rejects.toThrow(expect.objectContaining({ code: "ERR_INPUT" }));
    expect(await readdir(folder)).not.toContain("nas");
    expect(await pki.issuedNas()).toEqual([]);
  });
});

describe("revokeNas()", () => {
  it("TLS-11 lists every certificate of the name that is still good, and no other", async () => {
    const { folder, clock, pki } = await opened();
    await pki.issueNas("edge-1", { days: 1 });
    clock.advance(2 * DAY_MS);
    const second = await pki.issueNas("edge-1", { force: true });
    const third = await pki.issueNas("edge-1", { force: true });
    await pki.issueNas("edge-2");
    expect(pki.crl).toBeUndefined();
    expect(await pki.revokeNas("edge-1")).toEqual([second.serial, third.serial]);
    const list = readRevocationList(await readFile(join(folder, "crl.pem"), "utf8"));
    expect(list?.serials).toEqual(new Set([second.serial, third.serial]));
    expect(list?.nextUpdateMs).toBe(START_MS + 367 * DAY_MS);
    expect((await pki.issuedNas()).map(({ revokedAtMs }) => revokedAtMs !== undefined)).toEqual([
      false,
      true,
      true,
      false,
    ]);
  });

  it("throws ERR_NOT_FOUND for a name without a certificate, or whose certificates are revoked already", async () => {
    const { pki } = await opened();
    const notFound: unknown = expect.objectContaining({ code: "ERR_NOT_FOUND" });
    await expect(pki.revokeNas("edge-1")).rejects.toThrow(notFound);
    await pki.issueNas("edge-1");
    await pki.revokeNas("edge-1");
    await expect(pki.revokeNas("edge-1")).rejects.toThrow(notFound);
  });

  it("loses none when several revoke at once", async () => {
    const { folder, clock, pki } = await opened();
    const other = await openPki(folder, { clock });
    const names = Array.from({ length: 6 }, (_, index) => `edge-${index}`);
    for (const name of names) await pki.issueNas(name);
    const revoked = await Promise.all(names.map((name, index) => (index % 2 === 0 ? pki : other).revokeNas(name)));
    const list = readRevocationList(await readFile(join(folder, "crl.pem"), "utf8"));
    expect(list?.serials).toEqual(new Set(revoked.flat()));
  });

  it("takes in what another process adds to the ledger while the list is being signed", async () => {
    const folder = await temporaryFolder();
    const clock = new WatchedClock(START_MS);
    const pki = await openPki(folder, { clock, hubNames: [] });
    const { serial } = await pki.issueNas("edge-1");
    const others = await Promise.all(["edge-2", "edge-3", "edge-4"].map((name) => pki.issueNas(name)));
    const ledgerFile = join(folder, "ledger.jsonl");
    const left = others.map((other) => other.serial);
    clock.onLook = () => {
      if (!readFileSync(ledgerFile, "utf8").includes(`"revoked","serial":"${serial}"`) || left.length === 0) return;
      const entry = { event: "revoked", serial: left.pop(), at: new Date(START_MS).toISOString() };
      appendFileSync(ledgerFile, `${JSON.stringify(entry)}\n`);
    };
    await pki.revokeNas("edge-1");
    expect(left).toEqual([]);
    const list = readRevocationList(await readFile(join(folder, "crl.pem"), "utf8"));
    expect(list?.serials).toEqual(new Set([serial, ...others.map((other) => other.serial)]));
  });
});
