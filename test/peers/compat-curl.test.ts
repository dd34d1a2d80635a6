import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { beforeEach, describe, expect, it } from "vitest";
import { packageFolder } from "../../src/cli/package-files.ts";
import { DJANGO_TOKEN } from "../support/compat-hub.ts";
import { needs } from "../support/freeradius.ts";
import { Program, runToEnd } from "../support/program.ts";
import { temporaryFolder } from "../support/temporary-folder.ts";

const SEED = join(import.meta.dirname, "../../../shared/seeds/001_405219da42240411.txt");

/** The curl calls of seed 001, letter by letter. */
const CALLS = [
  `curl -X POST http://localhost:8000/api/v1/authorize/ \\
         -H "Authorization: Bearer <token>" \\
         -d "username=<username>&password=<password>"`,
  `curl -X POST http://localhost:8000/api/v1/authorize/?token=<token> \\
         -d "username=<username>&password=<password>"`,
] as const;

/** A hub as a process of its own. @returns host and port of its HTTP API */
async function startHub(): Promise<string> {
  const folder = await temporaryFolder();
  const file = join(folder, "hub.yaml");
  await writeFile(
    file,
    `radsec: [{ address: 127.0.0.1, port: 0 }]
http: { address: 127.0.0.1, port: 0, compat: { djangoFreeradius: { token: ${DJANGO_TOKEN} } } }
pki: { folder: ${join(folder, "pki")} }
store: { url: "${join(folder, "hub.db")}" }
accounting: { enabled: true }
clients: [{ name: routers, match: { issuer: CN=radsec-hub development CA, admitEvery: true } }]
`,
  );
  const command = [join(packageFolder(), "bin/radsec-hub.cjs"), "serve", "--config", file];
  const hub = Program.start(process.execPath, command, { cwd: folder });
  await hub.says(/radsec-hub \S+ is ready/, 60_000);
  const [, host = ""] = await hub.says(/HTTP API on http:\/\/([\w.:]+)/);
  return host;
}

async function shell(line: string) {
  return runToEnd("/bin/sh", ["-c", line], "");
}

describe("the curl lines of seed 001", () => {
  beforeEach((context) => needs(context, "curl"));

  it("are those that the next test runs", async (context) => {
    const seed = await readFile(SEED, "utf8").catch(() => context.skip("../shared is not beside the checkout"));
    const indented = CALLS.map((call) => call.replaceAll("\n", "\n    ").replaceAll(/ {4}( {9}-)/g, "$1"));
    for (const call of indented) expect(seed).toContain(call);
    expect(seed.match(/\bcurl -X/g)).toHaveLength(CALLS.length);
  });

  it("work with a hub unchanged but for host and port, and what stands in < >", async () => {
    const host = await startHub();
    const user = `curl -s -o /dev/null -w '%{http_code}' -X PUT http://${host}/v1/users/alice -H 'Content-Type: application/json' -d '{"password":"wonderland"}'`;
    expect((await shell(user)).stdout).toMatch(/^20[01]$/);
    for (const call of CALLS) {
      const line = (password: string, token: string = DJANGO_TOKEN) =>
        call
          .replace("localhost:8000", host)
          .replace("<token>", token)
          .replace("<username>", "alice")
          .replace("<password>", password);
      expect((await shell(line("wonderland"))).stdout, call).toBe('{"control:Auth-Type":"Accept"}');
      const { stdout: head } = await shell(`${line("wrong")} -s -i`);
      expect(head).toMatch(/^HTTP\/1\.1 200 OK\r\n/);
      expect(head.toLowerCase()).toContain("content-length: 0\r\n");
      expect(head).not.toMatch(/^content-type:/im);
      const refused = await shell(`${line("wonderland", "x")} -s -w ' %{http_code}'`);
      expect(refused.stdout).toBe('{"detail":"Token authentication failed"} 403');
    }
  });
});
