import { connect, type Socket } from "node:net";
import { expect, onTestFinished, vi } from "vitest";
import { verifyResponse } from "../../src/radius/authenticator.ts";
import { PacketFramer } from "../../src/radius/framing.ts";
import { decodePacket, type Packet } from "../../src/radius/packet.ts";
import { SECRET, WAIT } from "./udp-fixture.ts";

/** A router that speaks RADIUS/TCP (RFC 6613): what it sends is up to the test, what comes it keeps. */
export class TcpRouter {
  readonly received: Packet[] = [];
  readonly socket: Socket;

  constructor(port: number, localAddress = "127.0.0.1") {
    const framer = new PacketFramer();
    this.socket = connect({ host: "127.0.0.1", port, localAddress });
    this.socket.on("data", (chunk: Buffer) =>
      framer.push(chunk, (octets) => void this.received.push(decodePacket(Buffer.from(octets)))),
    );
    this.socket.on("error", () => undefined);
    onTestFinished(() => void this.socket.destroy());
  }

  packet(index = 0): Promise<Packet> {
    return vi.waitUntil(() => this.received[index], WAIT);
  }

  async ask(octets: Buffer, secret = SECRET): Promise<Packet> {
    const index = this.received.length;
    this.socket.write(octets);
    const reply = await this.packet(index);
    expect(verifyResponse(reply, octets.subarray(4, 20), secret)).toBe("ok");
    return reply;
  }
}
