import { describe, expect, it } from "vitest";
import { ATTRIBUTE, integerAttribute, textAttribute } from "../../src/radius/attribute.ts";
import { CODE } from "../../src/radius/codes.ts";
import { RawNas } from "../support/raw-nas.ts";
import { RunningHub } from "../support/running-hub.ts";
import { NAS, RECORD, request, UdpHost, USER } from "../support/udp-fixture.ts";

const STATES = [textAttribute(ATTRIBUTE.proxyState, "b"), textAttribute(ATTRIBUTE.proxyState, "a")];

/** A hub, an AAA server that speaks UDP to its dynauth port, and a router that takes these codes in reverse. */
async function scene(reverse: string) {
  const hub = await RunningHub.start({
    yaml: `
udp: [{ name: lan, addresses: [127.0.0.1], dynauthPort: 0, rejectDelay: { min: 10s, max: 10s } }]
clients:
  - { name: aaa, transport: udp, match: { network: 127.0.0.8 }, secret: a secret of sixteen octets, mayTrigger: true }
  - { name: routers, match: { issuer: CN=radsec-hub development CA, admitEvery: true }, reverse: ${reverse} }`,
  });
  const nas = await RawNas.dial(hub.radsecPort, await hub.credentials("edge"));
  await nas.register("udp-nas");
  return { hub, nas, dac: await UdpHost.open("127.0.0.8"), port: hub.addresses.udp.get("lan")?.[0]?.port ?? 0 };
}

describe("other codes than Disconnect and CoA in reverse, where `reverse` of the router lists them", () => {
  it("UL-15 an Accounting-Request comes to the router as it is, and its Accounting-Response to who asked", async () => {
    const { nas, dac, port } = await scene("[Accounting-Request]");
    const asking = dac.ask(request(CODE.accountingRequest, [...RECORD, USER, ...STATES]), port);
    const asked = await nas.packet(1);
    expect([asked.code, asked.attributes.filter(({ type }) => type !== 80)]).toEqual([
      CODE.accountingRequest,
      [...RECORD, USER],
    ]);
    nas.answer(asked);
    const reply = await asking;
    expect([reply.code, reply.attributes]).toEqual([CODE.accountingResponse, STATES]);
  });

  it.each([CODE.accessAccept, CODE.accessChallenge, CODE.accessReject])(
    "UL-16 UL-18 DP-26 what the router says to an Access-Request (code %i) is its own verdict: whole, and at once",
    async (code) => {
      const { nas, dac, port } = await scene("[Access-Request]");
      const said = [textAttribute(ATTRIBUTE.class, "gold"), integerAttribute(27, 60)];
      const asking = dac.ask(request(CODE.accessRequest, [NAS, USER, ...STATES]), port);
      nas.answer(await nas.packet(1), code, said);
      const reply = await asking;
      expect([reply.code, reply.attributes.slice(1)]).toEqual([code, [...said, ...STATES]]);
    },
  );

  it("is silence where the router does not list them, and goes to no router", async () => {
    const { hub, nas, dac, port } = await scene("[Disconnect-Request]");
    dac.send(request(CODE.accessRequest, [NAS, USER], 1), port);
    dac.send(request(CODE.accountingRequest, [...RECORD, USER], 2), port);
    const refused = await dac.ask(request(CODE.coaRequest, [NAS, USER], 3), port);
    expect([refused.code, dac.received.length, nas.received.length]).toEqual([CODE.coaNak, 1, 1]);
    expect(hub.eventsOf("packet.dropped").map(({ reason }) => reason)).toEqual(["handler-discard", "handler-discard"]);
  });
});
