/** An AAA server that sends Disconnect-Requests over UDP to the hub as if the hub were the router, and a simulated router
 *  behind RadSec that gets them: all in this process, on free ports, in a temporary folder that is gone afterwards. */
import { createSocket } from "node:dgram";
import { once } from "node:events";
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
import { ATTRIBUTE, firstInteger, textAttribute } from "../../src/radius/attribute.ts";
import { encodeRequest, SharedSecret, verifyResponse } from "../../src/radius/authenticator.ts";
import { CODE, codeName } from "../../src/radius/codes.ts";
import { Dictionary } from "../../src/radius/dictionary.ts";
import { decodeDatagram } from "../../src/radius/packet.ts";

const ONCE = process.argv.includes("--once");
const SECRET = "only-for-this-demo";
const REPLY_TIMEOUT_MS = 5_000;
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
udp: [{ name: dac, addresses: [127.0.0.1], dynauthPort: 0 }]
http: { enabled: false }
pki: { folder: ${JSON.stringify(join(folder, "pki"))} }
store: ${JSON.stringify(join(folder, "hub.db"))}
clients:
  - { name: aaa, transport: udp, match: { network: 127.0.0.1/32 }, secret: ${SECRET}, mayTrigger: true }
  - { name: demo-routers, match: { issuer: CN=radsec-hub development CA, admitEvery: true } }
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
const { radsec, udp } = await hub.start();
const radsecPort = [...radsec.values()][0]?.port ?? 0;
const dynauthPort = udp.get("dac")?.[0]?.port ?? 0;
say("hub", `RadSec on 127.0.0.1:${radsecPort}, Disconnect and CoA on UDP 127.0.0.1:${dynauthPort} (3799 in real life)`);

function tell(event: NasEvent): void {
  if (event.type === "received")
    say(event.nasIdentifier, `received ${codeName(event.code)} over TLS, ${event.verdict}`);
  if (event.type === "acct-ended") say(event.nasIdentifier, `${event.acctSession.username} is offline now`);
  if (event.type === "answered") say(event.nasIdentifier, `answered ${codeName(event.code)}`);
}

const issued = await hub.pki?.issueNas("router-1");
const router = new NasSimulator(
  { clock, random, onEvent: tell },
  {
    host: "127.0.0.1",
    port: radsecPort,
    nasIdentifier: "router-1",
    nasIpAddress: "192.168.88.1",
    tls: {
      ca: hub.pki?.ca.certificatePem ?? "",
      certificate: issued?.certificatePem ?? "",
      key: issued?.keyPem ?? "",
    },
  },
);
router.addAcctSession({ username: "alice", acctSessionId: "80000001", framedIp: "10.5.50.1" });
router.addAcctSession({ username: "bob", acctSessionId: "80000002", framedIp: "10.5.50.2" });
await router.start();
say("router-1", "dialled out and registered; alice and bob are online here");

/** What any AAA server does: one datagram, without Message-Authenticator, and one reply. */
async function disconnect(nasIdentifier: string, username: string, expected: number): Promise<void> {
  const secret = new SharedSecret(SECRET);
  const attributes = [
    textAttribute(ATTRIBUTE.nasIdentifier, nasIdentifier),
    textAttribute(ATTRIBUTE.userName, username),
  ];
  const octets = encodeRequest(CODE.disconnectRequest, 1, attributes, random.bytes(16), secret);
  const socket = createSocket("udp4");
  say("aaa", `Disconnect-Request over UDP for ${username} at ${nasIdentifier}`);
  socket.send(octets, dynauthPort, "127.0.0.1");
  const [answer] = (await once(socket, "message", { signal: AbortSignal.timeout(REPLY_TIMEOUT_MS) })) as [Buffer];
  socket.close();
  const reply = decodeDatagram(answer);
  const verdict = verifyResponse(reply, decodeDatagram(octets).authenticator, secret);
  const cause = firstInteger(reply.attributes, ATTRIBUTE.errorCause);
  const met = reply.code === expected && verdict === "ok";
  const text = `${codeName(reply.code)}${cause === undefined ? "" : `, Error-Cause ${cause}`}, authenticators ${verdict}`;
  say("aaa", styleText(met ? "green" : "red", text));
  if (!met) process.exitCode = 1;
}

await disconnect("router-1", "alice", CODE.disconnectAck);
await disconnect("router-9", "alice", CODE.disconnectNak);

async function stop(): Promise<void> {
  await router.stop();
  await hub.stop();
  await rm(folder, { recursive: true, force: true });
  say("demo", "everything is closed");
}

if (ONCE) await stop();
else {
  console.log(`
The hub stays up. Try it from another terminal, with radclient of FreeRADIUS:

  echo 'NAS-Identifier = "router-1", User-Name = "bob"' | radclient -x 127.0.0.1:${dynauthPort} disconnect ${SECRET}

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
