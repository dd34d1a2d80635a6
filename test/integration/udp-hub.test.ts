import { createSocket, type Socket } from "node:dgram";
import { once } from "node:events";
import { describe, expect, it, onTestFinished } from "vitest";
import { systemRandom } from "../../src/clock.ts";
import {
  type Attribute,
  attribute,
  firstInteger,
  integerAttribute,
  textAttribute,
} from "../../src/radius/attribute.ts";
import {
  encodeRequest,
  encodeResponse,
  SharedSecret,
  verifyRequest,
  verifyResponse,
} from "../../src/radius/authenticator.ts";
import { CODE } from "../../src/radius/codes.ts";
import { decodeDatagram, type Packet } from "../../src/radius/packet.ts";
import { RawNas } from "../support/raw-nas.ts";
import { RunningHub } from "../support/running-hub.ts";

const SECRET = new SharedSecret("a secret of the test");
const NAS = textAttribute(32, "nas-07");
const USER = textAttribute(1, "nemo");

const yaml = (dynauthPort = 3799) => `
udp: [{ name: legacy, addresses: [127.0.0.1], authPort: 0, acctPort: 0, dynauthPort: 0 }]
clients:
  - { name: aaa, transport: udp, match: { network: 127.0.0.2/32 }, secret: a secret of the test, mayTrigger: true }
  - { name: router, transport: udp, match: { network: 127.0.0.3/32 }, secret: a secret of the test, dynauthPort: ${dynauthPort} }
  - { name: routers, match: { issuer: CN=radsec-hub development CA, admitEvery: true } }
`;

/** A UDP socket of a DAC or a legacy router, on an address of its own. */
class Datagrams {
  readonly socket: Socket;
  #closed: Promise<void> | undefined;

  private constructor(socket: Socket) {
    this.socket = socket;
    onTestFinished(() => this.close());
  }

  static async open(address: string): Promise<Datagrams> {
    const socket = createSocket("udp4");
    socket.bind(0, address);
    await once(socket, "listening");
    return new Datagrams(socket);
  }

  get port(): number {
    return this.socket.address().port;
  }

  /** Nobody listens on its port any more. */
  close(): Promise<void> {
    this.#closed ??= new Promise((resolve) => this.socket.close(() => resolve()));
    return this.#closed;
  }

  async next(): Promise<{ packet: Packet; port: number }> {
    const [octets, from] = (await once(this.socket, "message")) as [Buffer, { port: number }];
    return { packet: decodeDatagram(octets), port: from.port };
  }

  async ask(port: number, code: number, attributes: readonly Attribute[]): Promise<{ asked: Packet; reply: Packet }> {
    const octets = encodeRequest(code, 7, attributes, systemRandom.bytes(16), SECRET);
    const reply = this.next();
    this.socket.send(octets, port, "127.0.0.1");
    return { asked: decodeDatagram(octets), reply: (await reply).packet };
  }
}

function portOf(hub: RunningHub, purpose: string): number {
  return hub.addresses.udp.get("legacy")?.find((each) => each.purpose === purpose)?.port ?? 0;
}

