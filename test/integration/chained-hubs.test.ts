import { describe, expect, it } from "vitest";
import { systemRandom } from "../../src/clock.ts";
import {
  type Attribute,
  ATTRIBUTE,
  firstInteger,
  firstValue,
  integerAttribute,
  textAttribute,
} from "../../src/radius/attribute.ts";
import { RADSEC_SECRET } from "../../src/radius/authenticator.ts";
import { CODE } from "../../src/radius/codes.ts";
import {
  hideTunnelPassword,
  hideUserPassword,
  revealTunnelPassword,
  revealUserPassword,
} from "../../src/radius/hidden.ts";
import { connected, knows, post, upstreamOf } from "../support/chained-hubs.ts";
import { RawNas } from "../support/raw-nas.ts";
import { hubConfig, RunningHub } from "../support/running-hub.ts";
import { UdpRouter } from "../support/udp-router.ts";

const SECRET = "a secret of the test";
const DISCONNECT = "/disconnect?nas_identifier=router-1&username=nemo";
const USER = textAttribute(ATTRIBUTE.userName, "nemo");
const name = (text: string): Attribute => textAttribute(ATTRIBUTE.nasIdentifier, text);
const types = (attributes: readonly Attribute[] | undefined): number[] => (attributes ?? []).map(({ type }) => type);

/** Hub A, that hub B dials out to. */
const UPPER = `
node: { name: hub-a }
udp: [{ name: dac, addresses: [127.0.0.1], dynauthPort: 0 }]
clients:
  - { name: hub-b, match: { commonName: hub-b }, role: hub }
  - { name: aaa, transport: udp, match: { network: 127.0.0.2/32 }, secret: ${SECRET}, mayTrigger: true, reach: { nas: [router-1, "legacy-*"] } }
`;
const routers = (more = "") => `
clients:
  - { name: routers, match: { issuer: CN=radsec-hub development CA, admitEvery: true } }
${more}`;

interface Chain {
  readonly upper?: string;
  readonly lower?: string;
  readonly clients?: string;
  readonly server?: string;
  readonly mayTrigger?: boolean;
}

async function chain(options: Chain = {}) {
  const { upper = "", lower = "", clients = "", server, mayTrigger = true } = options;
  const a = await RunningHub.start({ yaml: UPPER + upper });
  await a.hub.store?.ready(10_000);
  const b = await RunningHub.start({
    yaml: `node: { name: hub-b }\n${lower}${routers(clients)}${(await upstreamOf(a, "hub-b", server)).replace("mayTrigger: true", `mayTrigger: ${mayTrigger}`)}`,
  });
  await connected(b);
  return { a, b };
}

/** A router behind a hub, that the hubs above have learnt of by its Access-Request. */
async function router(hub: RunningHub, nasIdentifier: string, ...above: RunningHub[]): Promise<RawNas> {
  const nas = await RawNas.dial(hub.radsecPort, await hub.credentials(nasIdentifier));
  nas.request(CODE.accessRequest, [name(nasIdentifier), USER], 1);
  expect((await nas.packet(0)).code).toBe(CODE.accessReject);
  for (const each of above) await knows(each, nasIdentifier);
  return nas;
}

