import { createSocket, type Socket } from "node:dgram";
import { once } from "node:events";
import { onTestFinished } from "vitest";
import { systemRandom } from "../../src/clock.ts";
import type { Attribute } from "../../src/radius/attribute.ts";
import { encodeRequest, encodeResponse, SharedSecret, verifyRequest } from "../../src/radius/authenticator.ts";
import { CODE } from "../../src/radius/codes.ts";
import { decodeDatagram, type Packet } from "../../src/radius/packet.ts";

/** A router that speaks UDP, on a free port of a loopback address: what it is asked it keeps and acknowledges. */
export class UdpRouter {
  readonly secret: SharedSecret;
  /** Disconnect- and CoA-Requests. */
  readonly received: Packet[] = [];
  /** All else that came. */
  readonly replies: Packet[] = [];
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
      if (packet.code !== CODE.disconnectRequest && packet.code !== CODE.coaRequest) {
        this.replies.push(packet);
        return;
      }
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

  /** Sends a request of its own to a port of the hub. */
  request(code: number, attributes: readonly Attribute[], port: number, authenticator = systemRandom.bytes(16)): void {
    this.#socket.send(encodeRequest(code, 1, attributes, authenticator, this.secret), port, "127.0.0.1");
  }

  get port(): number {
    return this.#socket.address().port;
  }
}
