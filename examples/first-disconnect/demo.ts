/** A hub, two simulated routers that dial out to it, one Disconnect and one CoA through the HTTP API: all in this process, on
 *  free ports, in a temporary folder that is gone afterwards. */
import { styleText } from "node:util";
import type { NasEvent } from "../../src/nas/nas-events.ts";
import { NasSimulator } from "../../src/nas/nas-simulator.ts";
import { codeName } from "../../src/radius/codes.ts";
import { clock, finish, folder, hubOf, random, say } from "../stage.ts";

const hub = hubOf(`
http: { address: 127.0.0.1, port: 0 }
clients: [{ name: demo-routers, match: { issuer: CN=radsec-hub development CA, admitEvery: true } }]
`);
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

await finish(
  `
The hub stays up. Try it from another terminal:

  curl -X POST '${api}/disconnect?nas_identifier=router-2&username=bob'     # ends bob's acct session; once more: 409, Error-Cause 503
  curl '${api}/coa' -H 'Content-Type: application/json' -d '${JSON.stringify(faster)}'
  curl '${api}/v1/links'
  curl '${api}/metrics'
`,
  async () => {
    await Promise.all(routers.map((router) => router.stop()));
    await hub.stop();
  },
);
