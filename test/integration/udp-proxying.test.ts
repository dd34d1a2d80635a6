import { describe, expect, it } from "vitest";
import {
  ATTRIBUTE,
  type Attribute,
  attribute,
  firstInteger,
  firstValue,
  integerAttribute,
  textAttribute,
} from "../../src/radius/attribute.ts";
import { encodeResponse } from "../../src/radius/authenticator.ts";
import { CODE } from "../../src/radius/codes.ts";
import { decodeDatagram, type Packet } from "../../src/radius/packet.ts";
import { RawNas } from "../support/raw-nas.ts";
import { RunningHub } from "../support/running-hub.ts";
import { NAS, RECORD, request, SECRET, UdpHost, USER } from "../support/udp-fixture.ts";

const HOME = "127.0.0.2";
const LEGACY = "127.0.0.3";
const SECRET_TEXT = "a secret of sixteen octets";
const OPERATOR = textAttribute(ATTRIBUTE.operatorName, "1visited.example");
const OPERATOR_NAS = attribute(ATTRIBUTE.extended1, Buffer.from("080a1b2c", "hex"));

interface Setting {
  /** Further keys of the entry of the AAA server. */
  readonly dac?: string;
  /** Where a legacy router takes Disconnects. */
  readonly dynauthPort?: number;
  readonly yaml?: string;
}

/** A hub with an AAA server at HOME that may trigger, and a router behind RadSec. */
async function network({ dac = "", dynauthPort = 3799, yaml = "" }: Setting = {}) {
  const hub = await RunningHub.start({
    yaml: `
udp: [{ name: lan, addresses: [127.0.0.1], authPort: 0, acctPort: 0, dynauthPort: 0 }]
dynauth:
  realms: [visited.example]
  operatorNas: [{ operatorNasIdentifier: "0a1b2c", nasIdentifier: udp-nas }]
clients:
  - { name: aaa, transport: udp, match: { network: ${HOME} }, secret: ${SECRET_TEXT}, mayTrigger: true, ${dac} }
  - { name: legacy, transport: udp, match: { network: ${LEGACY} }, secret: ${SECRET_TEXT}, dynauthPort: ${dynauthPort} }
  - { name: routers, match: { issuer: CN=radsec-hub development CA, admitEvery: true } }
${yaml}`,
  });
  const port = (purpose: string) =>
    hub.addresses.udp.get("lan")?.find((each) => each.purpose === purpose)?.port as number;
  return { hub, port, home: await UdpHost.open(HOME) };
}

async function router(hub: RunningHub): Promise<RawNas> {
  const nas = await RawNas.dial(hub.radsecPort, await hub.credentials("edge"));
  await nas.register("udp-nas");
  return nas;
}

const types = ({ attributes }: Packet): number[] => attributes.map(({ type }) => type);

