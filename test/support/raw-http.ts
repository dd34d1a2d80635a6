import { once } from "node:events";
import { connect, type Socket } from "node:net";

/** A TCP connection to speak HTTP on octet by octet, for what fetch() would never send. */
export class RawHttp {
  readonly #socket: Socket;
  #received = "";

  constructor(port: number) {
    this.#socket = connect(port, "127.0.0.1");
    this.#socket.setEncoding("latin1");
    this.#socket.on("data", (text: string) => (this.#received += text));
    this.#socket.on("error", () => undefined); // a reset ends it like any end
  }

  write(octets: string): void {
    this.#socket.write(Buffer.from(octets, "latin1"));
  }

  /** Everything the peer sent, once it has closed. */
  async untilClosed(): Promise<string> {
    if (!this.#socket.closed) await once(this.#socket, "close");
    return this.#received;
  }

  /** What came up to and with `text`. */
  async until(text: string): Promise<string> {
    while (!this.#received.includes(text)) await Promise.race([once(this.#socket, "data"), this.#closed()]);
    return this.#received;
  }

  destroy(): void {
    this.#socket.destroy();
  }

  async #closed(): Promise<never> {
    await once(this.#socket, "close");
    throw new Error(`closed after ${JSON.stringify(this.#received)}`);
  }
}

/** Sends octets on a connection of their own and returns all that came back until it was closed. */
export async function rawAnswer(port: number, octets: string): Promise<string> {
  const raw = new RawHttp(port);
  raw.write(octets);
  return raw.untilClosed();
}
