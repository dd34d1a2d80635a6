import { once } from "node:events";
import type { TcpNetConnectOpts } from "node:net";
import { connect, type ConnectionOptions, type TLSSocket } from "node:tls";
import { onTestFinished } from "vitest";
import { systemRandom } from "../../src/clock.ts";
import { type Attribute, textAttribute } from "../../src/radius/attribute.ts";
import { encodeRequest, encodeResponse, RADSEC_SECRET, verifyResponse } from "../../src/radius/authenticator.ts";
import { CODE } from "../../src/radius/codes.ts";
import { PacketFramer } from "../../src/radius/framing.ts";
import { decodePacket, type Packet } from "../../src/radius/packet.ts";

/** The router's end of a link, octet by octet: it sends what a test wants and keeps what comes. */
export class RawNas {
  readonly socket: TLSSocket;
  readonly received: Packet[] = [];
  /** What each read of the socket held: one entry a TLS record. */
  readonly chunks: Buffer[] = [];
  /** Resolves when the hub has ended the connection: true if it was in order (close_notify and FIN). */
  readonly ended: Promise<boolean>;
  readonly #waiting: (() => void)[] = [];

  constructor(socket: TLSSocket) {
    this.socket = socket;
    const framer = new PacketFramer();
    socket.on("data", (chunk: Buffer) => {
      this.chunks.push(chunk);
      framer.push(chunk, (octets) => this.received.push(decodePacket(Buffer.from(octets))));
      for (const wake of this.#waiting.splice(0)) wake();
    });
    let inOrder = false;
    socket.once("end", () => {
      inOrder = true;
    });
    socket.on("error", () => undefined); // "close" follows
    this.ended = new Promise((resolve) => socket.once("close", () => resolve(inOrder)));
    onTestFinished(() => void socket.destroy());
  }

  static async dial(
    port: number,
    credentials: { ca: string; certificate: string; key: string },
    options: ConnectionOptions & Pick<TcpNetConnectOpts, "localAddress"> = {},
  ): Promise<RawNas> {
    const { ca, certificate, key } = credentials;
    const socket = connect({ host: "127.0.0.1", port, ca, cert: certificate, key, ...options });
    await once(socket, "secureConnect");
    return new RawNas(socket);
  }

  /** Resolves with packet number `index`, counted from 0. */
  async packet(index: number): Promise<Packet> {
    while (this.received.length <= index) {
      await new Promise<void>((resolve, reject) => {
        this.#waiting.push(resolve);
        void this.ended.then(() => reject(new Error(`the link ended before packet ${index}`)));
      });
    }
    return this.received[index] as Packet;
  }

  send(octets: Buffer): void {
    this.socket.write(octets);
  }

  /** Sends a request; the reply is judged by the caller. */
  request(code: number, attributes: readonly Attribute[], identifier = 0): Packet {
    const octets = encodeRequest(code, identifier, attributes, systemRandom.bytes(16), RADSEC_SECRET);
    this.send(octets);
    return decodePacket(octets);
  }

  /** Registers by Status-Server and waits for the answer. */
  async register(nasIdentifier: string): Promise<void> {
    const index = this.received.length;
    const request = this.request(CODE.statusServer, [textAttribute(32, nasIdentifier)]);
    const reply = await this.packet(index);
    if (verifyResponse(reply, request.authenticator, RADSEC_SECRET) !== "ok") throw new Error("bad Access-Accept");
  }

  answer(request: Packet, code: number = request.code + 1, attributes: readonly Attribute[] = []): void {
    this.send(encodeResponse(request, code, attributes, RADSEC_SECRET));
  }
}