describe("a request of an AAA server on its way to the NAS", () => {
  it.each([
    { what: "was named by Operator-NAS-Identifier alone", attributes: [USER, OPERATOR, OPERATOR_NAS], dac: "" },
    { what: "is named by what a filter takes away", attributes: [USER, NAS], dac: 'filter: { select: "1" }' },
  ])("DP-15 DP-16 a NAS that $what is named by its own identity, and hears of no operator", async (row) => {
    const { hub, port, home } = await network(row);
    const nas = await router(hub);
    home.send(request(CODE.disconnectRequest, row.attributes), port("dynauth"));
    const asked = await nas.packet(1);
    expect(types(asked)).toEqual([80, 1, 32, 55]);
    expect(firstValue(asked.attributes, ATTRIBUTE.nasIdentifier)).toEqual(NAS.value);
    nas.answer(asked);
    expect((await home.packet()).code).toBe(CODE.disconnectAck);
  });

  it.each([
    { what: "said what it is called before", entry: "", earlier: true, named: NAS.value.toString() },
    { what: "is named by its entry alone", entry: "nasIdentifier: from-yaml", earlier: false, named: "from-yaml" },
    { what: "nobody can name gets nothing, and the AAA server NAK 402", entry: "", earlier: false, named: undefined },
  ])("DP-16 RC-08 a NAS that a select rule finds and that $what", async ({ entry, earlier, named }) => {
    const hub = await RunningHub.start({
      yaml: `
udp: [{ name: lan, addresses: [127.0.0.1], dynauthPort: 0 }]
dynauth: { select: [{ match: { client: edge } }] }
clients:
  - { name: aaa, transport: udp, match: { network: ${HOME} }, secret: ${SECRET_TEXT}, mayTrigger: true }
  - { name: edge, match: { commonName: edge }, ${entry} }
`,
    });
    const port = hub.addresses.udp.get("lan")?.[0]?.port as number;
    const credentials = await hub.credentials("edge");
    if (earlier) {
      const before = await RawNas.dial(hub.radsecPort, credentials);
      await before.register("udp-nas");
      before.socket.destroy();
      await expect.poll(() => hub.hub.registry.size).toBe(0);
    }
    const nas = await RawNas.dial(hub.radsecPort, credentials);
    await expect.poll(() => hub.hub.registry.size).toBe(1);
    const home = await UdpHost.open(HOME);
    home.send(request(CODE.disconnectRequest, [USER]), port);
    if (named === undefined) {
      const reply = await home.packet();
      expect([reply.code, firstInteger(reply.attributes, ATTRIBUTE.errorCause)]).toEqual([CODE.disconnectNak, 402]);
      expect(nas.received).toEqual([]);
      return;
    }
    const asked = await nas.packet(0);
    expect(firstValue(asked.attributes, ATTRIBUTE.nasIdentifier)?.toString()).toBe(named);
    nas.answer(asked);
    expect((await home.packet()).code).toBe(CODE.disconnectAck);
  });

  it("UC-07 DP-33 to a legacy router: what names only a user gets session id, NAS identity and Event-Timestamp", async () => {
    const das = await UdpHost.open(LEGACY);
    const { hub, port, home } = await network({ dynauthPort: das.port, yaml: "accounting: {}" });
    await hub.hub.store?.ready(10_000);
    const legacy = await UdpHost.open(LEGACY);
    const address = attribute(ATTRIBUTE.nasIpAddress, Buffer.from([10, 0, 0, 3]));
    await legacy.ask(request(CODE.accountingRequest, [...RECORD, USER, address]), port("acct"));
    home.send(request(CODE.disconnectRequest, [USER]), port("dynauth"));
    const { octets, from } = await das.datagram();
    const asked = decodeDatagram(octets);
    expect(types(asked)).toEqual([80, 1, 44, 32, 4, 55]);
    das.answer(asked, from);
    expect((await home.packet()).code).toBe(CODE.disconnectAck);
  });

  it("DP-30 a user without an open acct session is NAK 503", async () => {
    const { hub, port, home } = await network({ yaml: "accounting: {}" });
    await hub.hub.store?.ready(10_000);
    const reply = await home.ask(request(CODE.disconnectRequest, [USER]), port("dynauth"));
    expect([reply.code, firstInteger(reply.attributes, ATTRIBUTE.errorCause)]).toEqual([CODE.disconnectNak, 503]);
  });
});

describe("a hub between NAS and home server", () => {
  it("DP-19 edits nothing on the way up: what the home server sends back names the session as the NAS wrote it", async () => {
    const server = await UdpHost.open(HOME);
    const { hub, port, home } = await network({
      yaml: `
upstreams:
  servers: [{ name: home, transport: udp, host: ${HOME}, authPort: ${server.port}, acctPort: ${server.port}, secret: ${SECRET_TEXT} }]
  pools: [{ name: home, servers: home }]
realms: [{ pool: home }]`,
    });
    const nas = await router(hub);
    const written: Attribute[] = [
      textAttribute(ATTRIBUTE.userName, "Nemo@Home.example"),
      NAS,
      attribute(ATTRIBUTE.nasIpAddress, Buffer.from([10, 0, 0, 7])),
      integerAttribute(ATTRIBUTE.nasPort, 7),
      textAttribute(ATTRIBUTE.calledStationId, "00-1B-63-84-45-E6:ssid"),
      textAttribute(ATTRIBUTE.callingStationId, "aabb.ccdd.eeff"),
      textAttribute(ATTRIBUTE.acctSessionId, "  0008f2 "),
      attribute(ATTRIBUTE.vendorSpecific, Buffer.from("0000000901076162633d78", "hex")),
    ];
    nas.request(CODE.accessRequest, written, 7);
    const isLogin = ({ octets }: { readonly octets: Buffer }) => octets[0] === CODE.accessRequest;
    await expect.poll(() => server.received.filter(isLogin)).toHaveLength(1);
    const { octets, from } = server.received.find(isLogin) as (typeof server.received)[number];
    const login = decodeDatagram(octets);
    server.send(encodeResponse(login, CODE.accessAccept, [], SECRET), from.port, from.address);
    expect((await nas.packet(1)).code).toBe(CODE.accessAccept);
    const seen = login.attributes.filter(({ type }) => type !== ATTRIBUTE.messageAuthenticator && type !== 33);
    expect(seen).toEqual(written);
    home.send(request(CODE.coaRequest, seen), port("dynauth"));
    const asked = await nas.packet(2);
    expect(asked.code).toBe(CODE.coaRequest);
    expect(asked.attributes.slice(1, -1)).toEqual(written);
  });
});
