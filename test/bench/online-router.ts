import { once } from "node:events";
import { connect, type TLSSocket } from "node:tls";
import type { Credentials } from "../../pki/throw-away.ts";
import { ATTRIBUTE, type Attribute, firstValue, integerAttribute, textAttribute } from "../../src/radius/attribute.ts";
import { encodeRequest, encodeResponse, RADSEC_SECRET } from "../../src/radius/authenticator.ts";
import { CODE } from "../../src/radius/codes.ts";
import { PacketFramer } from "../../src/radius/framing.ts";
import { hideUserPassword } from "../../src/radius/hidden.ts";
import { decodePacket, type Packet, ZERO_AUTHENTICATOR } from "../../src/radius/packet.ts";

const START = 1;
/** Identifiers of a link; 0 is left to Status-Server. */
const IN_FLIGHT_MAX = 255;

/** A router with many users: it tells of them, logs them in, acknowledges what it is asked, and keeps of whom. */
export class OnlineRouter {
  /** When the last request of the hub for an acct session came, by Acct-Session-Id. */
  readonly askedAt = new Map<string, number>();
  readonly #name: string;
  readonly #socket: TLSSocket;
  readonly #waiting = new Map<number, (reply: Packet) => void>();
  #identifier = 0;

  private constructor(name: string, socket: TLSSocket) {
    this.#name = name;
    this.#socket = socket;
    const framer = new PacketFramer();
    socket.on("data", (chunk: Buffer) =>
      framer.push(chunk, (octets) => this.#packet(decodePacket(Buffer.from(octets)))),
    );
    socket.on("error", () => undefined); // the hub was killed
  }

  static async dial(name: string, port: number, ca: string, own: Credentials): Promise<OnlineRouter> {
    const socket = connect({ host: "127.0.0.1", port, ca, cert: own.certificatePem, key: own.keyPem });
    socket.setNoDelay(true);
    await once(socket, "secureConnect");
    const router = new OnlineRouter(name, socket);
    await router.#ask(CODE.statusServer, []);
    return router;
  }

  close(): void {
    this.#socket.destroy();
  }

  /** Resolves when every acct session is stored. */
  async start(users: readonly string[]): Promise<void> {
    const waiting = [...users];
    const worker = async (): Promise<void> => {
      for (let user = waiting.pop(); user !== undefined; user = waiting.pop()) {
        await this.#ask(CODE.accountingRequest, [
          integerAttribute(ATTRIBUTE.acctStatusType, START),
          textAttribute(ATTRIBUTE.acctSessionId, `session of ${user}`),
          textAttribute(ATTRIBUTE.userName, user),
        ]);
      }
    };
    await Promise.all(Array.from({ length: 100 }, worker));
  }

  /** One login; undefined when there was no answer in that time. */
  login(user: string, password: string, withinMs: number): Promise<number | undefined> {
    const hidden = hideUserPassword(Buffer.from(password), RADSEC_SECRET, ZERO_AUTHENTICATOR);
    const attributes = [textAttribute(ATTRIBUTE.userName, user), { type: ATTRIBUTE.userPassword, value: hidden }];
    return this.#ask(CODE.accessRequest, attributes, withinMs).then((reply) => reply?.code);
  }

  async #ask(code: number, attributes: readonly Attribute[], withinMs = 60_000): Promise<Packet | undefined> {
    const identifier = this.#free();
    const reply = Promise.withResolvers<Packet | undefined>();
    const timer = setTimeout(() => {
      this.#waiting.delete(identifier);
      reply.resolve(undefined);
    }, withinMs);
    this.#waiting.set(identifier, reply.resolve);
    const named = [...attributes, textAttribute(ATTRIBUTE.nasIdentifier, this.#name)];
    this.#socket.write(encodeRequest(code, identifier, named, ZERO_AUTHENTICATOR, RADSEC_SECRET));
    const packet = await reply.promise;
    clearTimeout(timer);
    return packet;
  }

  #free(): number {
    if (this.#waiting.size >= IN_FLIGHT_MAX) throw new Error("more requests than a link has Identifiers");
    do this.#identifier = (this.#identifier % IN_FLIGHT_MAX) + 1;
    while (this.#waiting.has(this.#identifier));
    return this.#identifier;
  }

  #packet(packet: Packet): void {
    if (packet.code === CODE.coaRequest || packet.code === CODE.disconnectRequest) {
      this.askedAt.set(firstValue(packet.attributes, ATTRIBUTE.acctSessionId)?.toString() ?? "", performance.now());
      this.#socket.write(encodeResponse(packet, packet.code + 1, [], RADSEC_SECRET));
      return;
    }
    const resolve = this.#waiting.get(packet.identifier);
    this.#waiting.delete(packet.identifier);
    resolve?.(packet);
  }
}
