/** A back end that knows three guests, the hub in front of it, and a router that asks over RADIUS/UDP: all in this process, on free
 *  ports, in a temporary folder that is gone afterwards. */
import { createSocket } from "node:dgram";
import { once } from "node:events";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { styleText } from "node:util";
import { systemClock, systemRandom } from "../../src/clock.ts";
import { problemText } from "../../src/config/problem.ts";
import { loadConfig } from "../../src/config.ts";
import { Hub } from "../../src/hub.ts";
import { openLog } from "../../src/log.ts";
import { ATTRIBUTE, textAttribute } from "../../src/radius/attribute.ts";
import { encodeRequest, SharedSecret, verifyResponse } from "../../src/radius/authenticator.ts";
import { CODE, codeName } from "../../src/radius/codes.ts";
import { Dictionary } from "../../src/radius/dictionary.ts";
import { hideUserPassword } from "../../src/radius/hidden.ts";
import { decodeDatagram } from "../../src/radius/packet.ts";
import { startBackEnd } from "./back-end.ts";

const ONCE = process.argv.includes("--once");
const SECRET = "only-for-this-demo";
const REPLY_TIMEOUT_MS = 10_000;
const folder = await mkdtemp(join(tmpdir(), "radsec-hub-rest-"));
const dictionary = Dictionary.load(join(import.meta.dirname, "../../config/dictionaries"));
const began = performance.now();

function say(who: string, text: string): void {
  const at = ((performance.now() - began) / 1_000).toFixed(3).padStart(7);
  console.log(`${styleText("dim", at)}  ${styleText("cyan", who.padEnd(9))} ${text}`);
}

const tell = (line: string): void => say("back end", line);
let backEnd = await startBackEnd(0, tell);
const { port } = backEnd;

const loaded = loadConfig(
  `
node: { name: demo }
radsec: [{ address: 127.0.0.1, port: 0 }]
udp: [{ name: routers, addresses: [127.0.0.1], authPort: 0, acctPort: 0, dynauthPort: 0 }]
http: { enabled: false }
pki: { folder: ${JSON.stringify(join(folder, "pki"))} }
store: ${JSON.stringify(join(folder, "hub.db"))}
clients: [{ name: routers, transport: udp, match: { network: 127.0.0.1/32 }, secret: ${SECRET} }]
log: { level: warn, format: pretty }
${await readFile(join(import.meta.dirname, "modules.yaml"), "utf8")}`,
  { file: "demo.yaml", env: { BACK_END_URL: `http://127.0.0.1:${port}` }, readFile: () => "", dictionary },
);
if (!loaded.ok) throw new Error(loaded.problems.map(problemText).join("\n"));

const hub = new Hub(loaded.config, {
  clock: systemClock,
  random: systemRandom,
  log: openLog(loaded.config.log),
  version: "demo",
  dictionary,
});
const { udp } = await hub.start();
const authPort = udp.get("routers")?.find(({ purpose }) => purpose === "auth")?.port ?? 0;
say("hub", `RADIUS on UDP 127.0.0.1:${authPort} (1812 in real life)`);

/** What a router does when somebody logs in at its page. */
async function login(username: string, password: string, expected: number): Promise<void> {
  const secret = new SharedSecret(SECRET);
  const authenticator = systemRandom.bytes(16);
  const attributes = [
    textAttribute(ATTRIBUTE.userName, username),
    { type: ATTRIBUTE.userPassword, value: hideUserPassword(Buffer.from(password), secret, authenticator) },
    textAttribute(ATTRIBUTE.callingStationId, "AA-BB-CC-00-00-01"),
    textAttribute(ATTRIBUTE.nasIdentifier, "hotspot-1"),
  ];
  const octets = encodeRequest(CODE.accessRequest, 1, attributes, authenticator, secret);
  const socket = createSocket("udp4");
  say("router", `Access-Request: ${username} with the password "${password}"`);
  socket.send(octets, authPort, "127.0.0.1");
  const [answer] = (await once(socket, "message", { signal: AbortSignal.timeout(REPLY_TIMEOUT_MS) })) as [Buffer];
  socket.close();
  const reply = decodeDatagram(answer);
  const told = dictionary.decode(reply.attributes).filter(({ type }) => type !== ATTRIBUTE.messageAuthenticator);
  const text = [codeName(reply.code), ...told.map(({ name, value }) => `${name} = ${value}`)].join(", ");
  const met = reply.code === expected && verifyResponse(reply, authenticator, secret) === "ok";
  say("router", styleText(met ? "green" : "red", text));
  if (!met) process.exitCode = 1;
}

await login("alice", "wonderland", CODE.accessAccept);
await login("alice", "looking-glass", CODE.accessReject);
await login("carol", "singers", CODE.accessReject);

say("back end", "is switched off");
backEnd.server.close();
backEnd.server.closeAllConnections();
await login("alice", "wonderland", CODE.accessAccept);
await login("bob", "builder", CODE.accessReject);

backEnd = await startBackEnd(port, tell);
say("back end", "is back");
await login("bob", "builder", CODE.accessAccept);

async function stop(): Promise<void> {
  await hub.stop();
  backEnd.server.close();
  backEnd.server.closeAllConnections();
  await rm(folder, { recursive: true, force: true });
  say("demo", "everything is closed");
}

if (ONCE) await stop();
else {
  console.log(`
The hub stays up. Try it from another terminal, with radclient of FreeRADIUS:

  echo 'User-Name = "bob", User-Password = "builder", NAS-Identifier = "hotspot-1", Message-Authenticator = 0x00' | radclient -x 127.0.0.1:${authPort} auth ${SECRET}

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
