/** Routers that send Interim-Updates, in a process of their own, and remember when each was answered. */
import { createSocket } from "node:dgram";
import { once } from "node:events";
import { connect, createSecureContext } from "node:tls";
import type { Credentials } from "../../pki/throw-away.ts";
import type { Attribute } from "../../src/radius/attribute.ts";
import { encodeRequest, SharedSecret } from "../../src/radius/authenticator.ts";
import { CODE } from "../../src/radius/codes.ts";
import { PacketFramer } from "../../src/radius/framing.ts";
import { ZERO_AUTHENTICATOR } from "../../src/radius/packet.ts";
import { WriteBatch } from "../../src/transport/write-batch.ts";
import { INTERVAL_SECONDS, interimAttributes, lastingAttributes } from "./accounting-interims.ts";
import { answerCommands } from "./bench-process.ts";
import { Durations } from "./gauge.ts";

export interface AccountingRouters {
  readonly port: number;
  readonly transport: "tls" | "udp";
  readonly links: number;
  readonly ca: string;
  /** One a link. */
  readonly certificates: readonly Credentials[];
  readonly secret: string;
  /** Acct sessions of all links together. */
  readonly acctSessions: number;
}

/** What one load looked like to the routers. */
export interface AccountingSeen {
  readonly count: number;
  /** Never answered. */
  readonly lost: number;
  readonly seconds: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
}

/** Acct sessions began so long ago: each Event-Timestamp is within what the hub believes. */
const BEGAN_BEFORE_MS = 20 * 3_600_000;
const IDENTIFIERS = 256;
/** A router would send again; here it counts as lost. */
const GIVE_UP_MS = 5_000;

/** A router with one link: identifiers in turn, one packet after the other. */
class Router {
  readonly sessions: { readonly lasting: readonly Attribute[]; seconds: number }[] = [];
  readonly #sentAt = new Float64Array(IDENTIFIERS);
  readonly #busy = new Uint8Array(IDENTIFIERS);
  send: (octets: Buffer) => void = () => undefined;
  /** Sent and not answered. */
  inFlight = 0;
  #next = 0;
  #nextSession = 0;
  #nextIdentifier = 0;
  #packets: Buffer[] = [];

  /** Signs so many packets beforehand: their making is not what is measured. */
  prepare(count: number, beganAtMs: number, secret: SharedSecret): void {
    this.#packets = Array.from({ length: count }, () => {
      const session = this.sessions[this.#nextSession] as (typeof this.sessions)[number];
      this.#nextSession = (this.#nextSession + 1) % this.sessions.length;
      session.seconds += INTERVAL_SECONDS;
      const identifier = this.#nextIdentifier;
      this.#nextIdentifier = (identifier + 1) % IDENTIFIERS;
      const attributes = interimAttributes(session.lasting, session.seconds, beganAtMs);
      return encodeRequest(CODE.accountingRequest, identifier, attributes, ZERO_AUTHENTICATOR, secret);
    });
    this.#next = 0;
    this.inFlight = 0;
    this.#busy.fill(0);
  }

  /** Sends until so many are under way, nothing is left, or the next Identifier is still in use. */
  fill(inFlightMax: number): void {
    while (this.inFlight < inFlightMax) {
      const octets = this.#packets[this.#next];
      const identifier = octets?.[1] as number;
      if (octets === undefined || this.#busy[identifier] === 1) return;
      this.#next += 1;
      this.inFlight += 1;
      this.#busy[identifier] = 1;
      this.#sentAt[identifier] = performance.now();
      this.send(octets);
    }
  }

  /** @returns how long the answer took, milliseconds; undefined for what answers nothing */
  answered(octets: Buffer): number | undefined {
    const identifier = octets[1] as number;
    if (octets[0] !== CODE.accountingResponse || this.#busy[identifier] === 0) return undefined;
    this.#busy[identifier] = 0;
    this.inFlight -= 1;
    return performance.now() - (this.#sentAt[identifier] as number);
  }
}

const routers: Router[] = [];
let secret: SharedSecret;
/** A whole minute, so that the Event-Timestamps are whole seconds. */
const beganAtMs = Math.floor((Date.now() - BEGAN_BEFORE_MS) / 60_000) * 60_000;
let answered: (router: Router, octets: Buffer) => void = () => undefined;

async function open(wanted: AccountingRouters): Promise<void> {
  secret = new SharedSecret(wanted.secret);
  for (let index = 0; index < wanted.links; index += 1) {
    const router = new Router();
    routers.push(router);
    if (wanted.transport === "tls") await dial(router, wanted, wanted.certificates[index] as Credentials);
    else await bind(router, wanted.port);
  }
  for (let acctSession = 0; acctSession < wanted.acctSessions; acctSession += 1) {
    const index = acctSession % routers.length;
    const lasting = lastingAttributes({ acctSession, nas: index + 1 });
    routers[index]?.sessions.push({ lasting, seconds: 0 });
  }
}

async function dial(router: Router, { port, ca }: AccountingRouters, own: Credentials): Promise<void> {
  const secureContext = createSecureContext({ ca, cert: own.certificatePem, key: own.keyPem });
  const socket = connect({ host: "127.0.0.1", port, secureContext, servername: "localhost" });
  socket.setNoDelay(true);
  const framer = new PacketFramer();
  const batch = new WriteBatch((octets) => socket.write(octets));
  router.send = (octets) => batch.add(octets);
  socket.on("data", (chunk: Buffer) => framer.push(chunk, (octets) => answered(router, octets)));
  socket.on("error", (error) => {
    throw error;
  });
  await once(socket, "secureConnect");
}

async function bind(router: Router, port: number): Promise<void> {
  const socket = createSocket("udp4");
  socket.connect(port, "127.0.0.1");
  await once(socket, "connect");
  socket.setRecvBufferSize(4 << 20);
  router.send = (octets) => socket.send(octets);
  socket.on("message", (octets) => answered(router, octets));
}

/** Sends `count` records, `inFlight` at a time over all links, and waits until each is answered. */
async function drive({
  count,
  inFlight,
}: {
  readonly count: number;
  readonly inFlight: number;
}): Promise<AccountingSeen> {
  const each = Math.ceil(count / routers.length);
  for (const router of routers) router.prepare(each, beganAtMs, secret);
  const durations = new Durations();
  const { promise, resolve } = Promise.withResolvers<void>();
  const total = each * routers.length;
  const perLink = Math.ceil(inFlight / routers.length);
  let lastAt = performance.now();
  answered = (router, octets) => {
    const tookMs = router.answered(octets);
    if (tookMs === undefined) return;
    lastAt = performance.now();
    durations.add(tookMs);
    router.fill(perLink);
    if (durations.count === total) resolve();
  };
  const watch = setInterval(() => {
    if (performance.now() - lastAt > GIVE_UP_MS) resolve();
  }, 1_000);
  const beganAt = performance.now();
  for (const router of routers) router.fill(perLink);
  await promise;
  clearInterval(watch);
  return {
    count: durations.count,
    lost: total - durations.count,
    seconds: (lastAt - beganAt) / 1_000,
    ...durations.percentiles(),
  };
}

const commands = { open, drive };
export type AccountingLoadCommands = typeof commands;
answerCommands(commands);
