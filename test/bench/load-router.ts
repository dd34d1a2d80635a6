import { createSocket } from "node:dgram";
import { once } from "node:events";
import { connect, createSecureContext } from "node:tls";
import type { Credentials } from "../../pki/throw-away.ts";
import { PacketFramer } from "../../src/radius/framing.ts";
import { WriteBatch } from "../../src/transport/write-batch.ts";
import { Durations } from "./gauge.ts";

/** Where routers find the hub, one link each. */
export interface Way {
  readonly port: number;
  readonly transport: "tls" | "udp";
  readonly ca: string;
}

/** One after the other as replies come in, or so many a second whatever comes in. */
export type Rhythm = { readonly inFlight: number } | { readonly perSecond: number };

/** What one load looked like to the routers. */
export interface Seen {
  readonly count: number;
  /** Never answered. */
  readonly lost: number;
  /** Answered with another code than the one that was expected. */
  readonly others: number;
  readonly seconds: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
}

const IDENTIFIERS = 256;
/** A router would send again; here it counts as lost. */
const GIVE_UP_MS = 5_000;
const TICK_MS = 2;

/** A router with one link: identifiers in turn, one packet after the other. */
export class LoadRouter {
  readonly #sentAt = new Float64Array(IDENTIFIERS);
  readonly #busy = new Uint8Array(IDENTIFIERS);
  #send: (octets: Buffer) => void = () => undefined;
  #heard: (octets: Buffer) => void = () => undefined;
  #nextIdentifier = 0;
  #packets: readonly Buffer[] = [];
  #next = 0;
  /** Sent and not answered. */
  inFlight = 0;

  async dial({ port, ca }: Way, own: Credentials): Promise<void> {
    const secureContext = createSecureContext({ ca, cert: own.certificatePem, key: own.keyPem });
    const socket = connect({ host: "127.0.0.1", port, secureContext, servername: "localhost" });
    socket.setNoDelay(true);
    const framer = new PacketFramer();
    const batch = new WriteBatch((octets) => socket.write(octets));
    this.#send = (octets) => batch.add(octets);
    socket.on("data", (chunk: Buffer) => framer.push(chunk, (octets) => this.#heard(octets)));
    socket.on("error", (error) => {
      throw error;
    });
    await once(socket, "secureConnect");
  }

  async bind({ port }: Way): Promise<void> {
    const socket = createSocket("udp4");
    socket.connect(port, "127.0.0.1");
    await once(socket, "connect");
    socket.setRecvBufferSize(4 << 20);
    this.#send = (octets) => socket.send(octets);
    socket.on("message", (octets) => this.#heard(octets));
  }

  /** Makes so many packets beforehand: their making is not what is measured.
   *  @param make a packet with that Identifier */
  prepare(count: number, make: (identifier: number) => Buffer): void {
    this.#packets = Array.from({ length: count }, () => {
      const identifier = this.#nextIdentifier;
      this.#nextIdentifier = (identifier + 1) % IDENTIFIERS;
      return make(identifier);
    });
    this.#next = 0;
    this.inFlight = 0;
    this.#busy.fill(0);
  }

  /** @param answered with how long each answer took */
  listen(answered: (code: number, tookMs: number) => void): void {
    this.#heard = (octets) => {
      const identifier = octets[1] as number;
      if (this.#busy[identifier] === 0) return;
      this.#busy[identifier] = 0;
      this.inFlight -= 1;
      answered(octets[0] as number, performance.now() - (this.#sentAt[identifier] as number));
    };
  }

  /** @returns false when nothing is left, or the next Identifier is still in use */
  sendNext(): boolean {
    const octets = this.#packets[this.#next];
    const identifier = octets?.[1] as number;
    if (octets === undefined || this.#busy[identifier] === 1) return false;
    this.#next += 1;
    this.inFlight += 1;
    this.#busy[identifier] = 1;
    this.#sentAt[identifier] = performance.now();
    this.#send(octets);
    return true;
  }
}

/** Sends what each router has prepared, and waits until all of it is answered.
 *  @param count over all routers @param expected code of the replies */
export async function drive(
  routers: readonly LoadRouter[],
  count: number,
  rhythm: Rhythm,
  expected: number,
): Promise<Seen> {
  const durations = new Durations();
  const { promise, resolve } = Promise.withResolvers<void>();
  const perLink = "inFlight" in rhythm ? Math.ceil(rhythm.inFlight / routers.length) : 0;
  let lastAt = performance.now();
  let others = 0;
  const fill = (router: LoadRouter): void => {
    while (router.inFlight < perLink && router.sendNext());
  };
  for (const router of routers) {
    router.listen((code, tookMs) => {
      lastAt = performance.now();
      durations.add(tookMs);
      if (code !== expected) others += 1;
      fill(router);
      if (durations.count === count) resolve();
    });
  }
  const watch = setInterval(() => {
    if (performance.now() - lastAt > GIVE_UP_MS) resolve();
  }, 1_000);
  const beganAt = performance.now();
  const beat = "perSecond" in rhythm ? inTime(routers, rhythm.perSecond, beganAt) : undefined;
  for (const router of routers) fill(router);
  await promise;
  clearInterval(watch);
  clearInterval(beat);
  return {
    count: durations.count,
    lost: count - durations.count,
    others,
    seconds: (lastAt - beganAt) / 1_000,
    ...durations.percentiles(),
  };
}

/** Sends at each tick what is due by then. */
function inTime(routers: readonly LoadRouter[], perSecond: number, beganAt: number): NodeJS.Timeout {
  let sent = 0;
  return setInterval(() => {
    const due = Math.ceil(((performance.now() - beganAt) * perSecond) / 1_000);
    while (sent < due && routers[sent % routers.length]?.sendNext() === true) sent += 1;
  }, TICK_MS);
}
