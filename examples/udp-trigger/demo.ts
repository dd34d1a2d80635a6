/** An AAA server that sends Disconnect-Requests over UDP to the hub as if the hub were the router, and a simulated router
 *  behind RadSec that gets them: all in this process, on free ports, in a temporary folder that is gone afterwards. */
import { createSocket } from "node:dgram";
import { once } from "node:events";
import { styleText } from "node:util";
import type { NasEvent } from "../../src/nas/nas-events.ts";
import { NasSimulator } from "../../src/nas/nas-simulator.ts";
import { ATTRIBUTE, firstInteger, textAttribute } from "../../src/radius/attribute.ts";
import { encodeRequest, SharedSecret, verifyResponse } from "../../src/radius/authenticator.ts";
import { CODE, codeName } from "../../src/radius/codes.ts";
import { decodeDatagram } from "../../src/radius/packet.ts";
import { clock, finish, hubOf, random, say } from "../stage.ts";

const SECRET = "only-for-this-demo";
const REPLY_TIMEOUT_MS = 5_000;

const hub = hubOf(`
udp: [{ name: dac, addresses: [127.0.0.1], dynauthPort: 0 }]
http: { enabled: false }
clients:
  - { name: aaa, transport: udp, match: { network: 127.0.0.1/32 }, secret: ${SECRET}, mayTrigger: true }
  - { name: demo-routers, match: { issuer: CN=radsec-hub development CA, admitEvery: true } }
`);
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

await finish(
  `
The hub stays up. Try it from another terminal, with radclient of FreeRADIUS:

  echo 'NAS-Identifier = "router-1", User-Name = "bob"' | radclient -x 127.0.0.1:${dynauthPort} disconnect ${SECRET}
`,
  async () => {
    await router.stop();
    await hub.stop();
  },
);
