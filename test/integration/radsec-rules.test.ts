import { describe, expect, it } from "vitest";
import { ATTRIBUTE, type Attribute, firstValue, integerAttribute, textAttribute } from "../../src/radius/attribute.ts";
import { CODE } from "../../src/radius/codes.ts";
import type { RequestHandler } from "../../src/transport/link.ts";
import { ManualClock } from "../support/manual-clock.ts";
import { RawNas } from "../support/raw-nas.ts";
import { RunningHub } from "../support/running-hub.ts";

const USER = textAttribute(ATTRIBUTE.userName, "nemo");
const name = (nasIdentifier: string): Attribute => textAttribute(ATTRIBUTE.nasIdentifier, nasIdentifier);

async function hubWith(options: Parameters<typeof RunningHub.start>[0] = {}) {
  const hub = await RunningHub.start(options);
  const router = async (peer: string, nasIdentifier = peer) => {
    const nas = await RawNas.dial(hub.radsecPort, await hub.credentials(peer));
    await nas.register(nasIdentifier);
    return nas;
  };
  const disconnect = (nasIdentifier: string, timeoutMs = 5_000) =>
    hub.hub.dynauth.exchange({
      code: CODE.disconnectRequest,
      target: { nasIdentifier },
      attributes: [USER],
      timeoutMs,
      trigger: "test",
    });
  return { hub, router, disconnect };
}

/** An authentication of two rounds: who brings back the State of the first is let in, whichever way it comes. */
const challenge: RequestHandler = ({ packet }) => {
  const state = firstValue(packet.attributes, ATTRIBUTE.state);
  return state?.toString() === "round-1"
    ? { kind: "reply", code: CODE.accessAccept, attributes: [] }
    : { kind: "reply", code: CODE.accessChallenge, attributes: [textAttribute(ATTRIBUTE.state, "round-1")] };
};

describe("rules of RADIUS/TLS that need more than one link", () => {
  it("CON-22 each request is answered on the link that it came on, and on no other", async () => {
    const { router } = await hubWith();
    const [one, two] = [await router("edge-1"), await router("edge-1")];
    one.request(CODE.accessRequest, [name("edge-1"), USER], 7);
    two.request(CODE.accessRequest, [name("edge-1"), USER], 8);
    expect([(await one.packet(1)).identifier, (await two.packet(1)).identifier]).toEqual([7, 8]);
    await one.register("edge-1");
    await two.register("edge-1");
    expect([one.received.length, two.received.length]).toEqual([3, 3]);
  });

  it("CON-25 the rounds of an EAP conversation may come over different links", async () => {
    const { router } = await hubWith({ handler: challenge });
    const [one, two] = [await router("edge-1"), await router("edge-1")];
    const eap = textAttribute(ATTRIBUTE.eapMessage, "\u0002\u0001\u0000\u0005\u0001");
    one.request(CODE.accessRequest, [name("edge-1"), USER, eap], 1);
    const asked = await one.packet(1);
    expect(asked.code).toBe(CODE.accessChallenge);
    const state = asked.attributes.filter(({ type }) => type === ATTRIBUTE.state);
    two.request(CODE.accessRequest, [name("edge-1"), USER, eap, ...state], 1);
    expect((await two.packet(1)).code).toBe(CODE.accessAccept);
  });

  it("ST-03 Status-Server goes to nobody: no other link and no handler sees anything of it", async () => {
    const seen: number[] = [];
    const { router } = await hubWith({
      handler: ({ packet }) => {
        seen.push(packet.code);
        return { kind: "reply", code: CODE.accessReject, attributes: [] };
      },
    });
    const [near, far] = [await router("edge-1"), await router("edge-2")];
    for (let n = 0; n < 5; n += 1) await near.register("edge-1");
    await far.register("edge-2");
    expect([near.received.length, far.received.length, seen]).toEqual([6, 2, []]);
  });

  it("ST-09 ST-10 a peer whose entry switches it off gets no answer, its neighbour does", async () => {
    const { hub, router } = await hubWith({
      yaml: "clients: [{ name: mute, match: { san: { dns: edge-1 } }, statusServer: false }, { name: rest, match: { issuer: CN=radsec-hub development CA, admitEvery: true } }]",
    });
    const mute = await RawNas.dial(hub.radsecPort, await hub.credentials("edge-1"));
    mute.request(CODE.statusServer, [name("edge-1")]);
    const dropped = await hub.event("packet.dropped");
    expect([dropped.reason, dropped.peer]).toEqual(["status-disabled", "edge-1"]);
    await router("edge-2");
    mute.request(CODE.accessRequest, [name("edge-1"), USER], 1);
    expect((await mute.packet(0)).code).toBe(CODE.accessReject);
  });

  it("RC-20 what a closed link leaves unanswered is never sent to another NAS", async () => {
    const { router, disconnect } = await hubWith();
    const [meant, other] = [await router("edge-1"), await router("edge-2")];
    const outcomes = disconnect("edge-1");
    await meant.packet(1);
    meant.socket.destroy();
    expect((await outcomes)[0]).toMatchObject({ kind: "closed", written: true, mayHaveActed: true });
    await other.register("edge-2");
    expect(other.received.map(({ code }) => code)).toEqual([CODE.accessAccept, CODE.accessAccept]);
  });

  it("IDX-08 RC-19 a NAS that never answers shows: each timeout is an event with its name and counts in the metrics", async () => {
    const { hub, router, disconnect } = await hubWith();
    await router("silent");
    expect((await disconnect("silent", 100))[0]?.kind).toBe("timeout");
    expect(await hub.event("exchange.ended")).toMatchObject({ outcome: "timeout", nas: "silent" });
    const metrics = await (await fetch(`${hub.api}/metrics`)).text();
    expect(metrics).toMatch(/^radsec_hub_exchanges_total\{request="disconnect",outcome="timeout"\} 1$/m);
  });
});

describe("rules of RADIUS that hold on every transport", () => {
  it("UL-18 a verdict of the hub's own waits as over UDP, and what else is asked meanwhile does not", async () => {
    const clock = new ManualClock(Date.now());
    const { router } = await hubWith({
      clock,
      yaml: "radsec: [{ address: 127.0.0.1, port: 0, rejectDelay: { max: 3s } }]",
    });
    const nas = await router("edge-1");
    nas.request(CODE.accessRequest, [name("edge-1"), USER], 1);
    await nas.register("edge-1");
    clock.advance(980);
    await nas.register("edge-1");
    expect(nas.received.map(({ code }) => code)).toEqual(Array(3).fill(CODE.accessAccept)); // of Status-Server
    clock.advance(2_040);
    expect((await nas.packet(3)).code).toBe(CODE.accessReject);
  });

  it("UL-17 an authorisation check without State is rejected, whoever would answer it", async () => {
    const { router } = await hubWith({ handler: () => ({ kind: "reply", code: CODE.accessAccept, attributes: [] }) });
    const nas = await router("edge-1");
    const asked = [name("edge-1"), USER, integerAttribute(ATTRIBUTE.serviceType, 17)];
    nas.request(CODE.accessRequest, asked, 1);
    expect((await nas.packet(1)).code).toBe(CODE.accessReject);
    nas.request(CODE.accessRequest, [...asked, textAttribute(ATTRIBUTE.state, "s")], 2);
    expect((await nas.packet(2)).code).toBe(CODE.accessAccept);
  });
});
