/** A back end that knows three guests, the hub in front of it, and a router that asks over RADIUS/UDP: all in this process, on free
 *  ports, in a temporary folder that is gone afterwards. */
import { createSocket } from "node:dgram";
import { once } from "node:events";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { styleText } from "node:util";
import { ATTRIBUTE, textAttribute } from "../../src/radius/attribute.ts";
import { encodeRequest, SharedSecret, verifyResponse } from "../../src/radius/authenticator.ts";
import { CODE, codeName } from "../../src/radius/codes.ts";
import { hideUserPassword } from "../../src/radius/hidden.ts";
import { decodeDatagram } from "../../src/radius/packet.ts";
import { dictionary, finish, hubOf, random, say } from "../stage.ts";
import { startBackEnd } from "./back-end.ts";

const SECRET = "only-for-this-demo";
const REPLY_TIMEOUT_MS = 10_000;

const tell = (line: string): void => say("back end", line);
let backEnd = await startBackEnd(0, tell);
const { port } = backEnd;

const hub = hubOf(
  `
udp: [{ name: routers, addresses: [127.0.0.1], authPort: 0, acctPort: 0, dynauthPort: 0 }]
http: { enabled: false }
clients: [{ name: routers, transport: udp, match: { network: 127.0.0.1/32 }, secret: ${SECRET} }]
${await readFile(join(import.meta.dirname, "modules.yaml"), "utf8")}`,
  { env: { BACK_END_URL: `http://127.0.0.1:${port}` } },
);
const { udp } = await hub.start();
const authPort = udp.get("routers")?.find(({ purpose }) => purpose === "auth")?.port ?? 0;
say("hub", `RADIUS on UDP 127.0.0.1:${authPort} (1812 in real life)`);

/** What a router does when somebody logs in at its page. */
async function login(username: string, password: string, expected: number): Promise<void> {
  const secret = new SharedSecret(SECRET);
  const authenticator = random.bytes(16);
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

await finish(
  `
The hub stays up. Try it from another terminal, with radclient of FreeRADIUS:

  echo 'User-Name = "bob", User-Password = "builder", NAS-Identifier = "hotspot-1", Message-Authenticator = 0x00' | radclient -x 127.0.0.1:${authPort} auth ${SECRET}
`,
  async () => {
    await hub.stop();
    backEnd.server.close();
    backEnd.server.closeAllConnections();
  },
);
