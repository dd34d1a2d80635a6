import { describe, expect, it } from "vitest";
import { ATTRIBUTE, attribute, firstInteger, firstValue } from "../../src/radius/attribute.ts";
import { CODE } from "../../src/radius/codes.ts";
import { decodeDatagram } from "../../src/radius/packet.ts";
import { RawNas } from "../support/raw-nas.ts";
import { RunningHub } from "../support/running-hub.ts";
import { NAS, request, UdpHost, USER } from "../support/udp-fixture.ts";

const DAC = "127.0.0.2";
const ROUTER = "127.0.0.5";
const SECRET_TEXT = "a secret of sixteen octets";
const AT_ROUTER = attribute(ATTRIBUTE.nasIpAddress, Buffer.from([127, 0, 0, 5]));

/** A hub, an AAA server that may trigger, and a router over UDP that has sent nothing to the hub: its logins go elsewhere.
 *  @param reach of the AAA server */
async function network(reach = "") {
  const router = await UdpHost.open(ROUTER);
  const hub = await RunningHub.start({
    yaml: `
udp: [{ name: lan, addresses: [127.0.0.1], authPort: 0, dynauthPort: 0 }]
clients:
  - { name: aaa, transport: udp, match: { network: ${DAC} }, secret: ${SECRET_TEXT}, mayTrigger: true, ${reach} }
  - { name: old, transport: udp, match: { network: ${ROUTER} }, secret: ${SECRET_TEXT}, dynauthPort: ${router.port} }
  - { name: routers, match: { issuer: CN=radsec-hub development CA, admitEvery: true } }
`,
  });
  const port = (purpose: string) =>
    hub.addresses.udp.get("lan")?.find((each) => each.purpose === purpose)?.port as number;
  const disconnect = async (query: string) => {
    const answer = await fetch(`${hub.api}/disconnect?${query}&username=nemo`, { method: "POST" });
    return [answer.status, ((await answer.json()) as { code?: string; outcome?: string }).code ?? "ok"];
  };
  const trigger = async (...attributes: Parameters<typeof request>[1] & object) => {
    const dac = await UdpHost.open(DAC);
    const reply = await dac.ask(request(CODE.disconnectRequest, [USER, ...attributes]), port("dynauth"));
    return [reply.code, firstInteger(reply.attributes, ATTRIBUTE.errorCause)];
  };
  /** Acknowledges whatever comes. */
  router.socket.on("message", (octets, from) => {
    const asked = decodeDatagram(octets);
    if (asked.code === CODE.disconnectRequest) router.answer(asked, from);
  });
  return { hub, router, port, disconnect, trigger };
}

describe("a router over UDP is known by its address, whether it has said anything or not", () => {
  it("UC-01 POST /disconnect with its address reaches it", async () => {
    const { router, disconnect } = await network();
    expect(await disconnect(`nas_ip_address=${ROUTER}`)).toEqual([200, "ok"]);
    const { attributes } = await router.packet();
    expect(firstValue(attributes, ATTRIBUTE.nasIpAddress)).toEqual(AT_ROUTER.value);
  });

  it("DP-14 so does the Disconnect of an AAA server that names it by NAS-IP-Address", async () => {
    const { trigger } = await network();
    expect(await trigger(AT_ROUTER)).toEqual([CODE.disconnectAck, undefined]);
  });

  it.each([
    { nas: "127.0.0.*", answer: [CODE.disconnectAck, undefined] },
    { nas: "10.*", answer: [CODE.disconnectNak, 502] },
  ])("DP-09 and `reach` may name it so: $nas", async ({ nas, answer }) => {
    const { trigger } = await network(`reach: { nas: ["${nas}"] }`);
    expect(await trigger(AT_ROUTER)).toEqual(answer);
  });

  it("it is meant too where a request has both its name and its address, and it said only the name", async () => {
    const { port, trigger } = await network();
    const speaking = await UdpHost.open(ROUTER);
    await speaking.ask(request(CODE.statusServer, [NAS]), port("auth"));
    expect(await trigger(NAS, AT_ROUTER)).toEqual([CODE.disconnectAck, undefined]);
    const elsewhere = attribute(ATTRIBUTE.nasIpAddress, Buffer.from([127, 0, 0, 6]));
    expect(await trigger(NAS, elsewhere)).toEqual([CODE.disconnectNak, 502]);
  });

  it("RC-20 a router on TLS that claims its address gets nothing that is meant for it: nobody does", async () => {
    const { hub, router, disconnect, trigger } = await network();
    const nas = await RawNas.dial(hub.radsecPort, await hub.credentials("edge"));
    nas.request(CODE.statusServer, [AT_ROUTER]);
    await nas.packet(0);
    expect(await disconnect(`nas_ip_address=${ROUTER}`)).toEqual([422, "ambiguous"]);
    expect(await trigger(AT_ROUTER)).toEqual([CODE.disconnectNak, 502]);
    expect([nas.received.length, router.received.length]).toEqual([1, 0]);
  });

  it("IDX-04 a link on TLS is not known by where it comes from: behind NAT that is everybody's", async () => {
    const { hub, disconnect } = await network();
    const nas = await RawNas.dial(hub.radsecPort, await hub.credentials("edge"));
    await nas.register("edge");
    expect(await disconnect("nas_ip_address=127.0.0.1")).toEqual([404, "no-route"]);
  });

  it("a UDP fallback is no router of its own: its address is not a name", async () => {
    const hub = await RunningHub.start({
      yaml: `
clients:
  - { name: edge, match: { san: { dns: [edge] } }, udpFallback: { address: ${ROUTER}, secret: ${SECRET_TEXT} } }
`,
    });
    const answer = await fetch(`${hub.api}/disconnect?nas_ip_address=${ROUTER}&username=nemo`, { method: "POST" });
    expect(answer.status).toBe(404);
  });
});
