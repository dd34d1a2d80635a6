/** The floor of the UDP side: datagrams in, the same octets out over node:tls, what comes back out as datagrams. It frames and
 *  batches by tick as the hub does; it verifies, signs and looks up nothing. */
import { createSocket } from "node:dgram";
import { once } from "node:events";
import type { AddressInfo } from "node:net";
import { createServer } from "node:tls";
import type { Credentials } from "../../pki/throw-away.ts";
import { PacketFramer } from "../../src/radius/framing.ts";
import { WriteBatch } from "../../src/transport/write-batch.ts";
import { answerCommands } from "./bench-process.ts";
import { Gauge } from "./gauge.ts";

interface Asker {
  readonly port: number;
  readonly address: string;
}

interface RelayLink {
  readonly batch: WriteBatch;
  /** The NAS answers in order, so the first who waits is meant. */
  readonly waiting: Asker[];
}

const RECEIVE_BUFFER_BYTES = 4 << 20;
const links: RelayLink[] = [];
const gauge = new Gauge();
const udp = createSocket({ type: "udp4", recvBufferSize: RECEIVE_BUFFER_BYTES });
let next = 0;

udp.on("message", (octets, asker) => {
  const link = links[next % links.length];
  next += 1;
  link?.waiting.push(asker);
  link?.batch.add(octets);
});

interface RelayOptions {
  readonly ca: string;
  readonly credentials: Credentials;
}

async function start({ ca, credentials }: RelayOptions): Promise<{ tlsPort: number; udpPort: number }> {
  const { certificatePem, keyPem } = credentials;
  const tls = createServer({ ca, cert: certificatePem, key: keyPem, requestCert: true });
  tls.on("secureConnection", (socket) => {
    const framer = new PacketFramer();
    const link = { batch: new WriteBatch((octets) => socket.write(octets)), waiting: [] as Asker[] };
    links.push(link);
    socket.setNoDelay(true);
    socket.on("error", () => socket.destroy());
    socket.on("data", (chunk: Buffer) =>
      framer.push(chunk, (octets) => {
        const asker = link.waiting.shift();
        if (asker !== undefined) udp.send(octets, asker.port, asker.address);
      }),
    );
  });
  tls.listen(0, "127.0.0.1");
  udp.bind(0, "127.0.0.1");
  await Promise.all([once(tls, "listening"), once(udp, "listening")]);
  return { tlsPort: (tls.address() as AddressInfo).port, udpPort: udp.address().port };
}

const commands = { start, begin: () => gauge.begin(), end: () => gauge.end() };
export type RelayCommands = typeof commands;
answerCommands(commands);
