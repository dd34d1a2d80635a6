import { execFile } from "node:child_process";
import { join } from "node:path";
import { promisify } from "node:util";
import { beforeEach, describe, expect, it } from "vitest";
import { openPki } from "../../pki/development.ts";
import { systemClock } from "../../src/clock.ts";
import { temporaryFolder } from "../support/temporary-folder.ts";

const run = promisify(execFile);

async function openssl(...words: string[]): Promise<{ good: boolean; output: string }> {
  try {
    const { stdout, stderr } = await run("openssl", words);
    return { good: true, output: stdout + stderr };
  } catch (error) {
    const { stdout = "", stderr = "" } = error as { stdout?: string; stderr?: string };
    return { good: false, output: stdout + stderr };
  }
}

const installed = (await openssl("version")).good;

async function opened() {
  const folder = join(await temporaryFolder(), "pki");
  const pki = await openPki(folder, { clock: systemClock, hubNames: ["hub.example.org"], naiRealms: ["example.org"] });
  const verify = (...words: string[]) =>
    openssl("verify", "-x509_strict", "-check_ss_sig", "-CAfile", pki.ca.certificateFile, ...words);
  return { pki, verify };
}

describe("openssl verify -x509_strict", () => {
  beforeEach((context) => {
    if (!installed) context.skip("openssl is not installed");
  });

  it("accepts the CA", async () => {
    const { pki, verify } = await opened();
    expect(await verify(pki.ca.certificateFile)).toEqual({ good: true, output: `${pki.ca.certificateFile}: OK\n` });
  });

  it.each(["hub.example.org", "localhost"])("accepts the hub as the server %s and not as a client", async (name) => {
    const { pki, verify } = await opened();
    const file = pki.hub.certificateFile;
    expect((await verify("-purpose", "sslserver", "-verify_hostname", name, file)).output).toBe(`${file}: OK\n`);
    expect((await verify("-purpose", "sslserver", "-verify_ip", "127.0.0.1", file)).good).toBe(true);
    expect((await verify("-purpose", "sslserver", "-verify_hostname", "other.example", file)).good).toBe(false);
    expect((await verify("-purpose", "sslclient", file)).output).toContain("unsuitable certificate purpose");
  });

  it.each(["edge-1", "10.0.0.7", 'Büro, "1"'])(
    "accepts the router %s as a client and not as a server",
    async (name) => {
      const { pki, verify } = await opened();
      const { certificateFile } = await pki.issueNas(name);
      expect((await verify("-purpose", "sslclient", certificateFile)).output).toBe(`${certificateFile}: OK\n`);
      expect((await verify("-purpose", "sslserver", certificateFile)).output).toContain(
        "unsuitable certificate purpose",
      );
    },
  );

  it("accepts the hub after its names changed", async () => {
    const { pki, verify } = await opened();
    const renamed = await openPki(pki.folder, { clock: systemClock, hubNames: ["new.example.org"] });
    const file = renamed.hub.certificateFile;
    expect((await verify("-purpose", "sslserver", "-verify_hostname", "new.example.org", file)).good).toBe(true);
  });

  it("-crl_check refuses what is revoked and accepts the rest", async () => {
    const { pki, verify } = await opened();
    const revoked = await pki.issueNas("edge-1");
    const good = await pki.issueNas("edge-2");
    await pki.revokeNas("edge-1");
    const crlFile = pki.crl?.file ?? "";
    const check = (file: string) => verify("-crl_check_all", "-CRLfile", crlFile, "-purpose", "sslclient", file);
    expect((await check(revoked.certificateFile)).output).toContain("certificate revoked");
    expect((await check(good.certificateFile)).output).toBe(`${good.certificateFile}: OK\n`);
    expect((await openssl("crl", "-in", crlFile, "-noout", "-text")).output).toMatch(/CRL Number:/);
  });

  it("TLS-24 openssl reads the realm in the hub's certificate, TLS-28 and a strong key and signature", async () => {
    const { pki } = await opened();
    const { output } = await openssl("x509", "-noout", "-text", "-in", pki.hub.certificateFile);
    expect(output).toContain("NAIRealm");
    expect(output).toContain("NIST CURVE: P-256");
    expect(output).toContain("Signature Algorithm: ecdsa-with-SHA256");
  });
});
