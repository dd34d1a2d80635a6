import { X509Certificate } from "node:crypto";
import { copyFile, cp, readFile, rename, rm, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { type DevelopmentPki, openPki, type PkiOptions } from "../../../pki/development.ts";
import { newKeyPem } from "../../../pki/authority.ts";
import { ManualClock } from "../../support/manual-clock.ts";
import { temporaryFolder } from "../../support/temporary-folder.ts";

const DAY_MS = 86_400_000;
const START_MS = 1_800_000_000_000;

interface Opened {
  readonly folder: string;
  readonly clock: ManualClock;
  readonly pki: DevelopmentPki;
  /** Opens the same folder once more, as another process would. */
  readonly again: (options?: Partial<PkiOptions>) => Promise<DevelopmentPki>;
}

async function opened(options: Partial<PkiOptions> = {}): Promise<Opened> {
  const folder = join(await temporaryFolder(), "pki");
  const clock = new ManualClock(START_MS);
  const again = (other: Partial<PkiOptions> = options) => openPki(folder, { clock, hubNames: [], ...other });
  return { folder, clock, pki: await again(), again };
}

function pkiError(file: string, reason: string): unknown {
  return expect.objectContaining({
    code: "ERR_PKI",
    message: expect.stringMatching(`${file}.*${reason}`) as unknown,
    details: expect.objectContaining({ file }) as unknown,
  });
}

function notAfterMs(pem: string): number {
  return new X509Certificate(pem).validToDate.getTime();
}

async function modeOf(path: string): Promise<string> {
  return ((await stat(path)).mode & 0o777).toString(8);
}

describe("openPki()", () => {
  it("TLS-24 makes a CA of 10 years and a hub certificate of one on first use, keys readable by their owner only", async () => {
    const { folder, pki } = await opened({ hubNames: ["hub.example.org", "10.0.0.1"], naiRealms: ["example.org"] });
    expect(notAfterMs(pki.ca.certificatePem)).toBe(START_MS + 3650 * DAY_MS);
    expect(notAfterMs(pki.hub.certificatePem)).toBe(START_MS + 365 * DAY_MS);
    const hub = new X509Certificate(pki.hub.certificatePem);
    expect(hub.subject).toBe("CN=hub.example.org");
    expect(hub.subjectAltName).toBe(
      "DNS:localhost, DNS:hub.example.org, IP Address:127.0.0.1, IP Address:0:0:0:0:0:0:0:1, IP Address:10.0.0.1, " +
        "othername:NAIRealm:example.org",
    );
    expect(await modeOf(folder)).toBe("700");
    expect(await modeOf(join(folder, "ca"))).toBe("700");
    expect(await modeOf(join(folder, "ca", "key.pem"))).toBe("600");
    expect(await modeOf(pki.hub.keyFile)).toBe("600");
    expect(await readFile(pki.hub.certificateFile, "utf8")).toBe(pki.hub.certificatePem);
  });

  it("takes what is there", async () => {
    const { pki, again } = await opened({ hubNames: ["hub.example.org"] });
    const other = await again();
    expect(other.hub).toEqual(pki.hub);
    expect(other.ca).toEqual(pki.ca);
    expect(await other.renewIfDue()).toBe(false);
  });

  it("gives all that open a new folder at once the same CA and the same hub certificate", async () => {
    const folder = join(await temporaryFolder(), "pki");
    const clock = new ManualClock(START_MS);
    const all = await Promise.all(
      Array.from({ length: 8 }, () => openPki(folder, { clock, hubNames: ["hub.example"] })),
    );
    expect(new Set(all.map(({ ca }) => ca.certificatePem)).size).toBe(1);
    expect(new Set(all.map(({ hub }) => hub.certificatePem + hub.keyPem)).size).toBe(1);
    const hub = new X509Certificate(all[0]?.hub.certificatePem ?? "");
    expect(hub.verify(new X509Certificate(all[0]?.ca.certificatePem ?? "").publicKey)).toBe(true);
  });

  it("runs without the key of the CA while nothing is due, and names it when something is", async () => {
    const { folder, clock, again } = await opened();
    const caKey = join(folder, "ca", "key.pem");
    await rename(caKey, `${caKey}.offline`);
    const pki = await again();
    await expect(pki.issueNas("edge-1")).rejects.toThrow(pkiError(caKey, "is missing"));
    clock.advance(340 * DAY_MS);
    await expect(again()).rejects.toThrow(pkiError(caKey, "is missing"));
  });

  it.each(["ca/certificate.pem", "hub/certificate.pem", "hub/key.pem"])("names %s when it is not PEM", async (name) => {
    const { folder, again } = await opened();
    await writeFile(join(folder, name), "-----BEGIN NONSENSE-----");
    await expect(again()).rejects.toThrow(pkiError(join(folder, name), "is not"));
  });

  it.each(["hub/certificate.pem", "hub/key.pem", "ca/certificate.pem"])("names %s when it is missing", async (name) => {
    const { folder, again } = await opened();
    await rm(join(folder, name));
    await expect(again()).rejects.toThrow(pkiError(join(folder, name), "is missing"));
  });

  it("never replaces a lost CA in silence", async () => {
    const { folder, again } = await opened();
    await rm(join(folder, "ca"), { recursive: true });
    await expect(again()).rejects.toThrow(pkiError(join(folder, "ca", "certificate.pem"), "is missing"));
  });

  it("names a key that belongs to another certificate, of the hub and of the CA", async () => {
    const { folder, clock, again } = await opened();
    const caKey = join(folder, "ca", "key.pem");
    await writeFile(caKey, newKeyPem());
    clock.advance(340 * DAY_MS);
    await expect(again()).rejects.toThrow(pkiError(caKey, "does not belong"));
    await copyFile(caKey, join(folder, "hub", "key.pem"));
    await expect(again()).rejects.toThrow(pkiError(join(folder, "hub", "key.pem"), "is not the key of"));
  });

  it("refuses a hub certificate in the place of the CA", async () => {
    const { folder, pki, again } = await opened();
    const caFile = join(folder, "ca", "certificate.pem");
    await copyFile(pki.hub.certificateFile, caFile);
    await expect(again()).rejects.toThrow(pkiError(caFile, "is not the certificate of a CA"));
  });

  it("names a CA that has expired", async () => {
    const { folder, clock, again } = await opened();
    // The hub's certificate now ends with the CA, so nothing is left that would have to be signed.
    clock.advance(3640 * DAY_MS);
    await again();
    clock.advance(10 * DAY_MS);
    await expect(again()).rejects.toThrow(pkiError(join(folder, "ca", "certificate.pem"), "expired"));
  });

  it("names a folder that cannot be written", async () => {
    const file = join(await temporaryFolder(), "file");
    await writeFile(file, "");
    const folder = join(file, "pki");
    await expect(openPki(folder, { clock: new ManualClock(), hubNames: [] })).rejects.toThrow(
      pkiError(folder, "a file is in the way"),
    );
  });

  it("throws ERR_INPUT for a hub name that cannot stand in a certificate, and makes nothing", async () => {
    const folder = join(await temporaryFolder(), "pki");
    await expect(openPki(folder, { clock: new ManualClock(), hubNames: ["a_b"] })).rejects.toThrow(
      expect.objectContaining({ code: "ERR_INPUT" }),
    );
    await expect(stat(folder)).rejects.toThrow("ENOENT");
  });
});

describe("DevelopmentPki.renewIfDue()", () => {
  it("issues the hub certificate again 30 days before its end, under the same CA and key", async () => {
    const { clock, pki } = await opened();
    const before = { ca: pki.ca.certificatePem, ...pki.hub };
    clock.advance(335 * DAY_MS);
    expect(await pki.renewIfDue()).toBe(false);
    clock.advance(1_000);
    expect(await pki.renewIfDue()).toBe(true);
    expect(pki.ca.certificatePem).toBe(before.ca);
    expect(pki.hub.keyPem).toBe(before.keyPem);
    expect(notAfterMs(pki.hub.certificatePem)).toBe(START_MS + 700 * DAY_MS + 1_000);
    expect(await readFile(pki.hub.certificateFile, "utf8")).toBe(pki.hub.certificatePem);
    expect(await pki.renewIfDue()).toBe(false);
  });

  it("issues it again when the configured names changed, and not for whoever does not know them", async () => {
    const { pki, again } = await opened();
    const renamed = await again({ hubNames: ["hub.example.org"] });
    expect(new X509Certificate(renamed.hub.certificatePem).checkHost("hub.example.org")).toBe("hub.example.org");
    expect(renamed.hub.keyPem).toBe(pki.hub.keyPem);
    expect((await again({ hubNames: undefined })).hub).toEqual(renamed.hub);
    expect(await pki.renewIfDue()).toBe(true);
  });

  it("issues it again under a CA that was put in the place of the old one", async () => {
    const { folder, pki } = await opened();
    const other = await opened();
    await cp(join(other.folder, "ca"), join(folder, "ca"), { recursive: true, force: true });
    const moved = await openPki(folder, { clock: other.clock, hubNames: [] });
    expect(moved.ca.certificatePem).toBe(other.pki.ca.certificatePem);
    const caKey = new X509Certificate(moved.ca.certificatePem).publicKey;
    expect(new X509Certificate(moved.hub.certificatePem).verify(caKey)).toBe(true);
    expect(moved.hub.keyPem).toBe(pki.hub.keyPem);
  });

  it("takes over what another process renewed", async () => {
    const { clock, pki, again } = await opened();
    clock.advance(340 * DAY_MS);
    const other = await again();
    expect(pki.hub.certificatePem).not.toBe(other.hub.certificatePem);
    expect(await pki.renewIfDue()).toBe(true);
    expect(pki.hub).toEqual(other.hub);
  });

  it("does not issue again and again once the CA ends before the certificate would", async () => {
    const { clock, again } = await opened();
    clock.advance(3640 * DAY_MS);
    const pki = await again();
    expect(notAfterMs(pki.hub.certificatePem)).toBe(notAfterMs(pki.ca.certificatePem));
    expect(await pki.renewIfDue()).toBe(false);
  });

  it("keeps what is in use when the folder is broken", async () => {
    const { pki } = await opened();
    const before = pki.hub;
    await writeFile(pki.hub.certificateFile, "");
    await expect(pki.renewIfDue()).rejects.toThrow(pkiError(pki.hub.certificateFile, "is not a PEM certificate"));
    expect(pki.hub).toEqual(before);
  });

  it("signs the revocation list again before it ends, or every router would be refused", async () => {
    const { clock, pki } = await opened();
    await pki.issueNas("edge-1");
    await pki.revokeNas("edge-1");
    const before = pki.crl?.pem;
    clock.advance(340 * DAY_MS);
    expect(await pki.renewIfDue()).toBe(true);
    expect(pki.crl?.pem).not.toBe(before);
    expect(pki.expiry().find(({ what }) => what === "revocation list")?.notAfterMs).toBe(START_MS + 705 * DAY_MS);
  });

  it("signs the list of what the ledger has and the list lacks", async () => {
    const { folder, pki, again } = await opened();
    await pki.issueNas("edge-1");
    await pki.revokeNas("edge-1");
    await rm(join(folder, "crl.pem"));
    expect(await pki.renewIfDue()).toBe(true);
    expect(await readFile(join(folder, "crl.pem"), "utf8")).toBe(pki.crl?.pem);
    expect((await again()).crl).toEqual(pki.crl);
  });

  it("names a revocation list or a ledger that cannot be read", async () => {
    const { folder, again } = await opened();
    await writeFile(join(folder, "crl.pem"), "nonsense");
    await expect(again()).rejects.toThrow(pkiError(join(folder, "crl.pem"), "is not a PEM CRL"));
    await rm(join(folder, "crl.pem"));
    await writeFile(join(folder, "ledger.jsonl"), "nonsense\n");
    await expect(again()).rejects.toThrow(pkiError(join(folder, "ledger.jsonl"), "is not an entry"));
  });
});

describe("DevelopmentPki.expiry()", () => {
  it("says when the CA and the hub certificate end", async () => {
    const { pki } = await opened();
    expect(pki.expiry()).toEqual([
      { what: "CA certificate", notAfterMs: START_MS + 3650 * DAY_MS },
      { what: "hub certificate", notAfterMs: START_MS + 365 * DAY_MS },
    ]);
  });
});