describe("a hub behind a hub", () => {
  it("learns upwards: Access-Request of the router, Status-Server of the hub; a Disconnect asked above comes down, ACK and NAK go up", async () => {
    const { a, b } = await chain();
    const nas = await router(b, "router-1", a);
    await knows(a, "hub-b");
    const acknowledged = post(a, DISCONNECT);
    const request = await nas.packet(1);
    // DP-24: no mark for a router.
    expect([request.code, types(request.attributes)]).toEqual([CODE.disconnectRequest, [80, 1, 32, 55]]);
    nas.answer(request);
    expect(await acknowledged).toMatchObject({ status: 200, body: { outcome: "ack" } });
    const refused = post(a, DISCONNECT);
    nas.answer(await nas.packet(2), CODE.disconnectNak, [integerAttribute(ATTRIBUTE.errorCause, 503)]);
    expect(await refused).toMatchObject({ status: 409, body: { error_cause: { number: 503 } } });
    expect(b.eventsOf("exchange.ended").map(({ trigger, outcome }) => `${trigger} ${outcome}`)).toEqual([
      "radsec ack",
      "radsec nak",
    ]);
  });

  it("DP-09 DP-34 passes a UDP trigger down, within what its AAA server may reach: not another NAS of the same link", async () => {
    const { a, b } = await chain();
    const nas = await router(b, "router-1", a);
    const other = await router(b, "other-1", a);
    const dac = await UdpRouter.open(SECRET, "127.0.0.2");
    const port = a.addresses.udp.get("dac")?.[0]?.port ?? 0;
    const states = [textAttribute(ATTRIBUTE.proxyState, "one"), textAttribute(ATTRIBUTE.proxyState, "two")];
    dac.request(CODE.coaRequest, [name("router-1"), USER, ...states], port);
    const request = await nas.packet(1);
    expect(types(request.attributes)).toEqual([80, 32, 1, 55]);
    nas.answer(request);
    await expect.poll(() => dac.replies.map(({ code }) => code)).toEqual([CODE.coaAck]);
    expect(dac.replies[0]?.attributes.filter(({ type }) => type === ATTRIBUTE.proxyState)).toEqual(states);
    dac.request(CODE.disconnectRequest, [name("other-1"), USER], port);
    await expect.poll(() => dac.replies.map(({ code }) => code)).toEqual([CODE.coaAck, CODE.disconnectNak]);
    expect(firstInteger(dac.replies[1]?.attributes ?? [], ATTRIBUTE.errorCause)).toBe(502);
    expect(other.received).toHaveLength(1);
  });

  it("finds a user by the accounting that has passed through, on the link that brought it", async () => {
    const { a, b } = await chain({ upper: "accounting: { enabled: true }\n" });
    const nas = await RawNas.dial(b.radsecPort, await b.credentials("router-1"));
    nas.request(
      CODE.accountingRequest,
      [integerAttribute(40, 1), name("router-1"), USER, textAttribute(44, "cafe")],
      1,
    );
    expect((await nas.packet(0)).code).toBe(CODE.accountingResponse);
    const asked = post(a, "/disconnect?username=nemo");
    const request = await nas.packet(1);
    expect(types(request.attributes)).toEqual([80, 1, 44, 32, 55]);
    nas.answer(request);
    expect((await asked).status).toBe(200);
  });

  it("reaches a legacy router of the lower hub on its UDP port", async () => {
    const legacy = await UdpRouter.open(SECRET, "127.0.0.6");
    const { a, b } = await chain({
      lower: "udp: [{ name: lan, addresses: [127.0.0.1], authPort: 0 }]\n",
      clients: `  - { name: legacy, transport: udp, match: { network: 127.0.0.6/32 }, secret: ${SECRET}, dynauthPort: ${legacy.port} }`,
    });
    legacy.request(CODE.accessRequest, [name("legacy-1"), USER], b.addresses.udp.get("lan")?.[0]?.port ?? 0);
    await knows(a, "legacy-1");
    expect((await post(a, "/disconnect?nas_identifier=legacy-1&username=nemo")).status).toBe(200);
    expect(types(legacy.received[0]?.attributes)).toEqual([80, 1, 32, 55]);
  });

  it.each([
    { kinds: "[]", router: 502, legacy: 502 },
    { kinds: "[udp]", router: 502, legacy: undefined },
    { kinds: "[tls]", router: undefined, legacy: 502 },
  ])("answers here what reverseFromUpstreams: $kinds does not let down: NAK 502", async (row) => {
    const legacy = await UdpRouter.open(SECRET, "127.0.0.6");
    const { a, b } = await chain({
      lower: `udp: [{ name: lan, addresses: [127.0.0.1], authPort: 0 }]\ndynauth: { reverseFromUpstreams: ${row.kinds} }\n`,
      clients: `  - { name: legacy, transport: udp, match: { network: 127.0.0.6/32 }, secret: ${SECRET}, dynauthPort: ${legacy.port} }`,
    });
    const nas = await router(b, "router-1", a);
    void nas.packet(1).then(
      (request) => nas.answer(request),
      () => undefined,
    );
    legacy.request(CODE.accessRequest, [name("legacy-1"), USER], b.addresses.udp.get("lan")?.[0]?.port ?? 0);
    await knows(a, "legacy-1");
    const cause = async (nasIdentifier: string) => {
      const { status, body } = await post(a, `/disconnect?nas_identifier=${nasIdentifier}&username=nemo`);
      return status === 200 ? undefined : (body["error_cause"] as { number: number }).number;
    };
    expect([await cause("router-1"), await cause("legacy-1")]).toEqual([row.router, row.legacy]);
  });

  it("PE-01 PE-05 gets nowhere without mayTrigger: Protocol-Error 406, and no router hears of it", async () => {
    const { a, b } = await chain({ mayTrigger: false });
    const nas = await router(b, "router-1", a);
    for (const path of [DISCONNECT, "/coa?nas_identifier=router-1&username=nemo"]) {
      expect(await post(a, path)).toMatchObject({
        status: 409,
        body: { error_cause: { number: 406 }, reply: { code: CODE.protocolError } },
      });
    }
    expect(nas.received).toHaveLength(1);
  });

  it("DP-09 gets no further than `reach` of its upstream says", async () => {
    const { a, b } = await chain({ server: ", reach: { nas: [router-1], codes: [Disconnect-Request] }" });
    const nas = await router(b, "router-1", a);
    const other = await router(b, "other-1", a);
    const cause = async (path: string) => ((await post(a, path)).body["error_cause"] as { number: number }).number;
    expect(await cause("/coa?nas_identifier=router-1&username=nemo")).toBe(502);
    expect(await cause("/disconnect?nas_identifier=other-1&username=nemo")).toBe(502);
    expect([nas.received.length, other.received.length]).toEqual([1, 1]);
    const asked = post(a, DISCONNECT);
    nas.answer(await nas.packet(1));
    expect((await asked).status).toBe(200);
  });

  it("is led to by every link that it has, and again at once when it comes back", async () => {
    const { a, b } = await chain({ server: ", links: 2" });
    const nas = await router(b, "router-1", a);
    await expect.poll(() => a.hub.registry.byNasIdentifier("router-1").length).toBe(2);
    for (const { link } of a.hub.registry.byNasIdentifier("router-1")) link.close("operator");
    expect((await post(a, DISCONNECT)).status).toBe(404);
    await knows(a, "router-1");
    const asked = post(a, DISCONNECT);
    nas.answer(await nas.packet(1));
    expect((await asked).status).toBe(200);
  });

  it("gets what nobody is known for, where a rule of the upper hub says so", async () => {
    const { a, b } = await chain({
      upper:
        'dynauth: { select: [{ match: { nasIdentifier: "%{request.NAS-Identifier}" } }, { match: { client: hub-b } }] }\n',
    });
    const nas = await RawNas.dial(b.radsecPort, await b.credentials("router-1"));
    await nas.register("router-1"); // Status-Server goes no further than its hub (ST-03)
    const asked = post(a, DISCONNECT);
    nas.answer(await nas.packet(1));
    expect((await asked).status).toBe(200);
    expect(await post(a, "/disconnect?nas_identifier=ghost&username=nemo")).toMatchObject({
      status: 409,
      body: { error_cause: { number: 403 } },
    });
  });
});

