import { createSocket, type Socket } from "node:dgram";
import { once } from "node:events";
import { onTestFinished } from "vitest";
import type { Attribute } from "../../src/radius/attribute.ts";
import { encodeResponse, SharedSecret, verifyRequest } from "../../src/radius/authenticator.ts";
import { decodeDatagram, type Packet } from "../../src/radius/packet.ts";

/** Port 3799 of a router, on a free port of a loopback address: it keeps what comes and acknowledges it. */
export class UdpRouter {
  readonly secret: SharedSecret;
  readonly received: Packet[] = [];
  /** What it answers; undefined is silence. */
  answer: (request: Packet) => { code: number; attributes?: readonly Attribute[] } | undefined = ({ code }) => ({
    code: code + 1,
  });
  readonly #socket: Socket;

  private constructor(socket: Socket, secret: SharedSecret) {
    this.#socket = socket;
    this.secret = secret;
    socket.on("message", (octets, from) => {
      const packet = decodeDatagram(Buffer.from(octets));
      if (verifyRequest(packet, secret) !== "ok") throw new Error("a request with a wrong authenticator");
      this.received.push(packet);
      const answer = this.answer(packet);
      if (answer === undefined) return;
      socket.send(encodeResponse(packet, answer.code, answer.attributes ?? [], secret), from.port, from.address);
    });
  }

  static async open(secret: string, address = "127.0.0.1"): Promise<UdpRouter> {
    const socket = createSocket("udp4");
    socket.bind(0, address);
    await once(socket, "listening");
    onTestFinished(() => void socket.close());
    return new UdpRouter(socket, new SharedSecret(secret));
  }

  get port(): number {
    return this.#socket.address().port;
  }
}
