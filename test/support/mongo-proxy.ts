import { once } from "node:events";
import { type AddressInfo, connect, createServer, type Server, type Socket } from "node:net";
import { onTestFinished } from "vitest";

/** Stands between a driver and its server, and cuts the connection at the worst moment. */
export class MongoProxy {
  /** Commands of this name are carried out, and their answer is lost with the connection. */
  losesAnswersTo: string | undefined;
  /** Answers lost. */
  lost = 0;
  readonly #sockets = new Set<Socket>();
  readonly #server: Server;

  private constructor(target: number) {
    this.#server = createServer((driver) => this.#forward(driver, connect(target, "127.0.0.1")));
  }

  static async start(target: number): Promise<MongoProxy> {
    const proxy = new MongoProxy(target);
    proxy.#server.listen(0, "127.0.0.1");
    await once(proxy.#server, "listening");
    onTestFinished(() => proxy.#close());
    return proxy;
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  #forward(driver: Socket, database: Socket): void {
    let doomed = false;
    const cut = (): void => {
      driver.destroy();
      database.destroy();
    };
    for (const socket of [driver, database]) {
      this.#sockets.add(socket);
      socket.on("error", cut).on("close", cut);
      socket.on("close", () => this.#sockets.delete(socket));
    }
    driver.on("data", (octets) => {
      // A command of OP_MSG begins with its name: header, flags, kind of section, length of the document, type of the element.
      const name = this.losesAnswersTo;
      doomed ||= name !== undefined && octets.subarray(26, 27 + name.length).toString("latin1") === `${name}\0`;
      database.write(octets);
    });
    database.on("data", (octets) => {
      if (!doomed) return void driver.write(octets);
      this.lost += 1;
      cut();
    });
  }

  #close(): void {
    this.#server.close();
    for (const socket of this.#sockets) socket.destroy();
  }
}
