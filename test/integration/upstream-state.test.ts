import { pino } from "pino";
import { expect, it } from "vitest";
import { UPSTREAM_SECRET } from "../support/forwarding-hub.ts";
import { UdpRadiusServer } from "../support/radius-servers.ts";
import { RunningHub } from "../support/running-hub.ts";

/** A hub that probes two servers of one pool each second, and what it logs of them. */
async function start() {
  const [home, spare] = [await UdpRadiusServer.start(UPSTREAM_SECRET), await UdpRadiusServer.start(UPSTREAM_SECRET)];
  const lines: string[] = [];
  const log = pino({}, { write: (line: string) => void lines.push((JSON.parse(line) as { msg: string }).msg) });
  const server = (name: string, { port }: UdpRadiusServer) =>
    `    - { name: ${name}, transport: udp, host: 127.0.0.1, authPort: ${port}, secret: "${UPSTREAM_SECRET.octets.toString()}", probe: { interval: 1s, timeout: 500ms } }`;
  const hub = await RunningHub.start({
    log,
    yaml: `
heartbeat: { interval: 1s, timeout: 500ms }
upstreams:
  servers:
${server("home", home)}
${server("spare", spare)}
  pools: [{ name: aaa, servers: [home, spare] }]
realms: [{ realm: example.org, pool: aaa }]
`,
  });
  const seen = async () => {
    const ready = await fetch(`${hub.api}/ready`);
    const { checks } = (await ready.json()) as { checks: Record<string, { ok: boolean; detail: string }> };
    const metrics = await (await fetch(`${hub.api}/metrics`)).text();
    const up = (name: string) =>
      new RegExp(`^radsec_hub_upstream_up\\{upstream="${name}"\\} (\\d)`, "m").exec(metrics)?.[1];
    return { status: ready.status, pool: checks["upstream:aaa"], up: [up("home"), up("spare")] };
  };
  const said = () => lines.filter((line) => line.startsWith("upstream "));
  return { hub, home, spare, seen, said };
}

it("a server that dies and one that comes back are told once each, in the log and as events, and show on /ready and /metrics", async () => {
  const { hub, home, spare, seen, said } = await start();
  expect(await seen()).toEqual({ status: 200, pool: { ok: true, detail: "2 of 2 servers" }, up: ["1", "1"] });
  home.close();
  await hub.event("upstream.down", ({ upstream }) => upstream === "home");
  // One server is enough for its pool.
  expect(await seen()).toEqual({ status: 200, pool: { ok: true, detail: "1 of 2 servers" }, up: ["0", "1"] });
  spare.close();
  await hub.event("upstream.down", ({ upstream }) => upstream === "spare");
  expect(await seen()).toEqual({ status: 503, pool: { ok: false, detail: "0 of 2 servers" }, up: ["0", "0"] });
  await home.open();
  await hub.event("upstream.up");
  expect(await seen()).toEqual({ status: 200, pool: { ok: true, detail: "1 of 2 servers" }, up: ["1", "0"] });
  const down = (name: string, { port }: UdpRadiusServer) =>
    `upstream ${name} is down: nobody listens on port ${port}; it gets no request until it answers`;
  expect(said()).toEqual([
    down("home", home),
    down("spare", spare),
    "upstream home is up: 3 probes in a row are answered",
  ]);
  const told = hub.events.filter(({ type }) => type.startsWith("upstream."));
  expect(told.map(({ type }) => type)).toEqual(["upstream.down", "upstream.down", "upstream.up"]);
}, 40_000);
