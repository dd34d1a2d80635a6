import { describe, expect, it } from "vitest";
import {
  ATTRIBUTE,
  type Attribute,
  attribute,
  firstInteger,
  integerAttribute,
  textAttribute,
} from "../../src/radius/attribute.ts";
import { CODE } from "../../src/radius/codes.ts";
import { decodeDatagram, type Packet } from "../../src/radius/packet.ts";
import { RawNas } from "../support/raw-nas.ts";
import { RunningHub } from "../support/running-hub.ts";
import { NAS, request, UdpHost, USER } from "../support/udp-fixture.ts";

const SECRET = "a secret of sixteen octets";
const STATES = [textAttribute(ATTRIBUTE.proxyState, "b"), textAttribute(ATTRIBUTE.proxyState, "a")];
const text = textAttribute;
const errorCause = (value: number) => integerAttribute(ATTRIBUTE.errorCause, value);

/** How a NAS answers. */
type Answer = (asked: Packet) => { readonly code: number; readonly attributes?: readonly Attribute[] };

/** A hub, an AAA server that speaks UDP to it, and a router behind RadSec. */
class Scene {
  readonly hub: RunningHub;
  readonly dac: UdpHost;
  readonly nas: RawNas;
  /** What the router is asked. */
  readonly asked: Packet[] = [];

  private constructor(hub: RunningHub, dac: UdpHost, nas: RawNas) {
    this.hub = hub;
    this.dac = dac;
    this.nas = nas;
  }

  static async open({ dac = "", dynauth = "", timeout = "1s" } = {}): Promise<Scene> {
    const hub = await RunningHub.start({
      yaml: `
udp: [{ name: lan, addresses: [127.0.0.1], dynauthPort: 0 }]
dynauth: { timeout: ${timeout}, queue: 0, ${dynauth} }
clients:
  - { name: aaa, transport: udp, match: { network: 127.0.0.8 }, secret: ${SECRET}, mayTrigger: true, ${dac} }
  - { name: routers, match: { issuer: CN=radsec-hub development CA, admitEvery: true } }`,
    });
    const nas = await RawNas.dial(hub.radsecPort, await hub.credentials("edge"));
    await nas.register("udp-nas");
    return new Scene(hub, await UdpHost.open("127.0.0.8"), nas);
  }

  get port(): number {
    return this.hub.addresses.udp.get("lan")?.[0]?.port ?? 0;
  }

  /** Has the router answer in this way whatever it is asked; without one it keeps silent. */
  answerAll(answer?: Answer): void {
    void (async () => {
      for (let index = 1; ; index += 1) {
        const packet = await this.nas.packet(index);
        this.asked.push(packet);
        const said = answer?.(packet);
        if (said !== undefined) this.nas.answer(packet, said.code, said.attributes);
      }
    })().catch(() => undefined); // the link has ended
  }

  async reply(code: number, attributes: readonly Attribute[]): Promise<string> {
    const reply = await this.dac.ask(request(code, [...attributes, ...STATES], code), this.port);
    expect(reply.attributes.filter(({ type }) => type === ATTRIBUTE.proxyState)).toEqual(STATES);
    const cause = firstInteger(reply.attributes, ATTRIBUTE.errorCause);
    return `${reply.code - code === 1 ? "ACK" : "NAK"}${cause === undefined ? "" : ` ${cause}`}`;
  }
}

interface Row {
  readonly situation: string;
  readonly answer: string;
  readonly attributes?: readonly Attribute[];
  /** Of the router. */
  readonly nas?: Answer;
  /** Keys of the entry of the AAA server, and of section dynauth. */
  readonly dac?: string;
  readonly dynauth?: string;
  /** Requests that the router is to have. */
  readonly asked?: number;
}

const REALMS = "realms: [visited.example]";
const operator = (realm: string) => text(ATTRIBUTE.operatorName, `1${realm}`);
const ack: Answer = ({ code }) => ({ code: code + 1 });
const nak =
  (cause: number): Answer =>
  ({ code }) => ({ code: code + 2, attributes: [errorCause(cause)] });
const protocolError =
  (cause: number): Answer =>
  ({ code }) => ({
    code: CODE.protocolError,
    attributes: [attribute(ATTRIBUTE.extended1, Buffer.from([4, 0, 0, 0, code])), errorCause(cause)],
  });

