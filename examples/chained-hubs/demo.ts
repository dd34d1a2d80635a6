/** A hub at a site that dials out to the hub of the head office, as a router dials out to a hub, and a simulated router that
 *  knows only the hub of its site. Disconnects asked at the head office come down both links. All in this process, on free ports,
 *  in a temporary folder that is gone afterwards. */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { styleText } from "node:util";
import { systemClock, systemRandom } from "../../src/clock.ts";
import { problemText } from "../../src/config/problem.ts";
import { loadConfig } from "../../src/config.ts";
import { Hub } from "../../src/hub.ts";
import { openLog } from "../../src/log.ts";
import type { NasEvent } from "../../src/nas/nas-events.ts";
import { NasSimulator } from "../../src/nas/nas-simulator.ts";
import { codeName } from "../../src/radius/codes.ts";
import { Dictionary } from "../../src/radius/dictionary.ts";

const ONCE = process.argv.includes("--once");
const folder = await mkdtemp(join(tmpdir(), "radsec-hub-demo-"));
const clock = systemClock;
const random = systemRandom;
const dictionary = Dictionary.load(join(import.meta.dirname, "../../config/dictionaries"));
const began = performance.now();

function say(who: string, text: string): void {
  const at = ((performance.now() - began) / 1_000).toFixed(3).padStart(7);
  console.log(`${styleText("dim", at)}  ${styleText("cyan", who.padEnd(9))} ${text}`);
}

/** A hub of this configuration, not started yet. */
function hubOf(name: string, yaml: string): Hub {
  const common = `
node: { name: ${name} }
radsec: [{ address: 127.0.0.1, port: 0 }]
pki: { folder: ${JSON.stringify(join(folder, name, "pki"))} }
log: { level: warn, format: pretty }
`;
  const loaded = loadConfig(common + yaml, { file: `${name}.yaml`, env: {}, readFile: () => "" });
  if (!loaded.ok) throw new Error(loaded.problems.map(problemText).join("\n"));
  const hub = new Hub(loaded.config, { clock, random, log: openLog(loaded.config.log), version: "demo", dictionary });
  hub.events.subscribe((event) => {
    if (event.type === "link.up") say(name, `link up: ${event.peer} dialled in, ${event.protocol}`);
    if (event.type === "binding" && event.change === "bound")
      say(name, `${event.nasIdentifier} is reached by this link`);
  });
  return hub;
}

// The same key on both sides; certificates would do as well.
const PSK = `{ identity: site@example.net, key: "hex:${random.bytes(32).toString("hex")}" }`;

const office = hubOf(
  "office",
  `
http: { address: 127.0.0.1, port: 0 }
store: ${JSON.stringify(join(folder, "office", "hub.db"))}
clients: [{ name: site, match: { psk: ${PSK} }, role: hub }]
`,
);
const { radsec, http } = await office.start();
const api = `http://127.0.0.1:${http?.port}`;
say("office", `HTTP API on ${api}`);

const site = hubOf(
  "site",
  `
http: { enabled: false }
accounting: { enabled: false }
clients: [{ name: routers, match: { issuer: CN=radsec-hub development CA, admitEvery: true } }]
upstreams:
  servers:
    - { name: office, transport: radsec, host: 127.0.0.1, port: ${[...radsec.values()][0]?.port}, psk: ${PSK}, mayTrigger: true }
  pools: [{ name: office, servers: office }]
realms: [{ pool: office }]
`,
);
const dialled = new Promise<void>((resolve) => {
  site.events.subscribe(({ type }) => type === "upstream.up" && resolve());
});
const { radsec: radsecOfSite } = await site.start();
await dialled;
say("site", "has dialled out to the office, and passes on what its routers send");

function tell(event: NasEvent): void {
  if (event.type === "received")
    say(event.nasIdentifier, `received ${codeName(event.code)}, authenticators ${event.verdict}`);
  if (event.type === "acct-ended") say(event.nasIdentifier, `${event.acctSession.username} is offline now`);
  if (event.type === "answered") say(event.nasIdentifier, `answered ${codeName(event.code)}`);
}

const issued = await site.pki?.issueNas("router-1");
const tls = {
  ca: site.pki?.ca.certificatePem ?? "",
  certificate: issued?.certificatePem ?? "",
  key: issued?.keyPem ?? "",
};
const port = [...radsecOfSite.values()][0]?.port ?? 0;
const router = new NasSimulator(
  { clock, random, onEvent: tell },
  { host: "127.0.0.1", port, nasIdentifier: "router-1", nasIpAddress: "192.168.88.1", tls },
);
const alice = router.addAcctSession({ username: "alice", acctSessionId: "80000001", framedIp: "10.5.50.1" });
const bob = router.addAcctSession({ username: "bob", acctSessionId: "80000002", framedIp: "10.5.50.2" });
await router.start();
for (const acctSession of [alice, bob]) await router.sendAccounting("start", acctSession);
say("router-1", "alice and bob are online here; their accounting went through the site to the office");

async function call(path: string, expected: number): Promise<void> {
  say("caller", `POST ${path}`);
  const response = await fetch(api + path, { method: "POST" });
  const { outcome, code } = (await response.json()) as { outcome?: string; code?: string };
  const met = response.status === expected;
  say("caller", styleText(met ? "green" : "red", `HTTP ${response.status}: ${outcome ?? code}`));
  if (!met) process.exitCode = 1;
}

await call("/disconnect?nas_identifier=router-1&username=alice", 200);
await call("/disconnect?nas_identifier=router-1&username=alice", 409);
await call("/disconnect?nas_identifier=router-9&username=alice", 404);

async function stop(): Promise<void> {
  await router.stop();
  await site.stop();
  await office.stop();
  await rm(folder, { recursive: true, force: true });
  say("demo", "everything is closed");
}

if (ONCE) await stop();
else {
  console.log(`
Both hubs stay up. Try it from another terminal:

  curl -X POST '${api}/disconnect?username=bob'
  curl '${api}/v1/links'

Ctrl-C ends all of it.`);
  let stopping = false;
  for (const signal of ["SIGINT", "SIGTERM"] as const) {
    process.on(signal, () => {
      if (stopping) return;
      stopping = true;
      void stop();
    });
  }
}
