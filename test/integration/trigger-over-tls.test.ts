import { describe, expect, it } from "vitest";
import { firstInteger, textAttribute } from "../../src/radius/attribute.ts";
import { RADSEC_SECRET, verifyResponse } from "../../src/radius/authenticator.ts";
import { CODE } from "../../src/radius/codes.ts";
import { RawNas } from "../support/raw-nas.ts";
import { RunningHub } from "../support/running-hub.ts";

const NAS = textAttribute(32, "nas-07");
const USER = textAttribute(1, "nemo");
const STATES = [textAttribute(33, "first"), textAttribute(33, "second")];
const CLIENTS = `
clients:
  - { name: aaa, match: { commonName: aaa }, mayTrigger: true }
  - { name: routers, match: { issuer: CN=radsec-hub development CA, admitEvery: true } }
`;

async function start() {
  const hub = await RunningHub.start({ yaml: CLIENTS });
  const nas = await RawNas.dial(hub.radsecPort, await hub.credentials("nas-07"));
  await nas.register("nas-07");
  const dac = await RawNas.dial(hub.radsecPort, await hub.credentials("aaa"));
  await hub.event("link.up", ({ client }) => client === "aaa");
  return { hub, nas, dac };
}

describe("a trigger over RadSec", () => {
  it("DP-22 DP-24 DP-26 reaches the NAS and brings its answer back, Proxy-States with the DAC only", async () => {
    const { nas, dac } = await start();
    const asked = dac.request(CODE.disconnectRequest, [NAS, USER, ...STATES], 5);
    const request = await nas.packet(1);
    expect(request.attributes.map(({ type }) => type)).toEqual([80, 32, 1, 55]);
    nas.answer(request, CODE.disconnectAck);
    const reply = await dac.packet(0);
    expect([reply.code, reply.identifier]).toEqual([CODE.disconnectAck, 5]);
    expect(verifyResponse(reply, asked.authenticator, RADSEC_SECRET)).toBe("ok");
    expect(reply.attributes.filter(({ type }) => type === 33)).toEqual(STATES);
  });

  it("PE-05 a peer that may not trigger gets Protocol-Error 406", async () => {
    const { nas } = await start();
    nas.request(CODE.disconnectRequest, [NAS, USER], 5);
    const reply = await nas.packet(1);
    expect([reply.code, firstInteger(reply.attributes, 101)]).toEqual([CODE.protocolError, 406]);
  });

  it("DP-31 a request never goes back down the link it came on", async () => {
    const { dac } = await start();
    await dac.register("aaa");
    dac.request(CODE.disconnectRequest, [textAttribute(32, "aaa"), USER], 5);
    const reply = await dac.packet(1);
    expect([reply.code, firstInteger(reply.attributes, 101)]).toEqual([CODE.disconnectNak, 502]);
  });

  it("DP-07 CON-12 the same octets again join the exchange in flight: one request for the NAS, one answer for the DAC", async () => {
    const { hub, nas, dac } = await start();
    const asked = dac.request(CODE.disconnectRequest, [NAS, USER], 5);
    const request = await nas.packet(1);
    dac.send(asked.octets);
    dac.send(asked.octets);
    await hub.event("packet.dropped", ({ reason }) => reason === "duplicate");
    nas.answer(request);
    expect((await dac.packet(0)).code).toBe(CODE.disconnectAck);
    expect(nas.received.filter(({ code }) => code === CODE.disconnectRequest)).toHaveLength(1);
  });
});
