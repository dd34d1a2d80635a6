import { describe, expect, it } from "vitest";
import { ATTRIBUTE, firstInteger, integerAttribute, textAttribute } from "../../src/radius/attribute.ts";
import { CODE } from "../../src/radius/codes.ts";
import { decodeDatagram } from "../../src/radius/packet.ts";
import type { UdpPurpose } from "../../src/transport/udp-port.ts";
import { hubConfig, RunningHub } from "../support/running-hub.ts";
import { NAS, RECORD, request, UdpHost, USER } from "../support/udp-fixture.ts";

const SECRET = "a secret of sixteen octets";
const PORTS = "authPort: 0, acctPort: 0, dynauthPort: 0";

/** Two sets of addresses, and a router of one address that both may hear. */
const sets = (more: { one?: string; two?: string; yaml?: string } = {}) => `
udp:
  - { name: one, addresses: [127.0.0.1, "::1"], ${PORTS}, ${more.one ?? ""} }
  - { name: two, addresses: [127.0.0.2], ${PORTS}, ${more.two ?? ""} }
clients:
  - { name: router, transport: udp, match: { network: 127.0.0.9 }, secret: ${SECRET} }
  - { name: dac, transport: udp, match: { network: [127.0.0.8, "::1"] }, secret: ${SECRET}, mayTrigger: true }
${more.yaml ?? ""}`;

function portOf(hub: RunningHub, listener: string, purpose: UdpPurpose, address: string): number {
  const sockets = hub.addresses.udp.get(listener) ?? [];
  return sockets.find((each) => each.purpose === purpose && each.address === address)?.port ?? 0;
}

const GHOST = [textAttribute(ATTRIBUTE.nasIdentifier, "ghost"), USER];

/** What a DAC hears of a NAS that nobody knows: the code and the Error-Cause, or nothing before what it asks next is answered. */
async function heard(hub: RunningHub, dac: UdpHost, listener: string, address: string) {
  const port = portOf(hub, listener, "dynauth", address);
  const before = dac.received.length;
  dac.send(request(CODE.disconnectRequest, GHOST, 1), port, address);
  const reply = await dac.ask(request(CODE.disconnectRequest, [textAttribute(18, "whom?")], 2), port, { address });
  expect(firstInteger(reply.attributes, ATTRIBUTE.errorCause)).toBe(402);
  const [first] = dac.received.slice(before).filter(({ octets }) => octets[1] === 1);
  return first === undefined ? undefined : first.octets.readUInt32BE(first.octets.length - 4);
}

describe("several sets of UDP addresses in one hub", () => {
  it("each answers a trigger without route in its own way, and a reload changes that", async () => {
    const yaml = sets({ two: "noRoute: { answer: nak, errorCause: 501 }" });
    const hub = await RunningHub.start({ yaml });
    const dac = await UdpHost.open("127.0.0.8");
    expect(await heard(hub, dac, "one", "127.0.0.1")).toBe(403);
    expect(await heard(hub, dac, "two", "127.0.0.2")).toBe(501);
    const applied = await hub.hub.apply(
      hubConfig(sets({ one: "noRoute: { answer: silence }", two: "noRoute: { errorCause: 505 }" }), hub.folder),
    );
    expect(applied).toEqual({ changed: ["udp"], needsRestart: [] });
    expect(await heard(hub, dac, "one", "127.0.0.1")).toBeUndefined();
    expect(await heard(hub, dac, "two", "127.0.0.2")).toBe(505);
  });

  it("Access-Reject is an answer too, signed for who asked, with its Proxy-States", async () => {
    const hub = await RunningHub.start({ yaml: sets({ one: "noRoute: { answer: access-reject }" }) });
    const dac = await UdpHost.open("127.0.0.8");
    const state = textAttribute(ATTRIBUTE.proxyState, "p");
    const octets = request(CODE.coaRequest, [...GHOST, state]);
    const reply = await dac.ask(octets, portOf(hub, "one", "dynauth", "127.0.0.1"));
    expect([reply.code, reply.attributes.slice(1)]).toEqual([CODE.accessReject, [state]]);
  });

  it("a rule of `realms` goes by the set that a request came in by, whatever else the router speaks to", async () => {
    const home = await UdpHost.open("127.0.0.7");
    const upstreams = `
upstreams:
  servers: [{ name: home, transport: udp, host: 127.0.0.7, authPort: ${home.port}, acctPort: ${home.port}, secret: ${SECRET} }]
  pools: [{ name: home, servers: home }]
realms: [{ listeners: two, pool: home }]`;
    const hub = await RunningHub.start({ yaml: sets({ yaml: upstreams }) });
    const router = await UdpHost.open("127.0.0.9");
    const logins = () => home.received.filter(({ octets }) => octets[0] === CODE.accessRequest).length;
    await router.ask(request(CODE.accessRequest, [NAS, USER], 1), portOf(hub, "one", "auth", "127.0.0.1"));
    expect(logins()).toBe(0);
    router.send(request(CODE.accessRequest, [NAS, USER], 2), portOf(hub, "two", "auth", "127.0.0.2"), "127.0.0.2");
    await expect.poll(logins).toBe(1);
  });

  it("an acct session says which set its accounting came in by", async () => {
    const hub = await RunningHub.start({ yaml: sets({ yaml: "accounting: {}" }) });
    await hub.hub.store?.ready(10_000);
    const router = await UdpHost.open("127.0.0.9");
    for (const [listener, address] of [
      ["one", "127.0.0.1"],
      ["two", "127.0.0.2"],
    ] as const) {
      const record = [...RECORD.slice(0, 2), textAttribute(ATTRIBUTE.acctSessionId, listener), USER];
      const octets = request(CODE.accountingRequest, record);
      await router.ask(octets, portOf(hub, listener, "acct", address), { address });
    }
    const { sessions } = (await (await fetch(`${hub.api}/v1/sessions`)).json()) as {
      sessions: { session_id: string; listener: string }[];
    };
    const said = sessions.map((each) => [each.session_id, each.listener]);
    expect(Object.fromEntries(said)).toEqual({ one: "one", two: "two" });
  });

  it("a trigger over IPv6 reaches a router over IPv4, and its answer comes back over IPv6", async () => {
    const router = await UdpHost.open("127.0.0.9");
    const yaml = sets().replace("name: router, ", `name: router, dynauthPort: ${router.port}, `);
    const hub = await RunningHub.start({ yaml });
    await router.ask(request(CODE.statusServer, [NAS]), portOf(hub, "two", "auth", "127.0.0.2"), {
      address: "127.0.0.2",
    });
    router.socket.on("message", (octets, from) => {
      if (octets[0] === CODE.coaRequest) router.answer(decodeDatagram(octets), from);
    });
    const dac = await UdpHost.open("::1");
    const port = portOf(hub, "one", "dynauth", "::1");
    const reply = await dac.ask(request(CODE.coaRequest, [NAS, USER, integerAttribute(27, 60)]), port, {
      address: "::1",
    });
    expect(reply.code).toBe(CODE.coaAck);
    // It asks from the address that the router speaks to.
    expect(router.received.at(-1)?.from.address).toBe("127.0.0.2");
  });
});
