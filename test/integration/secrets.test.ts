import { readFile } from "node:fs/promises";
import { connect } from "node:tls";
import { join } from "node:path";
import { expect, it, onTestFinished } from "vitest";
import { systemRandom } from "../../src/clock.ts";
import { openLog } from "../../src/log.ts";
import { textAttribute } from "../../src/radius/attribute.ts";
import { encodeRequest, RADSEC_SECRET, SharedSecret } from "../../src/radius/authenticator.ts";
import { CODE } from "../../src/radius/codes.ts";
import { hideUserPassword } from "../../src/radius/hidden.ts";
import { freeUdpPort } from "../support/free-port.ts";
import { RawNas } from "../support/raw-nas.ts";
import { RunningHub } from "../support/running-hub.ts";
import { temporaryFolder } from "../support/temporary-folder.ts";
import { UdpHost } from "../support/udp-fixture.ts";

const SECRET = {
  udp: "secret-of-the-udp-router",
  upstream: "secret-of-the-upstream-server",
  psk: "pre-shared-key-of-a-small-site-0001",
  token: "token-of-the-billing-system-0001",
  basic: "password-of-the-operator-0001",
  webhook: "secret-of-the-webhook-0001",
  authorization: "Bearer token-of-the-quota-endpoint",
  heartbeat: "password-of-the-heartbeat-0001",
  user: "password-of-alice-0001",
  wrongToken: "token-that-somebody-guessed",
};

function yaml(upstreamPort: number): string {
  return `
radsec: [{ address: 127.0.0.1, port: 0 }]
udp: [{ name: old, addresses: [127.0.0.1], authPort: 0 }]
clients:
  - { name: routers, match: { issuer: CN=radsec-hub development CA, admitEvery: true } }
  - { name: legacy, transport: udp, match: { network: 127.0.0.1/32 }, secret: ${SECRET.udp} }
  - { name: site, match: { psk: [{ identity: site-1, key: ${SECRET.psk}, tls: TLSv1.2 }] } }
http:
  address: 127.0.0.1
  port: 0
  tokens: [{ name: billing, token: ${SECRET.token}, role: admin }]
  basic: [{ name: noc, password: ${SECRET.basic}, role: monitor }]
accounting: { enabled: true }
upstreams:
  servers: [{ name: aaa, transport: udp, host: 127.0.0.1, authPort: ${upstreamPort}, secret: ${SECRET.upstream}, replyTimeout: 500ms }]
  pools: [{ name: home, servers: aaa, timeout: 1s }]
realms: [{ realm: home.example, pool: home }]
heartbeat: { password: ${SECRET.heartbeat} }
webhooks: [{ name: hook, url: "http://127.0.0.1:9/hook", secret: ${SECRET.webhook}, topics: [exchange.ended] }]
quota:
  rules:
    - { name: day, counts: both, period: day, amount: 1GB, thresholds: [{ percent: 100, action: disconnect }],
        verdict: { url: "http://127.0.0.1:9/quota", authorization: ${SECRET.authorization}, whenDown: allow } }
`;
}

/** What a router asks about alice, her password hidden. */
function accessRequest(secret: SharedSecret, username: string): Buffer {
  const authenticator = systemRandom.bytes(16);
  const hidden = hideUserPassword(Buffer.from(SECRET.user), secret, authenticator);
  const attributes = [
    textAttribute(1, username),
    { type: 2, value: hidden },
    textAttribute(32, "nas-07"),
    textAttribute(44, "a1"),
  ];
  return encodeRequest(CODE.accessRequest, 1, attributes, authenticator, secret);
}

it("invariant 10: no secret, password, token or key is in the log, an answer of the API, a metric or an event, whatever happens", async () => {
  const file = join(await temporaryFolder(), "hub.log");
  const log = openLog({ level: "trace", format: "json", file });
  const running = await RunningHub.start({ yaml: yaml(await freeUdpPort()), log });
  const said: string[] = [];
  const call = async (method: string, path: string, body?: unknown, authorization = `Bearer ${SECRET.token}`) => {
    const headers = { authorization, "content-type": "application/json" };
    const answer = await fetch(running.api + path, {
      method,
      headers,
      ...(body !== undefined && { body: JSON.stringify(body) }),
    });
    said.push(JSON.stringify([...answer.headers]), await answer.text());
    return answer.status;
  };

  expect(await call("PUT", "/v1/users/alice", { password: SECRET.user })).toBe(201);
  const credentials = await running.credentials("nas-07");
  const nas = await RawNas.dial(running.radsecPort, credentials);
  await nas.register("nas-07");
  nas.send(accessRequest(RADSEC_SECRET, "alice"));
  await nas.packet(1);
  nas.send(accessRequest(RADSEC_SECRET, "alice@home.example")); // its upstream is silent
  nas.send(encodeRequest(CODE.accountingRequest, 2, [textAttribute(1, "alice")], Buffer.alloc(16), RADSEC_SECRET));
  await nas.packet(2);

  const router = await UdpHost.open();
  const authPort = running.addresses.udp.get("old")?.[0]?.port ?? 0;
  await router.ask(accessRequest(new SharedSecret(SECRET.udp), "alice"), authPort, {
    secret: new SharedSecret(SECRET.udp),
  });
  router.send(accessRequest(new SharedSecret("a wrong secret"), "alice"), authPort);
  await running.event("packet.dropped");

  const wrongPsk = connect({
    port: running.radsecPort,
    host: "127.0.0.1",
    maxVersion: "TLSv1.2",
    ciphers: "PSK",
    pskCallback: () => ({ identity: "site-1", psk: Buffer.from("another key of the same length..") }),
    checkServerIdentity: () => undefined,
  }).on("error", () => undefined);
  onTestFinished(() => void wrongPsk.destroy());
  await running.event("handshake.refused");

  const disconnect = call("POST", "/disconnect?nas_identifier=nas-07&username=alice");
  nas.answer(await nas.packet(3));
  expect(await disconnect).toBe(200);
  expect(await call("GET", "/v1/links", undefined, `Bearer ${SECRET.wrongToken}`)).toBe(401);
  expect(await call("GET", "/v1/links", undefined, `Basic ${btoa(`noc:${SECRET.wrongToken}`)}`)).toBe(401);
  expect(await call("POST", "/disconnect", { nas_identifier: "nas-07", pasword: SECRET.user })).toBe(422);
  for (const path of [
    "links",
    "bindings",
    "exchanges",
    "sessions",
    "users",
    "users/alice",
    "users/alice/usage",
    "webhooks",
  ])
    expect(await call("GET", `/v1/${path}`), path).toBe(200);
  for (const path of ["/metrics", "/ready", "/live"]) await call("GET", path);
  await running.stop();
  log.flush();

  const text = [await readFile(file, "utf8"), ...said, JSON.stringify(running.events)].join("\n");
  expect(text).toContain("nas-07");
  for (const secret of [...Object.values(SECRET), credentials.key]) {
    for (const form of [secret, Buffer.from(secret).toString("hex"), btoa(secret)]) expect(text).not.toContain(form);
  }
}, 60_000);
