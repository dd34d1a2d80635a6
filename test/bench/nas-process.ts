/** Many lean routers in one process: each dials out over mutual TLS, says who it is, and answers what it gets. */
import { type SecureContext, connect, createSecureContext, type TLSSocket } from "node:tls";
import type { Credentials } from "../../pki/throw-away.ts";
import { ATTRIBUTE, textAttribute } from "../../src/radius/attribute.ts";
import { encodeRequest, encodeResponse, RADSEC_SECRET, verifyRequest } from "../../src/radius/authenticator.ts";
import { CODE } from "../../src/radius/codes.ts";
import { PacketFramer } from "../../src/radius/framing.ts";
import { decodePacket, ZERO_AUTHENTICATOR } from "../../src/radius/packet.ts";
import { answerCommands } from "./bench-process.ts";
import { nasName } from "./nas-name.ts";

export interface Dial {
  readonly port: number;
  readonly links: number;
  /** Number of the first router. */
  readonly from: number;
  readonly ca: string;
  /** Used in turn. */
  readonly certificates: readonly Credentials[];
  /** "ack": an ACK, signed. "verified-ack": the same after a look at the request's authenticators. "echo": the octets that came. */
  readonly answer: "ack" | "verified-ack" | "echo";
  /** Handshakes at once. */
  readonly ramp: number;
  /** No new handshake is begun after this time. */
  readonly forMs: number;
}

const sockets: TLSSocket[] = [];
const seen = { requests: 0, octets: 0, bad: 0 };

/** The reply to one request of the hub; undefined for one that is not authentic. */
function replyTo(octets: Buffer, answer: Dial["answer"]): Buffer | undefined {
  seen.requests += 1;
  seen.octets += octets.length;
  if (answer === "echo") return octets;
  // A lean router reads the header alone.
  const request = { identifier: octets[1] as number, authenticator: octets.subarray(4, 20) };
  if (answer === "verified-ack" && verifyRequest(decodePacket(octets), RADSEC_SECRET) !== "ok") {
    seen.bad += 1;
    return undefined;
  }
  return encodeResponse(request, (octets[0] as number) + 1, [], RADSEC_SECRET);
}

/** Resolves once the router is known to the other side. */
function dial(number: number, context: SecureContext, { port, answer }: Dial): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  const socket = connect({ host: "127.0.0.1", port, secureContext: context, servername: "localhost" });
  const framer = new PacketFramer();
  socket.setNoDelay(true);
  socket.once("secureConnect", () => {
    const name = [textAttribute(ATTRIBUTE.nasIdentifier, nasName(number))];
    socket.write(encodeRequest(CODE.statusServer, 0, name, ZERO_AUTHENTICATOR, RADSEC_SECRET));
  });
  socket.on("data", (chunk: Buffer) => {
    const replies: Buffer[] = [];
    framer.push(chunk, (octets) => {
      // Identifier 0 is that of our Status-Server, and of no request of the hub.
      if (octets[1] === 0) return resolve();
      const reply = replyTo(octets, answer);
      if (reply !== undefined) replies.push(reply);
    });
    if (replies.length > 0) socket.write(replies.length === 1 ? (replies[0] as Buffer) : Buffer.concat(replies));
  });
  socket.on("error", reject);
  sockets.push(socket);
  return promise;
}

async function open(wanted: Dial): Promise<{ open: number; seconds: number }> {
  const { ca, certificates, links, from, ramp, forMs } = wanted;
  const began = performance.now();
  const contexts = certificates.map(({ certificatePem, keyPem }) =>
    createSecureContext({ ca, cert: certificatePem, key: keyPem }),
  );
  let next = 0;
  let open = 0;
  const dialler = async (): Promise<void> => {
    while (next < links && performance.now() - began < forMs) {
      const number = from + next;
      next += 1;
      await dial(number, contexts[number % contexts.length] as SecureContext, wanted);
      open += 1;
    }
  };
  await Promise.all(Array.from({ length: Math.min(ramp, links) }, dialler));
  return { open, seconds: (performance.now() - began) / 1_000 };
}

const commands = {
  open,
  /** What came from the hub since the last look. */
  seen: () => {
    const { requests, octets, bad } = seen;
    Object.assign(seen, { requests: 0, octets: 0, bad: 0 });
    return { requests, octetsEach: octets / requests, bad };
  },
};
export type NasCommands = typeof commands;
answerCommands(commands);
