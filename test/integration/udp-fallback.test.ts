import { describe, expect, it } from "vitest";
import { type Attribute, ATTRIBUTE, integerAttribute, textAttribute } from "../../src/radius/attribute.ts";
import { CODE } from "../../src/radius/codes.ts";
import { RawNas } from "../support/raw-nas.ts";
import { hubConfig, RunningHub } from "../support/running-hub.ts";
import { UdpRouter } from "../support/udp-router.ts";

const SECRET = "a secret of its UDP port";
const ADDRESS = "127.0.0.5";
const DISCONNECT = "/disconnect?nas_identifier=edge-1&username=nemo";

const clients = (fallback: string) => `
clients:
  - { name: aaa, match: { commonName: aaa }, mayTrigger: true, reach: { nas: [edge-1] } }
  - { name: edge, match: { san: { dns: [edge-1] } }, ${fallback} }
`;
const fallback = ({ port }: UdpRouter) => `udpFallback: { address: ${ADDRESS}, port: ${port}, secret: ${SECRET} }`;

/** A router that has been there over TLS, and its UDP port. */
async function start(yaml = ""): Promise<{ hub: RunningHub; udp: UdpRouter; nas: RawNas }> {
  const udp = await UdpRouter.open(SECRET, ADDRESS);
  const hub = await RunningHub.start({ yaml: clients(fallback(udp)) + yaml });
  await hub.hub.store?.ready(10_000);
  const nas = await RawNas.dial(hub.radsecPort, await hub.credentials("edge-1"));
  await nas.register("edge-1");
  return { hub, udp, nas };
}

async function hangUp(hub: RunningHub, nas: RawNas): Promise<void> {
  nas.socket.destroy();
  await hub.event("link.down", ({ client }) => client === "edge");
}

async function post(hub: RunningHub, path = DISCONNECT): Promise<{ status: number; body: Record<string, unknown> }> {
  const response = await fetch(hub.api + path, { method: "POST" });
  return { status: response.status, body: (await response.json()) as Record<string, unknown> };
}

function accounting(kind: number, octets: number): Attribute[] {
  return [
    integerAttribute(40, kind),
    textAttribute(32, "edge-1"),
    textAttribute(1, "nemo"),
    textAttribute(44, "0000cafe"),
    integerAttribute(43, octets),
    integerAttribute(46, 60),
  ];
}

