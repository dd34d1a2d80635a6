import { describe, expect, it } from "vitest";
import { ATTRIBUTE, firstInteger, integerAttribute, textAttribute } from "../../src/radius/attribute.ts";
import { CODE } from "../../src/radius/codes.ts";
import { freeUdpPort } from "../support/free-port.ts";
import { RunningHub } from "../support/running-hub.ts";
import { request, UdpHost, USER } from "../support/udp-fixture.ts";

const SECRET = "a secret of sixteen octets";
const [A, B, DAC, LEGACY] = ["127.0.0.11", "127.0.0.12", "127.0.0.8", "127.0.0.9"];
const STATES = [textAttribute(ATTRIBUTE.proxyState, "b"), textAttribute(ATTRIBUTE.proxyState, "a")];

/** A hub whose triggers for a NAS that it does not know go to another hub over UDP, on whose port 3799 it is a DAC. */
async function hub(options: { own: string; port: number; other: string; otherPort: number; clients?: string }) {
  const { own, port, other, otherPort, clients = "" } = options;
  return RunningHub.start({
    yaml: `
udp: [{ name: lan, addresses: [${own}], authPort: 0, dynauthPort: ${port} }]
dynauth: { select: [{ match: { nasIdentifier: "%{request.NAS-Identifier}" } }, { match: { client: other } }] }
clients:
  - { name: other, transport: udp, match: { network: ${other} }, secret: ${SECRET}, role: hub, dynauthPort: ${otherPort} }
  - { name: from-other, transport: udp, match: { network: 127.0.0.1 }, secret: ${SECRET}, role: hub, mayTrigger: true }
${clients}`,
  });
}

async function pair(clientsOfB = "") {
  const [portA, portB] = [await freeUdpPort(), await freeUdpPort()];
  const dac = `  - { name: dac, transport: udp, match: { network: ${DAC} }, secret: ${SECRET}, mayTrigger: true }`;
  const a = await hub({ own: A, port: portA, other: B, otherPort: portB, clients: dac });
  const b = await hub({ own: B, port: portB, other: A, otherPort: portA, clients: clientsOfB });
  return { a, b, portA, host: await UdpHost.open(DAC) };
}

const disconnect = (nasIdentifier: string) =>
  request(CODE.disconnectRequest, [textAttribute(ATTRIBUTE.nasIdentifier, nasIdentifier), USER, ...STATES]);

describe("two hubs that are pointed at each other over UDP", () => {
  it("DP-31 a Disconnect for nobody goes round once, and its mark ends it with NAK 502", async () => {
    const { a, b, portA, host } = await pair();
    const reply = await host.ask(disconnect("ghost"), portA, { address: A });
    expect([reply.code, firstInteger(reply.attributes, ATTRIBUTE.errorCause)]).toEqual([CODE.disconnectNak, 502]);
    expect(reply.attributes.filter(({ type }) => type === ATTRIBUTE.proxyState)).toEqual(STATES);
    expect([a.eventsOf("exchange.ended").length, b.eventsOf("exchange.ended").length]).toEqual([1, 1]);
  });

  it("DP-22 DP-23 DP-24 what a router of the other one answers comes back, with the Proxy-States of the DAC and no mark", async () => {
    const router = await UdpHost.open(LEGACY);
    const { b, portA, host } = await pair(
      `  - { name: legacy, transport: udp, match: { network: ${LEGACY} }, secret: ${SECRET}, dynauthPort: ${router.port} }`,
    );
    const name = textAttribute(ATTRIBUTE.nasIdentifier, "legacy-1");
    const port = b.addresses.udp.get("lan")?.find(({ purpose }) => purpose === "auth")?.port ?? 0;
    await router.ask(request(CODE.statusServer, [name]), port, { address: B });
    const asking = host.ask(disconnect("legacy-1"), portA, { address: A });
    const asked = await router.packet(1);
    expect(asked.attributes.map(({ type }) => type)).toEqual([80, 32, 1, 55]);
    const { from } = await router.datagram(1);
    router.answer(asked, from, CODE.disconnectNak, [integerAttribute(ATTRIBUTE.errorCause, 503)]);
    const reply = await asking;
    expect([reply.code, firstInteger(reply.attributes, ATTRIBUTE.errorCause)]).toEqual([CODE.disconnectNak, 503]);
    expect(reply.attributes.filter(({ type }) => type === ATTRIBUTE.proxyState)).toEqual(STATES);
  });
});
