/** The floor: the same number of octets over the same kind of connections with node:tls and node:http alone. It frames and
 *  batches by tick as the hub does, and does nothing else. */
import { once } from "node:events";
import { createServer as createHttpServer } from "node:http";
import type { AddressInfo } from "node:net";
import { createServer, type TLSSocket } from "node:tls";
import type { Credentials } from "../../pki/throw-away.ts";
import { CODE } from "../../src/radius/codes.ts";
import { PacketFramer } from "../../src/radius/framing.ts";
import { WriteBatch } from "../../src/transport/write-batch.ts";
import { answerCommands } from "./bench-process.ts";
import { Durations, Gauge, type Load, type Measured, measureWhile, residentBytes } from "./gauge.ts";

/** One connection: it says again what says hello, and counts what comes back as replies. */
class BareLink {
  readonly #batch: WriteBatch;
  readonly #waiting: ((began: number) => void)[] = [];
  readonly #began: number[] = [];

  constructor(socket: TLSSocket) {
    const framer = new PacketFramer();
    this.#batch = new WriteBatch((octets) => socket.write(octets));
    socket.setNoDelay(true);
    socket.on("error", () => socket.destroy());
    socket.on("data", (chunk: Buffer) =>
      framer.push(chunk, (octets) => {
        if (octets[0] === CODE.statusServer) socket.write(octets);
        else this.#waiting.shift()?.(this.#began.shift() as number);
      }),
    );
  }

  send(message: Buffer, done: (began: number) => void): void {
    this.#waiting.push(done);
    this.#began.push(performance.now());
    this.#batch.add(message);
  }
}

const links: BareLink[] = [];
const durations = new Durations();
const gauge = new Gauge();

interface BareOptions {
  readonly ca: string;
  readonly credentials: Credentials;
  readonly messageBytes: number;
  /** Octets of the answer to a POST. */
  readonly answerBytes: number;
}

let message: Buffer;

async function start(options: BareOptions): Promise<{ tlsPort: number; httpPort: number }> {
  message = Buffer.alloc(options.messageBytes, 1);
  message[0] = CODE.disconnectRequest;
  message.writeUInt16BE(options.messageBytes, 2);
  const { certificatePem, keyPem } = options.credentials;
  const tls = createServer({ ca: options.ca, cert: certificatePem, key: keyPem, requestCert: true });
  tls.on("secureConnection", (socket) => links.push(new BareLink(socket)));
  tls.listen({ port: 0, host: "127.0.0.1", backlog: 4_096 });
  await once(tls, "listening");
  const body = JSON.stringify({ outcome: "x".repeat(options.answerBytes) });
  const headers = { "Content-Type": "application/json", "Content-Length": body.length };
  const http = createHttpServer((request, response) => {
    request.resume();
    (links[0] as BareLink).send(message, () => response.writeHead(200, headers).end(body));
  });
  http.listen(0, "127.0.0.1");
  await once(http, "listening");
  return { tlsPort: (tls.address() as AddressInfo).port, httpPort: (http.address() as AddressInfo).port };
}

async function drive(load: Load): Promise<Measured> {
  let running = true;
  for (let index = 0; index < load.inFlight; index += 1) {
    const link = links[index % load.links] as BareLink;
    const again = (began: number): void => {
      durations.add(performance.now() - began);
      if (running) link.send(message, again);
    };
    link.send(message, again);
  }
  const result = await measureWhile(durations, load);
  running = false;
  return result;
}

const commands = {
  start,
  drive,
  begin: () => gauge.begin(),
  end: () => gauge.end(),
  residentBytes: () => residentBytes(),
};
export type BareCommands = typeof commands;
answerCommands(commands);
