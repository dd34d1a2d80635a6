import { execFileSync } from "node:child_process";
import { createPrivateKey, generateKeyPairSync } from "node:crypto";
import { describe, expect, it } from "vitest";
import { FILES, load } from "./load.ts";

const NOISE = "MIIBszCCAVmgAwIBAgIUQ2VydGlm";
const other = generateKeyPairSync("ec", { namedCurve: "P-256" }).privateKey;
const encrypted = createPrivateKey(FILES["hub.key"] as string).export({
  type: "pkcs8",
  format: "pem",
  cipher: "aes-256-cbc",
  passphrase: "secret",
}) as string;

const FILES_AND_BAD_ONES: Readonly<Record<string, string>> = {
  ...FILES,
  "other.key": other.export({ type: "pkcs8", format: "pem" }) as string,
  "encrypted.key": encrypted,
  "torn.pem": `-----BEGIN CERTIFICATE-----\n${NOISE}\n-----END CERTIFICATE-----\n`,
  "torn.key": `-----BEGIN PRIVATE KEY-----\n${NOISE}\n-----END PRIVATE KEY-----\n`,
  "torn.crl": `-----BEGIN X509 CRL-----\n${NOISE}\n-----END X509 CRL-----\n`,
  // The second of two: a store of CAs that was cut short.
  "half.pem": `${FILES["ca.pem"]}-----BEGIN CERTIFICATE-----\n${NOISE}\n-----END CERTIFICATE-----\n`,
};

function mistakes(yaml: string): string[] {
  const loaded = load(yaml, {}, FILES_AND_BAD_ONES);
  return loaded.ok ? [] : loaded.problems.map(({ line, key, message }) => `${line} ${key}: ${message}`);
}

function listener(keys: string): string {
  return `radsec:\n  - tls: { ${keys} }`;
}

describe("TLS files of hub.yaml", () => {
  it("are taken where they fit together", () => {
    expect(
      mistakes(listener("certificateFile: hub.pem, keyFile: hub.key, caFiles: [ca.pem], crlFiles: [ca.crl]")),
    ).toEqual([]);
  });

  it.each([
    ["hub.pem, keyFile: other.key, caFiles: [ca.pem]", "keyFile: the key does not belong to the certificate"],
    ["hub.pem, keyFile: encrypted.key, caFiles: [ca.pem]", "keyFile: the key is encrypted"],
    [
      "hub.pem, keyFile: torn.key, caFiles: [ca.pem]",
      'keyFile: the PEM block "PRIVATE KEY" of the file can not be read',
    ],
    ["torn.pem, keyFile: hub.key, caFiles: [ca.pem]", 'certificateFile: the PEM block "CERTIFICATE"'],
    ["hub.pem, keyFile: hub.key, caFiles: [ca.pem, torn.pem]", 'caFiles[1]: the PEM block "CERTIFICATE"'],
    ["hub.pem, keyFile: hub.key, caFiles: [half.pem]", 'caFiles[0]: the PEM block "CERTIFICATE"'],
    ["hub.pem, keyFile: hub.key, caFiles: [ca.pem], crlFiles: [torn.crl]", 'crlFiles[0]: the PEM block "X509 CRL"'],
    [
      "hub.pem, keyFile: hub.key, caFiles: [ca.pem], crlFiles: [ca.pem]",
      'crlFiles[0]: the file has no PEM block "X509 CRL"',
    ],
  ])("one mistake, at its place: %s", (keys, message) => {
    const found = mistakes(listener(`certificateFile: ${keys}`));
    expect(found).toHaveLength(1);
    expect(found[0]).toContain(`2 radsec[0].tls.${message}`);
    expect(found[0]).not.toContain(NOISE);
  });

  it("TLS-28 what OpenSSL refuses is a mistake of the listener", () => {
    const short = ["req", "-x509", "-newkey", "rsa:1024", "-nodes", "-subj", "/CN=short", "-days", "2", "-batch"];
    const pem = execFileSync("openssl", [...short, "-keyout", "-"], { encoding: "utf8", stdio: "pipe" });
    const loaded = load(
      listener("certificateFile: short.pem, keyFile: short.pem, caFiles: [ca.pem]"),
      {},
      { ...FILES, "short.pem": pem },
    );
    expect(loaded.ok ? [] : loaded.problems).toMatchObject([
      { key: "radsec[0].tls", message: expect.stringContaining("too short") as string },
    ]);
  });

  it("the mistakes of all listeners and upstreams are listed at once", () => {
    const found = mistakes(`radsec:
  - { name: a, tls: { certificateFile: hub.pem, keyFile: other.key, caFiles: [ca.pem] } }
  - { name: b, port: 2084, tls: { certificateFile: torn.pem, keyFile: torn.key, caFiles: [no.pem] } }
upstreams:
  servers:
    - { name: u, transport: radsec, host: a.example, tls: { certificateFile: hub.pem, keyFile: other.key, caFiles: [ca.pem] } }
  pools: [{ name: p, servers: u }]
dynauth: { timeout: soon }`);
    expect(found.map((line) => line.split(": ")[0])).toEqual([
      "2 radsec[0].tls.keyFile",
      "3 radsec[1].tls.certificateFile",
      "3 radsec[1].tls.keyFile",
      "3 radsec[1].tls.caFiles[0]",
      "6 upstreams.servers[0].tls.keyFile",
      "8 dynauth.timeout",
    ]);
  });
});
