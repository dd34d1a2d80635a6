import { describe, expect, it } from "vitest";
import { CODE } from "../../src/radius/codes.ts";
import { RawNas } from "../support/raw-nas.ts";
import { RunningHub } from "../support/running-hub.ts";
import { NAS, request, UdpHost, USER } from "../support/udp-fixture.ts";

const [DAC, ROUTER] = ["127.0.0.8", "127.0.0.9"];
const SECRET = "a secret of sixteen octets";

/** A hub, a router over UDP that never answers, and what is there to ask it. */
async function scene() {
  const router = await UdpHost.open(ROUTER);
  const hub = await RunningHub.start({
    yaml: `
udp: [{ name: lan, addresses: [127.0.0.1], authPort: 0, dynauthPort: 0 }]
clients:
  - { name: dac, transport: udp, match: { network: ${DAC} }, secret: ${SECRET}, mayTrigger: true }
  - { name: secure, match: { commonName: aaa }, mayTrigger: true }
  - { name: legacy, transport: udp, match: { network: ${ROUTER} }, secret: ${SECRET}, dynauthPort: ${router.port} }`,
  });
  const port = (purpose: string) =>
    hub.addresses.udp.get("lan")?.find((each) => each.purpose === purpose)?.port as number;
  await router.ask(request(CODE.statusServer, [NAS]), port("auth"));
  const asked = () => router.received.filter(({ octets }) => octets[0] !== CODE.accessAccept);
  const abandoned = () => hub.event("exchange.ended", ({ why }) => why === "abandoned");
  return { hub, port, asked, abandoned };
}

describe("a trigger that a router over UDP is asked about again and again (DP-08)", () => {
  it("ends when the AAA server uses its Identifier for something else, which the router then is asked", async () => {
    const { port, asked, abandoned } = await scene();
    const dac = await UdpHost.open(DAC);
    dac.send(request(CODE.disconnectRequest, [NAS, USER], 7), port("dynauth"));
    await expect.poll(() => asked().length).toBe(1);
    dac.send(request(CODE.coaRequest, [NAS, USER], 7), port("dynauth"));
    expect(await abandoned()).toMatchObject({ outcome: "closed", code: CODE.disconnectRequest });
    await expect.poll(() => asked().map(({ octets }) => octets[0])).toEqual([CODE.disconnectRequest, CODE.coaRequest]);
    // Both go out again after 2 s or so: what was given up does not.
    await expect.poll(() => asked().length, { timeout: 10_000 }).toBe(3);
    expect(asked().map(({ octets }) => octets[0])).toEqual([40, 43, 43]);
    expect(dac.received).toEqual([]);
  });

  it("ends when the RadSec link of the AAA server closes", async () => {
    const { hub, asked, abandoned } = await scene();
    const dac = await RawNas.dial(hub.radsecPort, await hub.credentials("aaa"));
    dac.request(CODE.disconnectRequest, [NAS, USER], 7);
    await expect.poll(() => asked().length).toBe(1);
    dac.socket.destroy();
    expect(await abandoned()).toMatchObject({ outcome: "closed", code: CODE.disconnectRequest });
  });
});
