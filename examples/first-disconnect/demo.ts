/** A hub, two simulated routers that dial out to it, one Disconnect and one CoA through the HTTP API: all in this process, on
 *  free ports, in a temporary folder that is gone afterwards. */
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
import { Dictionary } from "../../src/radius/dictionary.ts";
import { codeName } from "../../src/radius/codes.ts";

const ONCE = process.argv.includes("--once");
const folder = await mkdtemp(join(tmpdir(), "radsec-hub-demo-"));
const clock = systemClock;
const random = systemRandom;
const began = performance.now();

function say(who: string, text: string): void {
  const at = ((performance.now() - began) / 1_000).toFixed(3).padStart(7);
  console.log(`${styleText("dim", at)}  ${styleText("cyan", who.padEnd(9))} ${text}`);
}

const loaded = loadConfig(
  `
node: { name: demo }
radsec: [{ address: 127.0.0.1, port: 0 }]
http: { address: 127.0.0.1, port: 0 }
store: ${JSON.stringify(join(folder, "hub.db"))}
pki: { folder: ${JSON.stringify(join(folder, "pki"))} }
clients: [{ name: demo-routers, match: { issuer: CN=radsec-hub development CA, admitEvery: true } }]
log: { level: warn, format: pretty }
`,
  { file: "demo.yaml", env: {}, readFile: () => "" },
);
if (!loaded.ok) throw new Error(loaded.problems.map(problemText).join("\n"));

const hub = new Hub(loaded.config, {
  clock,
  random,
  log: openLog(loaded.config.log),
  version: "demo",
  dictionary: Dictionary.load(join(import.meta.dirname, "../../config/dictionaries")),
});
hub.events.subscribe((event) => {
  if (event.type === "link.up")
    say("hub", `link up: ${event.peer} dialled in from port ${event.port}, ${event.protocol}`);
  if (event.type === "binding")
    say(
      "hub",
      `NAS-Identifier ${event.nasIdentifier} is ${event.change === "bound" ? "bound to this peer" : event.change}`,
    );
  if (event.type === "link.down") say("hub", `link down: ${event.peer}, ${event.reason}`);
});

const { radsec, http } = await hub.start();
const radsecPort = [...radsec.values()][0]?.port ?? 0;
const api = `http://127.0.0.1:${http?.port}`;
say("hub", `RadSec on 127.0.0.1:${radsecPort}, HTTP API on ${api}, development CA in ${folder}`);

const routers: NasSimulator[] = [];
for (const [number, user] of [
  [1, "alice"],
  [2, "bob"],
] as const) {
  const nasIdentifier = `router-${number}`;
  const issued = await hub.pki?.issueNas(nasIdentifier);
  if (issued === undefined) throw new Error("the development PKI is off");
  const router = new NasSimulator(
    { clock, random, onEvent: tell },
    {
      host: "127.0.0.1",
      port: radsecPort,
      nasIdentifier,
      nasIpAddress: `192.168.88.${number}`,
      tls: { ca: hub.pki?.ca.certificatePem ?? "", certificate: issued.certificatePem, key: issued.keyPem },
    },
  );
  router.addAcctSession({ username: user, acctSessionId: `8000000${number}`, framedIp: `10.5.50.${number}` });
  await router.start();
  say(nasIdentifier, `connected and registered; ${user} is online here`);
  routers.push(router);
}

function tell(event: NasEvent): void {
  if (event.type === "received") {
    say(
      event.nasIdentifier,
      `received ${codeName(event.code)}, Identifier ${event.identifier}, authenticators ${event.verdict}`,
    );
  }
  if (event.type === "acct-ended") say(event.nasIdentifier, `${event.acctSession.username} is offline now`);
  if (event.type === "acct-changed")
    say(event.nasIdentifier, `the acct session of ${event.acctSession.username} has changed`);
  if (event.type === "answered") say(event.nasIdentifier, `answered ${codeName(event.code)}`);
}

async function call(path: string, body?: object): Promise<void> {
  const json = body === undefined ? undefined : JSON.stringify(body);
  say("caller", `POST ${path} ${json ?? ""}`);
  const headers = { "Content-Type": "application/json" };
  const response = await fetch(api + path, { method: "POST", ...(json !== undefined && { headers, body: json }) });
  const answer = (await response.json()) as { outcome?: string; reply?: { name?: string }; duration_ms?: number };
  const text = `HTTP ${response.status}: ${answer.outcome}, ${answer.reply?.name} after ${answer.duration_ms?.toFixed(1)} ms`;
  say("caller", styleText(response.ok ? "green" : "red", text));
  if (!response.ok) process.exitCode = 1;
}

const faster = { nas_identifier: "router-2", username: "bob", attributes: { "Mikrotik-Rate-Limit": "2M/10M" } };
await call("/disconnect?nas_identifier=router-1&username=alice");
await call("/coa", faster);

async function stop(): Promise<void> {
  await Promise.all(routers.map((router) => router.stop()));
  await hub.stop();
  await rm(folder, { recursive: true, force: true });
  say("demo", "everything is closed");
}

if (ONCE) await stop();
else {
  console.log(`
The hub stays up. Try it from another terminal:

  curl -X POST '${api}/disconnect?nas_identifier=router-2&username=bob'     # ends bob's acct session; once more: 409, Error-Cause 503
  curl '${api}/coa' -H 'Content-Type: application/json' -d '${JSON.stringify(faster)}'
  curl '${api}/v1/links'
  curl '${api}/metrics'

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
