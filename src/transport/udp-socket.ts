import { createSocket, type RemoteInfo, type Socket } from "node:dgram";
import { isIPv6 } from "node:net";
import { platform } from "node:os";
import { TurnBatch, whenArrived, whenLeaving } from "./turn.ts";

/** What one socket is told of. */
export interface UdpSocketOwner {
  /** @param octets are the owner's: nobody writes into them again */
  received(octets: Buffer, from: RemoteInfo): void;
  /** A datagram of send() could not be sent, or ICMP says that an earlier one was not wanted. */
  failed(error: NodeJS.ErrnoException): void;
}

interface Arrived {
  readonly octets: Buffer;
  readonly from: RemoteInfo;
}

interface Leaving {
  readonly octets: Buffer;
  /** Undefined: to the destination of connect(). */
  readonly port?: number;
  readonly address?: string;
}

// Addresses are literals: looking them up would cost a turn of the event loop for each datagram.
const literal = (
  address: string,
  family: unknown,
  done: (error: null, address: string, family: number) => void,
): void => done(null, address, typeof family === "number" ? family : 4);

const IS_LINUX = platform() === "linux";

/** One UDP socket. An IPv6 socket takes no IPv4, so that both families can have the same port.
 *  @param receiveBufferBytes SO_RCVBUF; the system may give less */
export class UdpSocket {
  readonly #socket: Socket;
  readonly #owner: UdpSocketOwner;
  readonly #arrived = new TurnBatch<Arrived>(whenArrived, ({ octets, from }) => {
    if (!this.#closed) this.#owner.received(octets, from);
  });
  readonly #leaving = new TurnBatch<Leaving>(whenLeaving, ({ octets, port, address }) => {
    try {
      if (port === undefined) this.#socket.send(octets, this.#sent);
      else this.#socket.send(octets, port, address); // a callback would be a tick of its own for each
    } catch (error) {
      this.#sent(error as Error); // a destination that no datagram can have
    }
  });
  // One function for all datagrams: a closure for each would be garbage.
  readonly #sent = (error: Error | null): void => {
    if (error === null || this.#closed) return;
    this.#arrived.flush(); // what came before it counts
    this.#owner.failed(error);
  };
  #closed = false;

  constructor(address: string, owner: UdpSocketOwner, receiveBufferBytes?: number) {
    this.#owner = owner;
    this.#socket = createSocket({
      ...(isIPv6(address) ? { type: "udp6", ipv6Only: true } : { type: "udp4" }),
      lookup: literal,
      ...(receiveBufferBytes === undefined ? {} : { recvBufferSize: receiveBufferBytes }),
    });
    this.#socket.on("message", (octets, from) => this.#arrived.add({ octets, from }));
    // Later, because bind() may say so before its caller has kept this object.
    this.#socket.on("error", (error) => queueMicrotask(() => this.#sent(error)));
  }

  /** Octets that the system lets wait to be read. Linux takes twice of what it is asked for, and tells that: socket(7). */
  get receiveBufferBytes(): number {
    return this.#socket.getRecvBufferSize() / (IS_LINUX ? 2 : 1);
  }

  /** @throws what the system says */
  async bind(address: string, port: number): Promise<number> {
    const { promise, resolve, reject } = Promise.withResolvers<number>();
    this.#socket.once("error", reject);
    this.#socket.bind({ address, port, exclusive: true }, () => {
      this.#socket.off("error", reject);
      resolve(this.#socket.address().port);
    });
    return promise;
  }

  /** Takes a free port and speaks with one destination only: the kernel drops what anybody else sends, and reports ICMP.
   *  @param localAddress the address to send from; undefined lets the system choose */
  connect(port: number, address: string, localAddress: string | undefined, connected: () => void): void {
    const connect = (): void => this.#socket.connect(port, address);
    this.#socket.once("connect", connected);
    if (localAddress === undefined) connect();
    else this.#socket.bind({ address: localAddress, port: 0, exclusive: true }, connect);
  }

  /** Sends to the destination of connect(). */
  send(octets: Buffer): void {
    this.#leaving.add({ octets });
  }

  /** What the system would not send is lost, and nobody is told. */
  sendTo(octets: Buffer, port: number, address: string): void {
    this.#leaving.add({ octets, port, address });
  }

  close(): void {
    if (this.#closed) return;
    this.#leaving.flush();
    this.#closed = true;
    this.#socket.close();
  }
}
