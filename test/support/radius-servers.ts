import { createSocket, type RemoteInfo, type Socket } from "node:dgram";
import { once } from "node:events";
import type { AddressInfo } from "node:net";
import { createServer, type Server, type TLSSocket } from "node:tls";
import { expect, onTestFinished, vi } from "vitest";
import { systemRandom } from "../../src/clock.ts";
import type { Attribute } from "../../src/radius/attribute.ts";
import {
  encodeRequest,
  encodeResponse,
  RADSEC_SECRET,
  type SharedSecret,
  signResponse,
  verifyRequest,
} from "../../src/radius/authenticator.ts";
import { CODE } from "../../src/radius/codes.ts";
import { PacketFramer } from "../../src/radius/framing.ts";
import { decodePacket, encodePacket, type Packet } from "../../src/radius/packet.ts";
import type { TestCa, TestCertificate } from "./test-pki.ts";

/** What a server answers; undefined is silence. */
export type Script = (packet: Packet) => Answer | undefined;

export interface Answer {
  readonly code: number;
  readonly attributes?: readonly Attribute[];
  /** Signed without Message-Authenticator, as an old server does, or an attacker (BR-08). */
  readonly bare?: true;
}

export const accept: Script = ({ code }) => ({
  code: code === CODE.accountingRequest ? CODE.accountingResponse : CODE.accessAccept,
});
export const silent: Script = () => undefined;

const WAIT = { timeout: 10_000, interval: 5 };

/** What was asked, Status-Server apart; a packet with a wrong authenticator fails the test that looks. */
class Asked {
  readonly requests: Packet[] = [];
  readonly probes: Packet[] = [];
  readonly forged: Packet[] = [];

  take(octets: Buffer, secret: SharedSecret): Packet {
    const packet = decodePacket(Buffer.from(octets));
    if (verifyRequest(packet, secret) !== "ok") this.forged.push(packet);
    else if (packet.code === CODE.statusServer) this.probes.push(packet);
    else this.requests.push(packet);
    return packet;
  }

  async request(index: number): Promise<Packet> {
    await vi.waitFor(() => expect(this.requests.length).toBeGreaterThan(index), WAIT);
    expect(this.forged).toEqual([]);
    return this.requests[index] as Packet;
  }

  async probe(index: number): Promise<Packet> {
    await vi.waitFor(() => expect(this.probes.length).toBeGreaterThan(index), WAIT);
    return this.probes[index] as Packet;
  }
}

/** A RADIUS server of the test's own behind UDP, on a free port of 127.0.0.1. */
export class UdpRadiusServer extends Asked {
  readonly secret: SharedSecret;
  script: Script;
  /** Whether Status-Server is answered, and with what (ST-04). */
  answersStatus = true;
  statusCode: number = CODE.accessAccept;
  port = 0;
  #socket: Socket | undefined;

  constructor(secret: SharedSecret, script: Script) {
    super();
    this.secret = secret;
    this.script = script;
  }

  static async start(secret: SharedSecret, script: Script = accept): Promise<UdpRadiusServer> {
    const server = new UdpRadiusServer(secret, script);
    await server.open();
    onTestFinished(() => server.close());
    return server;
  }

  /** Comes (back) to its port. */
  async open(): Promise<void> {
    const socket = createSocket("udp4");
    socket.on("message", (octets, from) => this.#received(octets, from));
    socket.on("error", () => undefined);
    socket.bind(this.port, "127.0.0.1");
    await once(socket, "listening");
    this.#socket = socket;
    this.port = socket.address().port;
  }

  /** Nobody listens any more. */
  close(): void {
    this.#socket?.close();
    this.#socket = undefined;
  }

  #received(octets: Buffer, from: RemoteInfo): void {
    const packet = this.take(octets, this.secret);
    const answer = packet.code === CODE.statusServer ? this.#status() : this.script(packet);
    if (answer === undefined) return;
    this.#socket?.send(encodeAnswer(packet, answer, this.secret), from.port, from.address);
  }

  #status(): Answer | undefined {
    return this.answersStatus ? { code: this.statusCode } : undefined;
  }
}

function encodeAnswer(packet: Packet, { code, attributes = [], bare }: Answer, secret: SharedSecret): Buffer {
  if (bare !== true) return encodeResponse(packet, code, attributes, secret);
  const octets = encodePacket(code, packet.identifier, packet.authenticator, attributes);
  signResponse(octets, packet.authenticator, -1, secret);
  return octets;
}

/** A RADIUS/TLS server of the test's own on a free port of 127.0.0.1. */
export class TlsRadiusServer extends Asked {
  readonly sockets: TLSSocket[] = [];
  /** Replies to what the test asked in reverse. */
  readonly replies: Packet[] = [];
  script: Script;
  answersStatus = true;
  port = 0;
  readonly #server: Server;

  constructor(server: Server, script: Script) {
    super();
    this.#server = server;
    this.script = script;
    server.on("secureConnection", (socket) => this.#accepted(socket));
    server.on("tlsClientError", () => undefined);
  }

  static async start(
    credentials: { readonly ca: TestCa; readonly server: TestCertificate },
    script: Script = accept,
    port = 0,
  ): Promise<TlsRadiusServer> {
    const { ca, server } = credentials;
    const tls = createServer({ ca: ca.certificate, cert: server.certificate, key: server.key, requestCert: true });
    const radius = new TlsRadiusServer(tls, script);
    tls.listen(port, "127.0.0.1");
    await once(tls, "listening");
    radius.port = (tls.address() as AddressInfo).port;
    onTestFinished(() => radius.close());
    return radius;
  }

  get open(): readonly TLSSocket[] {
    return this.sockets.filter((socket) => !socket.destroyed);
  }

  /** Waits until so many links are open. */
  async links(count: number): Promise<void> {
    await vi.waitFor(() => expect(this.open).toHaveLength(count), WAIT);
  }

  /** Asks in reverse on a link. */
  ask(code: number, attributes: readonly Attribute[], link = 0): Packet {
    const octets = encodeRequest(code, 7, attributes, systemRandom.bytes(16), RADSEC_SECRET);
    this.open[link]?.write(octets);
    return decodePacket(octets);
  }

  close(): void {
    this.#server.close();
    for (const socket of this.sockets) socket.destroy();
  }

  #accepted(socket: TLSSocket): void {
    this.sockets.push(socket);
    const framer = new PacketFramer();
    socket.on("error", () => undefined);
    socket.on("data", (chunk: Buffer) => framer.push(chunk, (octets) => this.#received(octets, socket)));
  }

  #received(octets: Buffer, socket: TLSSocket): void {
    const code = octets[0] as number;
    if (code !== CODE.statusServer && code !== CODE.accessRequest && code !== CODE.accountingRequest) {
      this.replies.push(decodePacket(Buffer.from(octets)));
      return;
    }
    const packet = this.take(octets, RADSEC_SECRET);
    const status: Answer | undefined = this.answersStatus ? { code: CODE.accessAccept } : undefined;
    const answer = packet.code === CODE.statusServer ? status : this.script(packet);
    if (answer !== undefined) socket.write(encodeAnswer(packet, answer, RADSEC_SECRET));
  }
}