describe("a hub with UDP", () => {
  it("DP-01 DP-26 DP-34 a Disconnect to its dynauth port reaches the router behind NAT, and the answer comes back over UDP", async () => {
    const hub = await RunningHub.start({ yaml: yaml() });
    const nas = await RawNas.dial(hub.radsecPort, await hub.credentials("nas-07"));
    await nas.register("nas-07");
    const dac = await Datagrams.open("127.0.0.2");
    const asking = dac.ask(portOf(hub, "dynauth"), CODE.disconnectRequest, [NAS, USER, textAttribute(33, "state")]);
    const request = await nas.packet(1);
    expect(request.attributes.map(({ type }) => type)).toEqual([80, 32, 1, 55]);
    nas.answer(request);
    const { asked, reply } = await asking;
    expect(reply.code).toBe(CODE.disconnectAck);
    expect(verifyResponse(reply, asked.authenticator, SECRET)).toBe("ok");
    expect(reply.attributes.map(({ type }) => type)).toEqual([80, 33]);
  });

  it.each([
    ["User-Name", USER, [1, 44]],
    ["Framed-IPv6-Prefix", attribute(97, Buffer.from("004020010db8000a0000", "hex")), [1, 44, 97]],
    ["Delegated-IPv6-Prefix", attribute(123, Buffer.from("003820010db8000b01", "hex")), [1, 44, 123]],
    // The router told of the prefix only, so that it would not know the address.
    ["Framed-IPv6-Address", attribute(168, Buffer.from("20010db8000b01ff0000000000000005", "hex")), [1, 44]],
  ])("a Disconnect that names only a %s finds the acct session", async (_, named, identification) => {
    const hub = await RunningHub.start({ yaml: `${yaml()}\naccounting: {}` });
    await hub.hub.store?.ready(10_000);
    const nas = await RawNas.dial(hub.radsecPort, await hub.credentials("nas-07"));
    nas.request(CODE.accountingRequest, [
      integerAttribute(40, 1),
      textAttribute(44, "s-1"),
      NAS,
      USER,
      attribute(97, Buffer.from("004020010db8000a0000ffff", "hex")),
      attribute(123, Buffer.from("003820010db8000b0100", "hex")),
    ]);
    expect((await nas.packet(0)).code).toBe(CODE.accountingResponse);
    const dac = await Datagrams.open("127.0.0.2");
    const asking = dac.ask(portOf(hub, "dynauth"), CODE.disconnectRequest, [named]);
    const request = await nas.packet(1);
    const known = request.attributes.map(({ type }) => type).filter((type) => [1, 44, 97, 123, 168].includes(type));
    expect(known.toSorted((left, right) => left - right)).toEqual(identification);
    nas.answer(request);
    expect((await asking).reply.code).toBe(CODE.disconnectAck);
  });

  it("DP-14 a router that nobody knows earns NAK 403 at once", async () => {
    const hub = await RunningHub.start({ yaml: yaml() });
    const dac = await Datagrams.open("127.0.0.2");
    const { reply } = await dac.ask(portOf(hub, "dynauth"), CODE.coaRequest, [NAS, USER]);
    expect([reply.code, firstInteger(reply.attributes, 101)]).toEqual([CODE.coaNak, 403]);
  });

  it("UC-01 POST /disconnect reaches a router that speaks only UDP on its own port", async () => {
    const router = await Datagrams.open("127.0.0.3");
    const hub = await RunningHub.start({ yaml: yaml(router.port) });
    const { reply: rejected } = await router.ask(portOf(hub, "auth"), CODE.accessRequest, [NAS, USER]);
    expect(rejected.code).toBe(CODE.accessReject);
    const asked = fetch(`${hub.api}/disconnect?nas_identifier=nas-07&username=nemo`, { method: "POST" });
    const { packet, port } = await router.next();
    expect(packet.code).toBe(CODE.disconnectRequest);
    expect(verifyRequest(packet, SECRET)).toBe("ok");
    router.socket.send(encodeResponse(packet, CODE.disconnectAck, [], SECRET), port, "127.0.0.1");
    expect((await asked).status).toBe(200);
  });

  it("DP-29 a router whose port for it is closed earns the DAC NAK 406", async () => {
    const router = await Datagrams.open("127.0.0.3");
    const closed = await Datagrams.open("127.0.0.3");
    const { port } = closed;
    await closed.close();
    const hub = await RunningHub.start({ yaml: yaml(port) });
    await router.ask(portOf(hub, "auth"), CODE.statusServer, [NAS]);
    const dac = await Datagrams.open("127.0.0.2");
    const { reply } = await dac.ask(portOf(hub, "dynauth"), CODE.disconnectRequest, [NAS, USER]);
    expect([reply.code, firstInteger(reply.attributes, 101)]).toEqual([CODE.disconnectNak, 406]);
    expect(hub.eventsOf("exchange.ended").map(({ why }) => why)).toEqual(["port-unreachable"]);
  });

  it("shows in /metrics what was lost, by listener", async () => {
    const hub = await RunningHub.start({ yaml: yaml() });
    const router = await Datagrams.open("127.0.0.3");
    await router.ask(portOf(hub, "auth"), CODE.statusServer, []);
    const text = await (await fetch(`${hub.api}/metrics`)).text();
    expect(text.split("\n").filter((line) => line.startsWith("radsec_hub_udp_"))).toEqual([
      'radsec_hub_udp_replies_kept{listener="legacy"} 1',
      'radsec_hub_udp_replies_pushed_out_total{listener="legacy"} 0',
      'radsec_hub_udp_receive_drops_total{listener="legacy"} 0',
    ]);
  });

  it("ST-04 Status-Server gets Access-Accept on the auth port and Accounting-Response on the acct port", async () => {
    const hub = await RunningHub.start({ yaml: yaml() });
    const router = await Datagrams.open("127.0.0.3");
    const auth = await router.ask(portOf(hub, "auth"), CODE.statusServer, []);
    const acct = await router.ask(portOf(hub, "acct"), CODE.statusServer, []);
    expect([auth.reply.code, acct.reply.code]).toEqual([CODE.accessAccept, CODE.accountingResponse]);
  });
});
