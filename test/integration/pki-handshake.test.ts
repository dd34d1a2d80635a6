import { execFile } from "node:child_process";
import { createPrivateKey, X509Certificate } from "node:crypto";
import { once } from "node:events";
import { readFile } from "node:fs/promises";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import tls from "node:tls";
import { promisify } from "node:util";
import { describe, expect, it, onTestFinished } from "vitest";
import { readRevocationList } from "../../pki/authority.ts";
import { openPki } from "../../pki/development.ts";
import { type Credentials, makeThrowAwayPki } from "../../pki/throw-away.ts";
import { systemClock } from "../../src/clock.ts";
import { temporaryFolder } from "../support/temporary-folder.ts";

interface Trust {
  readonly hub: Credentials;
  readonly ca: { readonly certificatePem: string };
  readonly crl?: { readonly pem: string } | undefined;
}

/** A bare responder with mutual TLS, and what it thinks of one router after another. */
async function responder({ hub, ca, crl }: Trust) {
  const context = {
    cert: hub.certificatePem,
    key: hub.keyPem,
    ca: [ca.certificatePem],
    ...(crl && { crl: [crl.pem] }),
  };
  const listener = tls.createServer({ ...context, requestCert: true, rejectUnauthorized: false });
  const verdicts: string[] = [];
  listener.on("secureConnection", (socket) => {
    verdicts.push(socket.authorized ? "authorized" : String(socket.authorizationError));
    socket.end("x");
  });
  listener.listen(0, "127.0.0.1");
  await once(listener, "listening");
  onTestFinished(() => void listener.close());
  const { port } = listener.address() as AddressInfo;
  return {
    listener,
    /** @returns the responder's verdict; the router has checked the hub's name before. */
    dial: async (nas: Credentials, servername = "localhost"): Promise<string | undefined> => {
      const socket = tls.connect({
        port,
        host: "127.0.0.1",
        servername,
        ca: [ca.certificatePem],
        cert: nas.certificatePem,
        key: nas.keyPem,
      });
      await once(socket, "data");
      socket.destroy();
      return verdicts.pop();
    },
  };
}

describe("certificates of openPki() in node:tls", () => {
  it("TLS-09 authorise each other, and a revoked router no more once the list is loaded", async () => {
    const pki = await openPki(await temporaryFolder(), { clock: systemClock, hubNames: ["hub.example.org"] });
    const [edge1, edge2] = [await pki.issueNas("edge-1"), await pki.issueNas("edge-2")];
    const before = await responder(pki);
    expect(await before.dial(edge1, "hub.example.org")).toBe("authorized");
    await pki.revokeNas("edge-1");
    const after = await responder(pki);
    expect(await after.dial(edge1)).toBe("CERT_REVOKED");
    expect(await after.dial(edge2)).toBe("authorized");
  });

  it("renew while a link is up: it stays, and the next handshake sees the new certificate", async () => {
    const folder = await temporaryFolder();
    const pki = await openPki(folder, { clock: systemClock });
    const nas = await pki.issueNas("edge-1");
    const { listener } = await responder(pki);
    listener.removeAllListeners("secureConnection");
    listener.on("secureConnection", (socket) => socket.pipe(socket));
    const { port } = listener.address() as AddressInfo;
    const router = { port, host: "127.0.0.1", ca: [pki.ca.certificatePem], cert: nas.certificatePem, key: nas.keyPem };
    const link = tls.connect({ ...router, servername: "localhost" });
    onTestFinished(() => void link.destroy());
    await once(link, "secureConnect");
    await openPki(folder, { clock: systemClock, hubNames: ["new.example.org"] });
    expect(await pki.renewIfDue()).toBe(true);
    listener.setSecureContext({ cert: pki.hub.certificatePem, key: pki.hub.keyPem, ca: [pki.ca.certificatePem] });
    const next = tls.connect({ ...router, servername: "new.example.org" });
    onTestFinished(() => void next.destroy());
    await once(next, "secureConnect");
    link.write("still here");
    expect(String((await once(link, "data"))[0])).toBe("still here");
  });
});

describe("certificates of makeThrowAwayPki() in node:tls", () => {
  it.each([
    ["authorized", {}],
    ["authorized", { san: "none" }],
    ["CERT_HAS_EXPIRED", { validity: "expired" }],
    ["CERT_NOT_YET_VALID", { validity: "not-yet-valid" }],
    ["INVALID_PURPOSE", { usage: "serverAuth" }],
  ] as const)("TLS-09 get %s for %j", async (verdict, certificate) => {
    const pki = await makeThrowAwayPki();
    const { dial } = await responder(pki);
    expect(await dial(await pki.nas("edge-1", certificate))).toBe(verdict);
  });

  it("TLS-09 get refused from another CA, whether it has the same name or its own", async () => {
    const [pki, same, other] = [
      await makeThrowAwayPki(),
      await makeThrowAwayPki(),
      await makeThrowAwayPki({ caName: "Another CA" }),
    ];
    const { dial } = await responder(pki);
    expect(await dial(await same.nas("edge-1"))).toBe("CERT_SIGNATURE_FAILURE");
    expect(await dial(await other.nas("edge-1"))).toBe("UNABLE_TO_VERIFY_LEAF_SIGNATURE");
  });
});

describe("openPki() in several processes", () => {
  const run = promisify(execFile);
  const program = (folder: string, name: string) => `
    import { openPki } from ${JSON.stringify(new URL("../../pki/development.ts", import.meta.url).href)};
    import { systemClock } from ${JSON.stringify(new URL("../../src/clock.ts", import.meta.url).href)};
    const pki = await openPki(${JSON.stringify(folder)}, { clock: systemClock, hubNames: ["hub.example.org"] });
    await pki.issueNas(${JSON.stringify(name)});
    console.log(JSON.stringify({ hub: pki.hub.certificatePem, serials: await pki.revokeNas(${JSON.stringify(name)}) }));
  `;

  it("started on a new folder at once agree on CA, hub certificate and all revocations", async () => {
    const folder = join(await temporaryFolder(), "pki");
    const printed = await Promise.all(
      ["edge-1", "edge-2", "edge-3", "edge-4"].map(async (name) => {
        const { stdout } = await run(process.execPath, ["--input-type=module", "--eval", program(folder, name)]);
        return JSON.parse(stdout) as { hub: string; serials: string[] };
      }),
    );
    const pki = await openPki(folder, { clock: systemClock, hubNames: ["hub.example.org"] });
    expect(new Set([pki.hub.certificatePem, ...printed.map(({ hub }) => hub)]).size).toBe(1);
    const certificate = new X509Certificate(pki.hub.certificatePem);
    expect(certificate.checkPrivateKey(createPrivateKey(pki.hub.keyPem))).toBe(true);
    expect(certificate.verify(new X509Certificate(pki.ca.certificatePem).publicKey)).toBe(true);
    const list = readRevocationList(await readFile(pki.crl?.file ?? "", "utf8"));
    expect(list?.serials).toEqual(new Set(printed.flatMap(({ serials }) => serials)));
  });
});
