import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { packageFolder } from "../../src/cli/package-files.ts";
import { systemRandom } from "../../src/clock.ts";
import { firstValue } from "../../src/radius/attribute.ts";
import { encodeRequest } from "../../src/radius/authenticator.ts";
import { CODE } from "../../src/radius/codes.ts";
import { hideUserPassword } from "../../src/radius/hidden.ts";
import { Program } from "./program.ts";
import { temporaryFolder } from "./temporary-folder.ts";
import { NAS, SECRET, UdpHost, USER } from "./udp-fixture.ts";

export const RADSEC_HUB = join(packageFolder(), "bin/radsec-hub.cjs");
const READY = /radsec-hub \S+ is ready/;
export const RELOADED = /configuration applied|configuration read: nothing changed/;

/** A module that answers for itself, so that a test sees which file is in use. */
export const greeting = (text: string) => `import { defineModule, z } from "radsec-hub/module";
export const module = defineModule({
  name: "greeting",
  settings: z.strictObject({}),
  instantiate: () => ({
    authorize(request) {
      request.control.authType = "Accept";
      request.reply.add("Reply-Message", ${JSON.stringify(text)});
      return "updated";
    },
  }),
});
`;

let asked = 0;

/** What a router is told: the code, and Reply-Message. */
export async function ask(
  port: number,
  password = "",
): Promise<{ readonly code: number; readonly message: string | undefined }> {
  const host = await UdpHost.open();
  const authenticator = systemRandom.bytes(16);
  const hidden = { type: 2, value: hideUserPassword(Buffer.from(password), SECRET, authenticator) };
  const octets = encodeRequest(CODE.accessRequest, (asked += 1), [NAS, USER, hidden], authenticator, SECRET);
  const reply = await host.ask(octets, port);
  return { code: reply.code, message: firstValue(reply.attributes, 18)?.toString() };
}

/** A folder with hub.yaml and modules of its own. */
export async function prepare(modules: string): Promise<{ folder: string; file: string; own: string }> {
  const folder = await temporaryFolder();
  const own = join(folder, "own");
  await mkdir(own);
  const file = join(folder, "hub.yaml");
  await writeFile(
    file,
    `radsec: [{ address: 127.0.0.1, port: 0 }]
udp: [{ name: legacy, addresses: [127.0.0.1], authPort: 0, acctPort: 0, dynauthPort: 0 }]
http: { address: 127.0.0.1, port: 0 }
pki: { folder: ${join(folder, "pki")} }
store: ${join(folder, "hub.db")}
clients: [{ name: four, transport: udp, match: { network: 127.0.0.1/32 }, secret: ${SECRET.octets.toString()} }]
modules:
  folder: ${own}
${modules}
`,
  );
  return { folder, file, own };
}

/** A hub of its own process. @param env more of its environment */
export async function serve(
  folder: string,
  file: string,
  env: NodeJS.ProcessEnv = {},
): Promise<{ hub: Program; port: number }> {
  const words = [RADSEC_HUB, "serve", "--config", file];
  const hub = Program.start(process.execPath, words, { cwd: folder, env: { ...process.env, ...env } });
  await hub.says(READY, 60_000);
  const [, port] = /UDP listener legacy: auth on 127\.0\.0\.1 port (\d+)/.exec(hub.output) ?? [];
  return { hub, port: Number(port) };
}
