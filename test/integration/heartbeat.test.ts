import { describe, expect, it } from "vitest";
import { ATTRIBUTE, firstValue } from "../../src/radius/attribute.ts";
import { CODE } from "../../src/radius/codes.ts";
import { revealUserPassword } from "../../src/radius/hidden.ts";
import { UPSTREAM_SECRET } from "../support/forwarding-hub.ts";
import { accept, silent, UdpRadiusServer } from "../support/radius-servers.ts";
import { hubConfig, RunningHub } from "../support/running-hub.ts";

const HEARTBEAT = "heartbeat: { interval: 1s, timeout: 500ms, userName: beat@example.org, password: only a test }\n";

async function start() {
  const [home, spare] = [await UdpRadiusServer.start(UPSTREAM_SECRET), await UdpRadiusServer.start(UPSTREAM_SECRET)];
  const server = (name: string, { port }: UdpRadiusServer) =>
    `    - { name: ${name}, transport: udp, host: 127.0.0.1, authPort: ${port}, acctPort: ${port}, secret: "${UPSTREAM_SECRET.octets.toString()}" }`;
  const yaml = `${HEARTBEAT}accounting: { enabled: true }
upstreams:
  servers:
${server("home", home)}
${server("spare", spare)}
  pools: [{ name: home, servers: home }, { name: spare, servers: spare }]
realms: [{ realm: example.org, pool: home }]
`;
  const hub = await RunningHub.start({ yaml });
  await hub.hub.store?.ready(10_000);
  return { hub, home, spare, yaml };
}

/** What the hub has told of, but for a machine that is too busy to turn the event loop in time. */
function traces(hub: RunningHub): string[] {
  return hub.events.map(({ type }) => type).filter((type) => type !== "module.fault");
}

async function seen(hub: RunningHub) {
  const [ready, metrics] = await Promise.all(
    ["/ready", "/metrics"].map(async (path) => {
      const response = await fetch(hub.api + path);
      return { status: response.status, text: await response.text() };
    }),
  );
  return {
    status: ready?.status,
    ready: ready?.text ?? "",
    up: /^radsec_hub_heartbeat_up (\d)/m.exec(metrics?.text ?? "")?.[1],
  };
}

describe("the heartbeat of a whole hub (seeds/000)", () => {
  it("goes the way of any Access-Request to the upstream of its realm, probes every upstream, and leaves no trace", async () => {
    const { hub, home, spare } = await start();
    const request = await home.request(1);
    await Promise.all([home.probe(1), spare.probe(1)]);
    expect(request.code).toBe(CODE.accessRequest);
    expect(firstValue(request.attributes, ATTRIBUTE.userName)?.toString()).toBe("beat@example.org");
    const hidden = firstValue(request.attributes, ATTRIBUTE.userPassword) as Buffer;
    expect(revealUserPassword(hidden, UPSTREAM_SECRET, request.authenticator)?.toString()).toBe("only a test");
    expect(spare.requests).toEqual([]);
    expect(await seen(hub)).toMatchObject({
      status: 200,
      up: "1",
      ready: expect.stringMatching(/\d answered/) as string,
    });
    // No link, no binding, no exchange, no drop, nothing told.
    expect(traces(hub)).toEqual([]);
    expect([hub.hub.registry.size, hub.hub.registry.bindingCount]).toEqual([0, 0]);
    expect(await hub.hub.store?.acctSessions.countOpen()).toBe(0);
    const { exchanges } = (await (await fetch(`${hub.api}/v1/exchanges`)).json()) as { exchanges: unknown[] };
    expect(exchanges).toEqual([]);
  }, 20_000);

  it("tells once that it fails and once that it is back, and shows it on /ready and /metrics meanwhile", async () => {
    const { hub, home } = await start();
    home.script = silent;
    const { detail } = await hub.event("heartbeat.failed");
    expect(detail).toBe("no answer within 0.5 s");
    expect(await seen(hub)).toMatchObject({ status: 503, up: "0", ready: expect.stringContaining(detail) as string });
    const asked = new Set(home.requests.map(({ authenticator }) => authenticator.toString("hex"))).size;
    // Two more beats, and nobody hears of them.
    await expect
      .poll(() => new Set(home.requests.map(({ authenticator }) => authenticator.toString("hex"))).size, {
        timeout: 10_000,
      })
      .toBeGreaterThan(asked + 1);
    home.script = accept;
    await hub.event("heartbeat.recovered");
    expect(await seen(hub)).toMatchObject({ status: 200, up: "1" });
    const told = hub.events.map(({ type }) => type).filter((type) => type.startsWith("heartbeat."));
    expect(told).toEqual(["heartbeat.failed", "heartbeat.recovered"]);
  }, 20_000);

  it("a reload changes who asks, and how often", async () => {
    const { hub, home, yaml } = await start();
    await home.request(0);
    const userNames = () => home.requests.map(({ attributes }) => String(firstValue(attributes, ATTRIBUTE.userName)));
    expect(new Set(userNames())).toEqual(new Set(["beat@example.org"]));
    await hub.hub.apply(hubConfig(yaml.replace("beat@", "another@"), hub.folder));
    await expect.poll(userNames, { timeout: 10_000 }).toContain("another@example.org");
    await hub.hub.apply(hubConfig(yaml.replace("{ interval", "{ enabled: false, interval"), hub.folder));
    expect((await seen(hub)).ready).not.toContain("heartbeat");
  }, 20_000);

  it("is answered by the hub itself where no realm says otherwise: a Reject means alive", async () => {
    const hub = await RunningHub.start({ yaml: HEARTBEAT });
    await expect.poll(async () => (await seen(hub)).ready, { timeout: 10_000 }).toMatch(/[1-9] answered/);
    expect(traces(hub)).toEqual([]);
  }, 20_000);
});