describe("another code in reverse", () => {
  it("CRY-04 CRY-15 an Access-Request comes down where `reverse` lists it, what it and its answer hide readable at each end", async () => {
    const a = await RunningHub.start({ yaml: UPPER.replace("role: hub", "role: hub, reverse: [Access-Request]") });
    const b = await RunningHub.start({
      yaml: `node: { name: hub-b }\n${routers().replace("admitEvery: true }", "admitEvery: true }, reverse: [Access-Request]")}${await upstreamOf(a, "hub-b")}`,
    });
    await connected(b);
    const nas = await router(b, "router-1", a);
    const dac = await UdpRouter.open(SECRET, "127.0.0.2");
    const port = a.addresses.udp.get("dac")?.[0]?.port ?? 0;
    const authenticator = systemRandom.bytes(16);
    const password = hideUserPassword(Buffer.from("open sesame"), dac.secret, authenticator);
    dac.request(CODE.accessRequest, [name("router-1"), USER, { type: 2, value: password }], port, authenticator);
    const request = await nas.packet(1);
    expect([request.code, types(request.attributes)]).toEqual([CODE.accessRequest, [80, 32, 1, 2]]);
    expect(request.authenticator).not.toEqual(authenticator);
    const hidden = firstValue(request.attributes, ATTRIBUTE.userPassword) as Buffer;
    expect(revealUserPassword(hidden, RADSEC_SECRET, request.authenticator)?.toString()).toBe("open sesame");
    const key = { tag: 1, password: Buffer.from("a key") };
    const tunnel = hideTunnelPassword(key, 0x8001, RADSEC_SECRET, request.authenticator);
    nas.answer(request, CODE.accessAccept, [{ type: ATTRIBUTE.tunnelPassword, value: tunnel }]);
    await expect.poll(() => dac.replies.map(({ code }) => code)).toEqual([CODE.accessAccept]);
    const back = firstValue(dac.replies[0]?.attributes ?? [], ATTRIBUTE.tunnelPassword) as Buffer;
    expect(revealTunnelPassword(back, dac.secret, authenticator)).toEqual(key);
  });

  it("is silence where nobody lists it: other codes have no NAK", async () => {
    const { a, b } = await chain({ upper: "" });
    await router(b, "router-1", a);
    const dac = await UdpRouter.open(SECRET, "127.0.0.2");
    const port = a.addresses.udp.get("dac")?.[0]?.port ?? 0;
    dac.request(CODE.accessRequest, [name("router-1"), USER], port);
    await a.event("packet.dropped", ({ reason }) => reason === "handler-discard");
    expect(dac.replies).toEqual([]);
  });
});