const ROWS: readonly Row[] = [
  { situation: "not allowed for this NAS", dac: "reach: { nas: [edge-*] }", answer: "NAK 502" },
  { situation: "not allowed for this realm", dac: "reach: { realms: [other.example] }", answer: "NAK 502" },
  {
    situation: "not allowed for a user who is not named",
    dac: "reach: { realms: [home.example] }",
    attributes: [NAS, text(ATTRIBUTE.acctSessionId, "s1")],
    answer: "NAK 502",
  },
  {
    situation: "allowed for this NAS and this realm",
    dac: "reach: { nas: [udp-*], realms: [home.example] }",
    attributes: [NAS, text(ATTRIBUTE.userName, "nemo@home.example")],
    answer: "ACK",
    asked: 1,
  },
  { situation: "realm that is not ours", attributes: [USER, NAS, operator("else.example")], answer: "NAK 502" },
  { situation: "no Operator-Name between realms", dynauth: `${REALMS}, requireOperatorName: true`, answer: "NAK 502" },
  {
    situation: "Operator-NAS-Identifier not known here",
    dynauth: REALMS,
    attributes: [USER, operator("visited.example"), attribute(ATTRIBUTE.extended1, Buffer.from("0801", "hex"))],
    answer: "NAK 403",
  },
  { situation: "NAS not known here", attributes: [USER, text(ATTRIBUTE.nasIdentifier, "ghost")], answer: "NAK 403" },
  { situation: "only a user, without accounting", attributes: [USER], answer: "NAK 502" },
  { situation: "no NAS or session identification", attributes: [text(18, "hello")], answer: "NAK 402" },
  {
    situation: "forbidden attribute: the router judges",
    attributes: [USER, NAS, integerAttribute(ATTRIBUTE.serviceType, 2)],
    nas: nak(401),
    answer: "NAK 401",
    asked: 1,
  },
  { situation: "Protocol-Error 406", nas: protocolError(406), answer: "NAK 406", asked: 1 },
  { situation: "Protocol-Error 502", nas: protocolError(502), answer: "NAK 502", asked: 1 },
  { situation: "Protocol-Error 601", nas: protocolError(601), answer: "NAK 505", asked: 1 },
  { situation: "ACK", answer: "ACK", asked: 1 },
];

describe("what an AAA server hears from a whole hub: situations of CONFORMANCE section 18", () => {
  it.each(ROWS)("$situation -> $answer, for Disconnect and CoA", async (row) => {
    const { attributes = [USER, NAS], nas = ack, answer, asked = 0 } = row;
    const scene = await Scene.open(row);
    scene.answerAll(nas);
    for (const [index, code] of [CODE.disconnectRequest, CODE.coaRequest].entries()) {
      expect(await scene.reply(code, attributes)).toBe(answer);
      expect(scene.asked).toHaveLength(asked * (index + 1));
    }
  });

  it("DP-12 NAS known, no usable connection: NAK 502 at once", async () => {
    const scene = await Scene.open();
    scene.nas.socket.destroy();
    await scene.hub.event("link.down");
    expect(await scene.reply(CODE.disconnectRequest, [USER, NAS])).toBe("NAK 502");
    expect(scene.hub.eventsOf("exchange.ended").map(({ outcome }) => outcome)).toEqual(["no-route"]);
  });

  it("CON-13 all IDs in flight, queue full: NAK 506 for one more", async () => {
    const scene = await Scene.open({ timeout: "30s" });
    scene.answerAll();
    for (let identifier = 0; identifier < 255; identifier += 1) {
      scene.dac.send(request(CODE.disconnectRequest, [USER, NAS], identifier), scene.port);
    }
    const other = await UdpHost.open("127.0.0.8");
    const reply = await other.ask(request(CODE.coaRequest, [USER, NAS]), scene.port);
    expect([reply.code, firstInteger(reply.attributes, ATTRIBUTE.errorCause)]).toEqual([CODE.coaNak, 506]);
    expect(scene.dac.received).toEqual([]);
  });

  it("DP-32 NAS silent: no answer, to the retransmissions of the time neither; one after that is a new try", async () => {
    const scene = await Scene.open();
    scene.answerAll();
    const octets = request(CODE.disconnectRequest, [USER, NAS]);
    for (let copy = 0; copy < 3; copy += 1) scene.dac.send(octets, scene.port);
    await scene.hub.event("exchange.ended", ({ outcome }) => outcome === "timeout");
    const none = await scene.dac.ask(request(CODE.disconnectRequest, [text(18, "hello")], 9), scene.port);
    expect(none.code).toBe(CODE.disconnectNak);
    expect([scene.dac.received.length, scene.asked.length]).toEqual([1, 1]);
    scene.dac.send(octets, scene.port);
    await expect.poll(() => scene.asked.length).toBe(2);
    expect(scene.asked[1]?.authenticator).not.toEqual(scene.asked[0]?.authenticator);
  });

  it("DP-28 the router's link ends before it has answered: no answer", async () => {
    const scene = await Scene.open();
    scene.dac.send(request(CODE.coaRequest, [USER, NAS]), scene.port);
    await scene.nas.packet(1);
    scene.nas.socket.destroy();
    await scene.hub.event("exchange.ended", ({ outcome }) => outcome === "closed");
    const none = await scene.dac.ask(request(CODE.disconnectRequest, [text(18, "hello")], 9), scene.port);
    expect(decodeDatagram(scene.dac.received[0]?.octets ?? none.octets).identifier).toBe(9);
  });
});
