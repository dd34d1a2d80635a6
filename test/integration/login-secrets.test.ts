import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { beforeEach, expect, it } from "vitest";
import { openLog } from "../../src/log.ts";
import { withPassword } from "../support/aaa-hub.ts";
import { CHECK_TOKEN, DJANGO_TOKEN } from "../support/compat-hub.ts";
import { needs } from "../support/freeradius.ts";
import { radclient } from "../support/radclient.ts";
import { RunningHub } from "../support/running-hub.ts";
import { temporaryFolder } from "../support/temporary-folder.ts";

const SECRET = "secret-of-the-router-0001";
const RIGHT = "password-of-alice-0001";
const WRONG = "password-mistyped-0002";
const SHARED = "password-of-all-devices-0003";

/** The module log in every section, told to show whatever there is. */
const SHOWN =
  "[User-Password, CHAP-Password, CHAP-Challenge, MS-CHAP-Challenge, MS-CHAP-Response, MS-CHAP2-Response, Tunnel-Password, State, Class]";
const SECTIONS = `
  authorize: [log, proxy, mac, users, chap, mschap, pap, quota, log]
  authenticate: { PAP: [log, pap], CHAP: [log, chap], MS-CHAP: [log, mschap], MAC: [log, mac] }
  postauth: [plan, quota, log]
  postauthReject: [log]
  accounting: [log, sessions]`;

async function hotspot() {
  const file = join(await temporaryFolder(), "hub.log");
  const log = openLog({ level: "trace", format: "json", file });
  const running = await RunningHub.start({
    log,
    yaml: `
accounting: { enabled: true }
udp: [{ name: legacy, addresses: [127.0.0.1], authPort: 0, acctPort: 0, rejectDelay: { min: 1s, max: 1s } }]
clients: [{ name: router, transport: udp, match: { network: 127.0.0.1/32 }, secret: ${SECRET} }]
http:
  address: 127.0.0.1
  port: 0
  compat: { radiusCheck: { token: ${CHECK_TOKEN} }, djangoFreeradius: { token: ${DJANGO_TOKEN} }, userTokens: true }
modules:
  instances:
    - { module: log, settings: { level: debug, attributes: ${SHOWN} } }
    - { module: mac, settings: { password: ${SHARED} } }
  sections: ${SECTIONS.replaceAll("\n", "\n  ")}`,
  });
  await running.hub.store?.ready(10_000);
  await running.hub.store?.users.put(withPassword("alice", RIGHT));
  const at = (purpose: string) =>
    `127.0.0.1:${running.addresses.udp.get("legacy")?.find((each) => each.purpose === purpose)?.port}`;
  const shown = async (): Promise<string> => {
    log.flush();
    return readFile(file, "utf8");
  };
  return { running, auth: at("auth"), acct: at("acct"), shown };
}

beforeEach((context) => needs(context, "radclient"));

it("invariant 10: no password is in the log, the metrics, the API or an event, by whatever method somebody logs in", async () => {
  const { running, auth, acct, shown } = await hotspot();
  const said: string[] = [];
  const log = (...attributes: readonly string[]) =>
    radclient(auth, "auth", SECRET, ["Message-Authenticator = 0x00", 'NAS-Identifier = "nas-07"', ...attributes], {
      timeoutS: 8,
    });
  const methods = ["User-Password", "CHAP-Password", "MS-CHAP-Password"];
  const alice = methods.flatMap((method) =>
    [RIGHT, WRONG].map((password) => log('User-Name = "alice"', `${method} = "${password}"`)),
  );
  const device = ['User-Name = "001122aabbcc"', 'Calling-Station-Id = "00-11-22-AA-BB-CC"'];
  const others = [
    log(`User-Name = "nobody"`, `User-Password = "${WRONG}"`),
    log(...device, `User-Password = "${SHARED}"`),
    log(...device, `CHAP-Password = "${SHARED}"`),
  ];
  const replies = (await Promise.all([...alice, ...others])).map(({ reply }) => reply);
  expect(replies.filter((reply) => reply === "Access-Accept")).toHaveLength(3);
  const record = [
    "Acct-Status-Type = Start",
    'Acct-Session-Id = "a1"',
    'User-Name = "alice"',
    'NAS-Identifier = "nas-07"',
  ];
  await radclient(acct, "acct", SECRET, record);

  const call = async (method: string, path: string, body?: unknown, authorization?: string) => {
    const headers = { "content-type": "application/json", ...(authorization && { authorization }) };
    const sent = body === undefined ? {} : { body: JSON.stringify(body) };
    const answer = await fetch(running.api + path, { method, headers, ...sent });
    said.push(JSON.stringify([...answer.headers]), await answer.text());
  };
  for (const password of [RIGHT, WRONG]) {
    const login = { username: "alice", password };
    await call("POST", "/api/auth/radius-check", login, `Bearer ${CHECK_TOKEN}`);
    await call("POST", "/api/v1/authorize/", login, `Bearer ${DJANGO_TOKEN}`);
    await call("POST", "/api/v1/authorize/", { ...login, username: [password] }, `Bearer ${DJANGO_TOKEN}`);
    await call("POST", `/api/v1/postauth/?token=${DJANGO_TOKEN}`, { ...login, reply: "Access-Reject" });
  }
  for (const path of ["links", "users", "users/alice", "sessions", "sessions?format=csv", "post-auths", "exchanges"]) {
    await call("GET", `/v1/${path}`);
  }
  await call("GET", "/v1/users?format=csv");
  await call("GET", "/metrics");
  await running.stop();

  const logged = await shown();
  expect(logged.split("\n").filter((line) => line.includes('"module":"log"')).length).toBeGreaterThan(20);
  const text = [logged, ...said, JSON.stringify(running.events)].join("\n");
  for (const secret of [RIGHT, WRONG, SHARED, SECRET, CHECK_TOKEN, DJANGO_TOKEN]) {
    for (const form of [secret, Buffer.from(secret).toString("hex"), btoa(secret)]) expect(text).not.toContain(form);
  }
}, 60_000);
