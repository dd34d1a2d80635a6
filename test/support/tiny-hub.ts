import { once } from "node:events";
import type { AddressInfo } from "node:net";
import { createServer, type Server, type TLSSocket } from "node:tls";
import type { ThrowAwayPki } from "../../pki/throw-away.ts";
import type { Attribute } from "../../src/radius/attribute.ts";
import { encodeRequest, encodeResponse, RADSEC_SECRET, verifyRequest } from "../../src/radius/authenticator.ts";
import { CODE } from "../../src/radius/codes.ts";
import { PacketFramer } from "../../src/radius/framing.ts";
import { decodePacket, type Packet } from "../../src/radius/packet.ts";

/** One connection that a router made to a {@link TinyHub}. */
export interface TinyLink {
  readonly socket: TLSSocket;
  readonly commonName: string;
  /** All that came, in order. */
  readonly packets: Packet[];
  send(octets: Buffer): void;
}

/** A RadSec server with no mind of its own, for tests of the router's side: it answers Status-Server unless told not to, and
 *  sends what the test gives it. */
export class TinyHub {
  readonly links: TinyLink[] = [];
  answersStatus = true;
  /** Answers other requests; undefined is silence. */
  answer: (packet: Packet) => Buffer | undefined = () => undefined;
  readonly #server: Server;
  #port = 0;

  constructor(pki: ThrowAwayPki) {
    this.#server = createServer({
      cert: pki.hub.certificatePem,
      key: pki.hub.keyPem,
      ca: pki.ca.certificatePem,
      requestCert: true,
      rejectUnauthorized: true,
    });
    this.#server.on("secureConnection", (socket) => this.#accept(socket));
  }

  get port(): number {
    return this.#port;
  }

  /** The connection that came last. */
  get link(): TinyLink {
    const link = this.links.at(-1);
    if (link === undefined) throw new Error("nobody has connected");
    return link;
  }

  async start(): Promise<void> {
    this.#server.listen(this.#port, "127.0.0.1");
    await once(this.#server, "listening");
    this.#port = (this.#server.address() as AddressInfo).port;
  }

  async stop(): Promise<void> {
    for (const { socket } of this.links) socket.destroy();
    if (!this.#server.listening) return;
    this.#server.close();
    await once(this.#server, "close");
  }

  /** Octets of a signed request. */
  static request(code: number, identifier: number, attributes: readonly Attribute[]): Buffer {
    return encodeRequest(code, identifier, attributes, Buffer.alloc(16), RADSEC_SECRET);
  }

  #accept(socket: TLSSocket): void {
    const packets: Packet[] = [];
    const framer = new PacketFramer();
    const { subject } = socket.getPeerCertificate();
    this.links.push({ socket, commonName: String(subject.CN), packets, send: (octets) => void socket.write(octets) });
    // What a test cuts off may end in a reset.
    socket.on("error", () => {});
    socket.on("data", (chunk: Buffer) => {
      framer.push(chunk, (octets) => {
        const packet = decodePacket(Buffer.from(octets));
        packets.push(packet);
        const reply = this.#reply(packet);
        if (reply !== undefined) socket.write(reply);
      });
    });
  }

  #reply(packet: Packet): Buffer | undefined {
    if (packet.code !== CODE.statusServer) return this.answer(packet);
    const authentic = verifyRequest(packet, RADSEC_SECRET) === "ok" && packet.messageAuthenticatorOffset > 0;
    return this.answersStatus && authentic ? encodeResponse(packet, CODE.accessAccept, [], RADSEC_SECRET) : undefined;
  }
}
