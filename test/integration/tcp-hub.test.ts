import { once } from "node:events";
import { describe, expect, it } from "vitest";
import { firstInteger, textAttribute } from "../../src/radius/attribute.ts";
import { encodeResponse } from "../../src/radius/authenticator.ts";
import { CODE } from "../../src/radius/codes.ts";
import { post } from "../support/chained-hubs.ts";
import { hubConfig, RunningHub } from "../support/running-hub.ts";
import { TcpRouter } from "../support/tcp-router.ts";
import { NAS, RECORD, request, SECRET, USER } from "../support/udp-fixture.ts";

const [ROUTER, DAC, STRANGER] = ["127.0.0.9", "127.0.0.8", "127.0.0.7"];
const SECRET_TEXT = "a secret of sixteen octets";
const entry = (name: string, address: string, more = "") =>
  `  - { name: ${name}, transport: tcp, match: { network: ${address} }, secret: ${SECRET_TEXT}${more} }\n`;
const LISTENER = "tcp: [{ name: stream, address: 127.0.0.1, port: 0 }]\nclients:\n";
// The same address over UDP is somebody else.
const OTHERS = `  - { name: udp, transport: udp, match: { network: ${STRANGER} }, secret: ${SECRET_TEXT} }\n`;
const YAML = LISTENER + entry("router", ROUTER) + entry("dac", DAC, ", mayTrigger: true") + OTHERS;

async function scene(yaml = YAML) {
  const hub = await RunningHub.start({ yaml });
  await hub.hub.store?.ready(10_000);
  const port = hub.addresses.tcp.get("stream")?.port ?? 0;
  const router = new TcpRouter(port, ROUTER);
  await router.ask(request(CODE.statusServer, [NAS], 0));
  return { hub, port, router };
}

describe("a hub with RADIUS/TCP (RFC 6613)", () => {
  it("has a Disconnect of the API go down the connection of the router, and answers what the router answers", async () => {
    const { hub, router } = await scene();
    const asking = post(hub, "/disconnect?nas_identifier=udp-nas&username=nemo");
    const asked = await router.packet(1);
    router.socket.write(encodeResponse(asked, CODE.disconnectAck, [], SECRET));
    expect(await asking).toMatchObject({ status: 200, body: { outcome: "ack" } });
    const ready = (await (await fetch(`${hub.api}/ready`)).json()) as { checks: Record<string, unknown> };
    expect(ready.checks).toMatchObject({ "tcp:stream": { ok: true } });
  });

  it("passes a trigger of an AAA server on, and not one of a router that may not", async () => {
    const { port, router } = await scene();
    const dac = new TcpRouter(port, DAC);
    const states = [textAttribute(33, "b"), textAttribute(33, "a")];
    const asking = dac.ask(request(CODE.coaRequest, [NAS, USER, ...states], 7));
    const asked = await router.packet(1);
    expect(asked.attributes.map(({ type }) => type)).toEqual([80, 32, 1, 55]);
    router.socket.write(encodeResponse(asked, CODE.coaAck, [], SECRET));
    const reply = await asking;
    expect([reply.code, reply.attributes.filter(({ type }) => type === 33)]).toEqual([CODE.coaAck, states]);
    const ghost = await dac.ask(request(CODE.disconnectRequest, [textAttribute(32, "ghost"), USER], 8));
    expect([ghost.code, firstInteger(ghost.attributes, 101)]).toEqual([CODE.disconnectNak, 403]);
    router.socket.write(request(CODE.disconnectRequest, [NAS, USER], 9));
    await router.ask(request(CODE.statusServer, [NAS], 0));
    expect(router.received).toHaveLength(3); // old routers do not know Protocol-Error (PE-06)
  });

  it("acknowledges accounting once it is stored, and keeps a stranger and who speaks UDP only out", async () => {
    const { hub, port, router } = await scene(`${YAML}accounting: {}`);
    expect((await router.ask(request(CODE.accountingRequest, [...RECORD, USER], 1))).code).toBe(
      CODE.accountingResponse,
    );
    const stored: unknown = await (await fetch(`${hub.api}/v1/sessions?username=nemo`)).json();
    expect(stored).toMatchObject({ sessions: [{ session_id: "s1", listener: "stream", client: "router" }] });
    await once(new TcpRouter(port, STRANGER).socket, "close");
    expect(hub.eventsOf("handshake.refused").map(({ address, reason }) => `${address} ${reason}`)).toEqual([
      `${STRANGER} not-in-clients`,
    ]);
  });

  it("a reload that takes the entry away closes the connection, and no other", async () => {
    const { hub, port, router } = await scene();
    const dac = new TcpRouter(port, DAC);
    await dac.ask(request(CODE.statusServer, [], 0));
    const ended = once(router.socket, "close");
    await hub.hub.apply(hubConfig(LISTENER + entry("dac", DAC, ", mayTrigger: true") + OTHERS, hub.folder));
    await ended;
    expect(hub.eventsOf("link.down").map(({ client, reason }) => `${client} ${reason}`)).toEqual([
      "router client-removed",
    ]);
    expect((await dac.ask(request(CODE.disconnectRequest, [NAS, USER], 1))).code).toBe(CODE.disconnectNak);
  });
});