describe("three hubs in a row", () => {
  it("a Disconnect asked at the first comes to a router of the third, and its answer back", async () => {
    const a = await RunningHub.start({ yaml: UPPER });
    const b = await RunningHub.start({
      yaml: `node: { name: hub-b }\nclients: [{ name: hub-c, match: { commonName: hub-c }, role: hub }]\n${await upstreamOf(a, "hub-b")}`,
    });
    const c = await RunningHub.start({ yaml: `node: { name: hub-c }\n${routers()}${await upstreamOf(b, "hub-c")}` });
    await Promise.all([connected(b), connected(c)]);
    const nas = await router(c, "router-1", a, b);
    const asked = post(a, DISCONNECT);
    const request = await nas.packet(1);
    expect(types(request.attributes)).toEqual([80, 1, 32, 55]);
    nas.answer(request);
    expect((await asked).status).toBe(200);
    const refused = post(a, "/coa?nas_identifier=router-1&username=nemo&session_id=cafe");
    nas.answer(await nas.packet(2), CODE.coaNak, [integerAttribute(ATTRIBUTE.errorCause, 401)]);
    expect(await refused).toMatchObject({ status: 409, body: { error_cause: { number: 401 } } });
  });
});

describe("two hubs that are pointed at each other", () => {
  const ROUTES = (other: string) =>
    `dynauth: { select: [{ match: { nasIdentifier: "%{request.NAS-Identifier}" } }, { match: { client: ${other} } }] }\n`;

  async function pair(): Promise<{ a: RunningHub; b: RunningHub }> {
    const upper = `node: { name: hub-a }
${ROUTES("hub-b")}clients:
  - { name: hub-b, match: { commonName: hub-b }, role: hub }
  - { name: routers, match: { issuer: CN=radsec-hub development CA, admitEvery: true } }
`;
    const a = await RunningHub.start({ yaml: upper });
    const b = await RunningHub.start({
      yaml: `node: { name: hub-b }\n${ROUTES("hub-a")}clients: [{ name: hub-a, match: { commonName: hub-a }, role: hub }]\n${await upstreamOf(a, "hub-b")}`,
    });
    await a.hub.apply(hubConfig(upper + (await upstreamOf(b, "hub-a")), a.folder));
    await Promise.all([connected(a), connected(b)]);
    await Promise.all([knows(a, "hub-b"), knows(b, "hub-a")]);
    return { a, b };
  }

  it("DP-31 a Disconnect for nobody comes back to the hub that asked for it, and ends there by its mark with NAK 502", async () => {
    const { a, b } = await pair();
    expect(await post(a, "/disconnect?nas_identifier=ghost&username=nemo")).toMatchObject({
      status: 409,
      body: { error_cause: { number: 502 }, reply: { attributes: [{ name: "Error-Cause" }] } },
    });
    expect([a.eventsOf("exchange.ended").length, b.eventsOf("exchange.ended").length]).toEqual([1, 1]);
  });

  it("an Access-Request goes round once and is answered Protocol-Error 502, not for ever", async () => {
    const { a, b } = await pair();
    const nas = await RawNas.dial(a.radsecPort, await a.credentials("router-1"));
    nas.request(CODE.accessRequest, [name("router-1"), USER], 1);
    const reply = await nas.packet(0);
    expect([reply.code, firstInteger(reply.attributes, ATTRIBUTE.errorCause)]).toEqual([CODE.protocolError, 502]);
    // What B says of router-1 is not believed: it is a router of A.
    expect(a.hub.registry.byNasIdentifier("router-1").map(({ link }) => link.client.name)).toEqual(["routers"]);
    const asked = post(b, DISCONNECT);
    nas.answer(await nas.packet(1));
    expect((await asked).status).toBe(200);
  });
});