describe("the UDP port of a router on RadSec (udpFallback)", () => {
  it("gets nothing while the router has a link", async () => {
    const { hub, udp, nas } = await start();
    const asked = post(hub);
    nas.answer(await nas.packet(1));
    expect((await asked).status).toBe(200);
    expect(udp.received).toEqual([]);
  });

  it("UC-01 gets POST /disconnect once the link is gone, and nothing again when the router is back", async () => {
    const { hub, udp, nas } = await start();
    await hangUp(hub, nas);
    const before = new Set(hub.eventsOf("link.up").map(({ linkId }) => linkId));
    expect((await post(hub)).status).toBe(200);
    expect(udp.received).toHaveLength(1);
    expect(udp.received[0]?.attributes.map(({ type }) => type)).toEqual([80, 1, 32, 55]);
    const back = await RawNas.dial(hub.radsecPort, await hub.credentials("edge-1"));
    await hub.event("link.up", ({ linkId }) => !before.has(linkId));
    const asked = post(hub);
    back.answer(await back.packet(0), CODE.disconnectNak, [integerAttribute(ATTRIBUTE.errorCause, 503)]);
    expect((await asked).status).toBe(409);
    expect(udp.received).toHaveLength(1);
  });

  it("CON-08 gets a request that had been written to a link that then closed, once", async () => {
    const { hub, udp, nas } = await start();
    const asked = post(hub);
    await nas.packet(1);
    nas.socket.destroy();
    expect(await asked).toMatchObject({
      status: 200,
      body: { attempts: [{ ended: "closed" }, { ended: "reply" }] },
    });
    expect(udp.received).toHaveLength(1);
  });

  it("gets the trigger of an AAA server that may reach the router", async () => {
    const { hub, udp, nas } = await start();
    const dac = await RawNas.dial(hub.radsecPort, await hub.credentials("aaa"));
    await hangUp(hub, nas);
    dac.request(
      CODE.coaRequest,
      [textAttribute(32, "edge-1"), textAttribute(1, "nemo"), textAttribute(33, "state")],
      5,
    );
    expect((await dac.packet(0)).code).toBe(CODE.coaAck);
    expect(udp.received[0]?.attributes.map(({ type }) => type)).toEqual([80, 32, 1, 55]); // DP-24
  });

  it("gets what the quota does about a user whose router has just hung up", async () => {
    const { hub, udp, nas } = await start(`
accounting: { enabled: true }
quota: { rules: [{ name: megabyte, period: total, amount: 1MB, thresholds: [{ percent: 100, action: disconnect }] }] }
`);
    nas.request(CODE.accountingRequest, accounting(1, 0), 1);
    expect((await nas.packet(1)).code).toBe(CODE.accountingResponse);
    await hangUp(hub, nas);
    const back = await RawNas.dial(hub.radsecPort, await hub.credentials("edge-1"));
    back.request(CODE.accountingRequest, accounting(3, 1_500_000), 2);
    // It is asked on the link first; with that gone, on the UDP port.
    await back.packet(1);
    back.socket.destroy();
    expect(await hub.event("quota.acted")).toMatchObject({ action: "disconnect", outcome: "ack", next: "done" });
    expect(udp.received.map(({ code }) => code)).toEqual([CODE.disconnectRequest]);
  });

  it("finds the user there whom accounting has told of", async () => {
    const { hub, udp, nas } = await start("accounting: { enabled: true }\n");
    nas.request(CODE.accountingRequest, accounting(1, 0), 1);
    expect((await nas.packet(1)).code).toBe(CODE.accountingResponse);
    await hangUp(hub, nas);
    expect(await post(hub, "/disconnect?username=nemo")).toMatchObject({ status: 200 });
    expect(udp.received).toHaveLength(1);
  });

  it("is no sign of life: the acct sessions of a router that is gone are closed", async () => {
    const accountingYaml = "accounting: { sweep: 1s }\n";
    const { hub, udp, nas } = await start(accountingYaml);
    const config = hubConfig(clients(fallback(udp)) + accountingYaml, hub.folder);
    // Below what hub.yaml may say, so that the test is short.
    const upkeep = { ...config.accounting.upkeep, nasGoneMs: 1_000 };
    await hub.hub.apply({ ...config, accounting: { ...config.accounting, upkeep } });
    nas.request(CODE.accountingRequest, accounting(1, 0), 1);
    expect((await nas.packet(1)).code).toBe(CODE.accountingResponse);
    await hangUp(hub, nas);
    const causes = async () => {
      const { items = [] } = (await hub.hub.store?.acctSessions.find({ username: "nemo" }, { limit: 2 })) ?? {};
      return items.map(({ closeCause }) => closeCause);
    };
    await expect.poll(causes, { timeout: 15_000 }).toEqual(["nas-gone"]);
  }, 20_000);

  it("is a timeout when it stays silent, and a NAK when it refuses", async () => {
    const { hub, udp, nas } = await start();
    await hangUp(hub, nas);
    udp.answer = () => ({ code: CODE.disconnectNak, attributes: [integerAttribute(ATTRIBUTE.errorCause, 503)] });
    expect(await post(hub)).toMatchObject({ status: 409, body: { error_cause: { number: 503 } } });
    udp.answer = () => undefined;
    expect((await post(hub, `${DISCONNECT}&timeout=0.2`)).status).toBe(504);
  });

  it("appears and goes with the configuration, and shows in the API as what it is", async () => {
    const { hub, udp, nas } = await start();
    const shown = async () => {
      const { links } = (await (await fetch(`${hub.api}/v1/links`)).json()) as { links: Record<string, unknown>[] };
      return links.filter((each) => each["fallback"] === true);
    };
    expect(await shown()).toMatchObject([
      { kind: "udp", client: "edge", address: ADDRESS, port: udp.port, nas_identifiers: ["edge-1"] },
    ]);
    await hub.hub.apply(hubConfig(clients("reverse: [Disconnect-Request]"), hub.folder));
    expect(await shown()).toEqual([]);
    await hub.hub.apply(hubConfig(clients(fallback(udp)), hub.folder));
    expect(await shown()).toMatchObject([{ nas_identifiers: ["edge-1"] }]);
    await hangUp(hub, nas);
    expect((await post(hub)).status).toBe(200);
  });

  it("keeps a router from being reached by a code that its entry does not allow", async () => {
    const udp = await UdpRouter.open(SECRET, ADDRESS);
    const hub = await RunningHub.start({ yaml: clients(`reverse: [CoA-Request], ${fallback(udp)}`) });
    const nas = await RawNas.dial(hub.radsecPort, await hub.credentials("edge-1"));
    await nas.register("edge-1");
    await hangUp(hub, nas);
    expect((await post(hub)).status).toBe(404);
    expect(udp.received).toEqual([]);
  });
});
