import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { openPki } from "../../pki/development.ts";
import { systemClock } from "../../src/clock.ts";
import { AaaHub } from "../support/aaa-hub.ts";
import { HttpBackEnd, json } from "../support/http-back-end.ts";
import { temporaryFolder } from "../support/temporary-folder.ts";

const ACCEPT = json(200, { "control:Auth-Type": "Accept" });

/** An https: back end that wants a certificate of its CA, and the files to reach it with. */
async function start() {
  const folder = await temporaryFolder();
  const pki = await openPki(join(folder, "pki"), { clock: systemClock, hubNames: ["api.example.net"] });
  const other = await openPki(join(folder, "other"), { clock: systemClock, hubNames: [] });
  const client = await pki.issueNas("radsec-hub");
  if (client === undefined) throw new Error("no certificate");
  const files = {
    ca: pki.ca.certificatePem,
    otherCa: other.ca.certificatePem,
    cert: client.certificatePem,
    key: client.keyPem,
  };
  const paths = Object.fromEntries(
    await Promise.all(
      Object.entries(files).map(async ([name, pem]) => {
        const path = join(folder, `${name}.pem`);
        await writeFile(path, pem);
        return [name, path] as const;
      }),
    ),
  ) as Readonly<Record<keyof typeof files, string>>;
  const backEnd = await HttpBackEnd.start(ACCEPT, {
    cert: pki.hub.certificatePem,
    key: pki.hub.keyPem,
    ca: pki.ca.certificatePem,
    requestCert: true,
    rejectUnauthorized: true,
  });
  return { backEnd, paths };
}

async function ask(backEnd: HttpBackEnd, tls: string): Promise<string | undefined> {
  const hub = await AaaHub.start({
    yaml: `
modules:
  instances: [{ module: rest, settings: { url: "${backEnd.origin}", tls: ${tls}, authorize: { uri: /, body: json } } }]
  sections: { authorize: [rest], postauth: [] }`,
  });
  return (await hub.auth('User-Name = "bob"', 'User-Password = "secret"')).reply;
}

describe("rest over https:", () => {
  it("asks a back end of its CA, with its certificate, under the name that it is to have", async () => {
    const { backEnd, paths } = await start();
    const own = `certificateFile: ${paths.cert}, keyFile: ${paths.key}`;
    expect(await ask(backEnd, `{ caFiles: [${paths.ca}], ${own}, serverName: api.example.net }`)).toBe("Access-Accept");
    expect(backEnd.seen.length).toBe(1);
  });

  it.each([
    [
      "of another CA",
      (paths: Record<string, string>) =>
        `caFiles: [${paths["otherCa"]}], certificateFile: ${paths["cert"]}, keyFile: ${paths["key"]}, serverName: api.example.net`,
    ],
    [
      "of no CA that Node knows",
      (paths: Record<string, string>) =>
        `certificateFile: ${paths["cert"]}, keyFile: ${paths["key"]}, serverName: api.example.net`,
    ],
    [
      "of another name",
      (paths: Record<string, string>) =>
        `caFiles: [${paths["ca"]}], certificateFile: ${paths["cert"]}, keyFile: ${paths["key"]}, serverName: other.example.net`,
    ],
    [
      "that wants a certificate, without one",
      (paths: Record<string, string>) => `caFiles: [${paths["ca"]}], serverName: api.example.net`,
    ],
  ])("says nothing to a back end %s", async (_, tls) => {
    const { backEnd, paths } = await start();
    expect(await ask(backEnd, `{ ${tls(paths)} }`)).toBe("Access-Reject");
    expect(backEnd.seen).toEqual([]);
  });
});
