/** A hub at a site that dials out to the hub of the head office, as a router dials out to a hub, and a simulated router that
 *  knows only the hub of its site. Disconnects asked at the head office come down both links. All in this process, on free ports,
 *  in a temporary folder that is gone afterwards. */
import { styleText } from "node:util";
import type { Hub } from "../../src/hub.ts";
import type { NasEvent } from "../../src/nas/nas-events.ts";
import { NasSimulator } from "../../src/nas/nas-simulator.ts";
import { codeName } from "../../src/radius/codes.ts";
import { clock, finish, hubOf, random, say } from "../stage.ts";

/** A hub of this name that tells what it learns; not started yet. */
function tellingHub(name: string, yaml: string): Hub {
  const hub = hubOf(yaml, { name });
  hub.events.subscribe((event) => {
    if (event.type === "link.up") say(name, `link up: ${event.peer} dialled in, ${event.protocol}`);
    if (event.type === "binding" && event.change === "bound")
      say(name, `${event.nasIdentifier} is reached by this link`);
  });
  return hub;
}

// The same key on both sides; certificates would do as well.
const PSK = `{ identity: site@example.net, key: "hex:${random.bytes(32).toString("hex")}" }`;

const office = tellingHub(
  "office",
  `
http: { address: 127.0.0.1, port: 0 }
clients: [{ name: site, match: { psk: ${PSK} }, role: hub }]
`,
);
const { radsec, http } = await office.start();
const api = `http://127.0.0.1:${http?.port}`;
say("office", `HTTP API on ${api}`);

const site = tellingHub(
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

await finish(
  `
Both hubs stay up. Try it from another terminal:

  curl -X POST '${api}/disconnect?username=bob'
  curl '${api}/v1/links'
`,
  async () => {
    await router.stop();
    await site.stop();
    await office.stop();
  },
);
