/** A hub with a quota of 1 GB, and a simulated router with three users. One of them crosses 80 % and is throttled, crosses 100 %
 *  and is disconnected, comes back and is disconnected again: all in this process, on free ports, in a temporary folder. */
import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { styleText } from "node:util";
import type { QuotaActed } from "../../src/events.ts";
import type { AcctSession } from "../../src/nas/acct-sessions.ts";
import type { NasEvent } from "../../src/nas/nas-events.ts";
import { type AcctStatus, NasSimulator } from "../../src/nas/nas-simulator.ts";
import { integerAttribute } from "../../src/radius/attribute.ts";
import { codeName } from "../../src/radius/codes.ts";
import { clock, dictionary, finish, hubOf, random, say } from "../stage.ts";

const ROUTER = "router-1";
const MEGABYTE = 1_000_000;
/** RFC 2866 Sections 5.4 and 5.7. */
const ACCT_OUTPUT_OCTETS = 43;
const ACCT_SESSION_TIME = 46;
const ACTED_WITHIN_MS = 10_000;
const AUDITED_WITHIN_MS = 1_000;

/** Megabytes by Acct-Session-Id. */
const used = new Map<string, number>();
/** The Stop that the router sent last. */
let stopped: Promise<void> = Promise.resolve();

/** The system of an operator that wants to know. */
const receiver = createServer((request, response) => {
  let body = "";
  request.on("data", (chunk) => {
    body += String(chunk);
  });
  request.on("end", () => {
    const { type, data } = JSON.parse(body) as { type: string; data: { username: string; threshold: number } };
    say("webhook", `${type}: ${data.username}, ${data.threshold} %`);
    response.writeHead(204).end();
  });
});
receiver.listen(0, "127.0.0.1");
await once(receiver, "listening");

const hub = hubOf(
  `
http: { address: 127.0.0.1, port: 0 }
clients: [{ name: demo-routers, match: { issuer: CN=radsec-hub development CA, admitEvery: true } }]
webhooks:
  - { name: operator, url: "http://127.0.0.1:${(receiver.address() as AddressInfo).port}/", secret: demo, topics: [quota.reached] }
quota:
  rules:
    - name: gigabyte
      period: total
      amount: 1GB
      thresholds:
        - percent: 80
          action: throttle
          attributes: { Mikrotik-Rate-Limit: 1M/1M }
          undo: { Mikrotik-Rate-Limit: 50M/50M }
        - percent: 100
          action: disconnect
`,
  { logLevel: "info" },
);
const { radsec, http } = await hub.start();
await hub.store?.ready(ACTED_WITHIN_MS);
const api = `http://127.0.0.1:${http?.port}`;

const issued = await hub.pki?.issueNas(ROUTER);
if (issued === undefined) throw new Error("the development PKI is off");
const router = new NasSimulator(
  { clock, random, onEvent: tell },
  {
    host: "127.0.0.1",
    port: [...radsec.values()][0]?.port ?? 0,
    nasIdentifier: ROUTER,
    nasIpAddress: "192.168.88.1",
    tls: { ca: hub.pki?.ca.certificatePem ?? "", certificate: issued.certificatePem, key: issued.keyPem },
  },
);
await router.start();

function tell(event: NasEvent): void {
  if (event.type === "received") say(ROUTER, `received ${codeName(event.code)}, authenticators ${event.verdict}`);
  if (event.type === "acct-changed") {
    const changed = dictionary.decode(event.acctSession.attributes);
    const limit = changed.find(({ name }) => name === "Mikrotik-Rate-Limit")?.value;
    say(ROUTER, styleText("yellow", `${event.acctSession.username} now surfs at ${limit}`));
  }
  if (event.type === "acct-ended") {
    say(ROUTER, styleText("red", `${event.acctSession.username} is offline now`));
    stopped = report("stop", event.acctSession, used.get(event.acctSession.acctSessionId) ?? 0);
  }
}

async function report(status: AcctStatus, acctSession: AcctSession, megabytes: number): Promise<void> {
  used.set(acctSession.acctSessionId, megabytes);
  const counters = [
    integerAttribute(ACCT_OUTPUT_OCTETS, megabytes * MEGABYTE),
    integerAttribute(ACCT_SESSION_TIME, megabytes), // as if a megabyte took a second
  ];
  const answer = await router.sendAccounting(status, acctSession, counters);
  const name = answer.kind === "reply" ? codeName(answer.code) : answer.kind;
  say(ROUTER, `${status} of ${acctSession.username}, ${megabytes} MB: ${name}`);
  if (answer.kind !== "reply") process.exitCode = 1;
}

/** Does something and waits until the hub has acted on it. */
async function acts(action: QuotaActed["action"], cause: () => Promise<void>): Promise<void> {
  const acted = Promise.withResolvers<void>();
  const end = hub.events.subscribe((event) => {
    if (event.type === "quota.acted" && event.action === action && event.next === "done") acted.resolve();
  });
  const cancel = clock.after(ACTED_WITHIN_MS, () => acted.reject(new Error(`no ${action} within 10 s`)));
  await cause();
  await acted.promise;
  cancel();
  end();
}

async function ask(path: string): Promise<void> {
  const response = await fetch(api + path);
  say("caller", `GET ${path}: HTTP ${response.status} ${await response.text()}`);
}

const login = (username: string, acctSessionId: string): AcctSession =>
  router.addAcctSession({ username, acctSessionId, attributes: dictionary.encode("Mikrotik-Rate-Limit", "50M/50M") });
const alice = login("alice", "81000001");
const others = [login("bob", "81000002"), login("carol", "81000003")];
for (const each of [alice, ...others]) await report("start", each, 0);
for (const each of others) await report("interim", each, 120);
await report("interim", alice, 500);
await acts("throttle", () => report("interim", alice, 850));
await ask("/v1/users/alice/usage");
await acts("disconnect", () => report("interim", alice, 1_050));
say("alice", "logs in again");
await acts("disconnect", () => report("start", login("alice", "81000004"), 0));
await stopped;
await ask("/v1/sessions?open=true");
await ask("/v1/sessions?username=alice");
// What has ended is written down some ten times a second.
await new Promise<void>((resolve) => clock.after(AUDITED_WITHIN_MS, resolve));
await ask("/v1/exchanges?username=alice");
say(ROUTER, `still online: ${[...router.acctSessions].map(({ username }) => username).join(", ")}`);

await finish(
  `
The hub stays up. Try it from another terminal:

  curl '${api}/v1/users/alice/usage'
  curl '${api}/v1/sessions?username=bob'
  curl -X POST '${api}/disconnect?username=bob'
`,
  async () => {
    await router.stop();
    await hub.stop();
    receiver.closeAllConnections();
    receiver.close();
  },
);
