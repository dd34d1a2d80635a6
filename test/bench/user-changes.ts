/** Users by the thousand: a plan that many who are online have is changed, the hub is killed in the middle of another change, many
 *  log in for the first time at once, and all of them are exported and imported. Run by itself:
 *
 *  node test/bench/user-changes.ts [acct sessions online, 10000] [logins at once, 500] */
import { setTimeout as sleep } from "node:timers/promises";
import type { AccountingHubCommands } from "./accounting-hub-process.ts";
import { BenchProcess } from "./bench-process.ts";
import type { Cost } from "./gauge.ts";
import type { HubPorts } from "./hub-under-test.ts";
import { OnlineRouter } from "./online-router.ts";
import { StageFolder } from "./stage-folder.ts";

const [ONLINE = 10_000, LOGINS = 500] = process.argv.slice(2).map(Number);
const LINKS = 8;
const REPEAT_MS = 3_000;
const ACCEPT = 2;

interface Running {
  readonly hub: BenchProcess<AccountingHubCommands>;
  readonly ports: HubPorts;
  readonly routers: readonly OnlineRouter[];
}

async function start(folder: StageFolder): Promise<Running> {
  const hub = new BenchProcess<AccountingHubCommands>("accounting-hub-process.ts");
  const yaml = `${folder.radsec}
http: { address: 127.0.0.1, port: 0 }
clients: [{ name: routers, match: { issuer: CN=radsec-hub throw-away CA, admitEvery: true }, vendor: mikrotik }]
store: ${folder.file("hub.db")}
log: { file: ${folder.file("hub.log")} }
accounting: {}
`;
  const ports = await hub.call("start", yaml);
  const names = Array.from({ length: LINKS }, (_, index) => `router-${index}`);
  const dial = async (name: string) =>
    OnlineRouter.dial(name, ports.radsecPort, folder.pki.ca.certificatePem, await folder.pki.nas(name));
  return { hub, ports, routers: await Promise.all(names.map(dial)) };
}

async function call({ ports }: Running, method: string, path: string, type: string, body: string): Promise<string> {
  const headers = { "content-type": type, "if-match": "*" };
  if (method === "POST" || (await fetch(`http://127.0.0.1:${ports.httpPort}${path}`)).status === 404)
    Reflect.deleteProperty(headers, "if-match");
  const response = await fetch(`http://127.0.0.1:${ports.httpPort}${path}`, { method, headers, body });
  const text = await response.text();
  if (!response.ok) throw new Error(`${method} ${path}: ${response.status} ${text.slice(0, 300)}`);
  return text;
}

const putPlan = (running: Running, rate: string) =>
  call(running, "PUT", "/v1/plans/gold", "application/json", JSON.stringify({ rate_down: rate, rate_up: rate }));

const asked = (routers: readonly OnlineRouter[]) => routers.reduce((sum, { askedAt }) => sum + askedAt.size, 0);

async function until(fits: () => boolean, limitMs: number): Promise<void> {
  for (const end = performance.now() + limitMs; !fits(); await sleep(50)) {
    if (performance.now() > end) throw new Error("it took too long");
  }
}

async function measured<Result>({ hub }: Running, what: string, work: () => Promise<Result>): Promise<Result> {
  await hub.call("begin", undefined as never);
  const result = await work();
  const { seconds, cpuUs, loopDelayP99Ms }: Cost = await hub.call("end", undefined as never);
  const cpu = ((cpuUs / 1e6 / seconds) * 100).toFixed(0);
  console.log(`${what}: ${seconds.toFixed(1)} s, event loop p99 ${loopDelayP99Ms.toFixed(1)} ms late, CPU ${cpu} %`);
  return result;
}

/** Most that were asked in one second. */
function pace(routers: readonly OnlineRouter[], beganAt: number): number {
  const seconds = new Map<number, number>();
  for (const { askedAt } of routers)
    for (const at of askedAt.values()) {
      const second = Math.floor((at - beganAt) / 1_000);
      seconds.set(second, (seconds.get(second) ?? 0) + 1);
    }
  return Math.max(...seconds.values());
}

async function changeOf(running: Running, rate: string): Promise<void> {
  for (const { askedAt } of running.routers) askedAt.clear();
  const beganAt = performance.now();
  await putPlan(running, rate);
  await until(() => asked(running.routers) === ONLINE, 600_000);
  console.log(`  ${ONLINE} of ${ONLINE} asked, at most ${pace(running.routers, beganAt)} in a second`);
}

async function logIn(router: OnlineRouter, user: string): Promise<{ readonly code: number; readonly tries: number }> {
  for (let tries = 1; ; tries += 1) {
    const code = await router.login(user, "correct horse", REPEAT_MS);
    if (code !== undefined) return { code, tries };
  }
}

const users = Array.from({ length: ONLINE }, (_, index) => `user-${String(index).padStart(6, "0")}`);
using folder = await StageFolder.make();
let running = await start(folder);
await putPlan(running, "1M");
const ndjson = users.map((username) => `${JSON.stringify({ username, plan: "gold" })}\n`).join("");
await measured(running, `import of ${ONLINE} users`, () =>
  call(running, "POST", "/v1/users", "application/x-ndjson", ndjson),
);
for (const time of ["first", "second", "third"]) {
  await measured(running, `${time} export of ${ONLINE} users`, async () => {
    const response = await fetch(`http://127.0.0.1:${running.ports.httpPort}/v1/users?format=csv`);
    return (await response.text()).length;
  });
}
const ofLink = (link: number) => users.filter((_, index) => index % LINKS === link);
await Promise.all(running.routers.map((router, link) => router.start(ofLink(link))));
await sleep((ONLINE / 200) * 1_000 + 2_000); // what was noted of the new users is worked off
await measured(running, `change of a plan that ${ONLINE} who are online have`, () => changeOf(running, "2M"));

for (const { askedAt } of running.routers) askedAt.clear();
await putPlan(running, "3M");
await until(() => asked(running.routers) >= ONLINE / 2, 600_000);
const before = new Set(running.routers.flatMap(({ askedAt }) => [...askedAt.keys()]));
await running.hub.kill();
for (const router of running.routers) router.close();
running = await start(folder);
const beganAt = performance.now();
const all = () => new Set([...before, ...running.routers.flatMap(({ askedAt }) => [...askedAt.keys()])]).size;
await until(() => all() === ONLINE, 600_000);
const seconds = ((performance.now() - beganAt) / 1_000).toFixed(0);
console.log(`killed after ${before.size}: the rest was asked ${seconds} s after the next start`);

const newcomers = Array.from({ length: LOGINS }, (_, index) => `new-${index}`);
const withPasswords = newcomers
  .map((username) => `${JSON.stringify({ username, password: "correct horse" })}\n`)
  .join("");
await measured(running, `import of ${LOGINS} users with passwords`, () =>
  call(running, "POST", "/v1/users", "application/x-ndjson", withPasswords),
);
await measured(running, `first logins of ${LOGINS} users at once`, async () => {
  const answers = await Promise.all(
    newcomers.map((user, index) => logIn(running.routers[index % LINKS] as OnlineRouter, user)),
  );
  const refused = answers.filter(({ code }) => code !== ACCEPT).length;
  const tries = Math.max(...answers.map((each) => each.tries));
  console.log(`  ${refused} rejected, at most ${tries} requests for a login`);
});
for (const router of running.routers) router.close();
await running.hub[Symbol.asyncDispose]();
