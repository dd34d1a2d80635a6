import { createSocket, type RemoteInfo, type Socket } from "node:dgram";
import { once } from "node:events";
import { onTestFinished, vi } from "vitest";
import { type Clock, type Random, systemClock, systemRandom } from "../../src/clock.ts";
import { type Attribute, integerAttribute, textAttribute } from "../../src/radius/attribute.ts";
import { encodeRequest, encodeResponse, SharedSecret, verifyResponse } from "../../src/radius/authenticator.ts";
import { CODE } from "../../src/radius/codes.ts";
import { decodeDatagram, type Packet } from "../../src/radius/packet.ts";
import { AddressClients } from "../../src/transport/address-clients.ts";
import type { ClientEntry } from "../../src/transport/client-entry.ts";
import type { CloseReason, DropReason, Link, RequestHandler } from "../../src/transport/link.ts";
import { expandAddress } from "../../src/transport/local-addresses.ts";
import { TimingWheel } from "../../src/transport/timing-wheel.ts";
import type { UdpLink } from "../../src/transport/udp-link.ts";
import { UdpListener, type UdpListenerOptions, type UdpSocketAddress } from "../../src/transport/udp-listener.ts";
import { UdpPeers } from "../../src/transport/udp-peers.ts";
import type { UdpPurpose, UdpSource } from "../../src/transport/udp-port.ts";
import { UDP_REQUESTER_DEFAULTS, UdpRequester, type UdpRequesterOptions } from "../../src/transport/udp-requester.ts";
import { clientEntry } from "./client-entries.ts";

export const SECRET: SharedSecret = new SharedSecret("a secret of sixteen octets");
export const NAS: Attribute = textAttribute(32, "udp-nas");
export const USER: Attribute = textAttribute(1, "nemo");
/** What an Accounting-Request needs. */
export const RECORD: readonly Attribute[] = [NAS, integerAttribute(40, 1), textAttribute(44, "s1")];

/** Loopback routers, as strict as a new entry is. */
export function udpEntry(changes: Partial<ClientEntry> = {}): ClientEntry {
  return clientEntry({
    name: "lan",
    transport: "udp",
    match: { network: ["127.0.0.0/8", "::1"] },
    secret: SECRET,
    requireMessageAuthenticator: true,
    mayTrigger: true,
    ...changes,
  });
}

export function udpOptions(changes: Partial<UdpListenerOptions> = {}): UdpListenerOptions {
  return {
    name: "lan",
    addresses: ["127.0.0.1"],
    authPort: 0,
    acctPort: 0,
    dynauthPort: 0,
    triggersOnAuthPort: false,
    receiveBufferBytes: 4_194_304,
    statusServer: { enabled: true, perSecondMax: 1_000 },
    duplicates: { authAcctMs: 30_000, dynauthMs: 300_000, entriesMax: 10_000 },
    rejectDelayMs: { min: 0, max: 0 },
    timestampWindowMs: 300_000,
    requireEventTimestamp: false,
    ...changes,
  };
}

export interface UdpFixtureOptions {
  readonly listener?: Partial<UdpListenerOptions>;
  readonly clients?: readonly ClientEntry[];
  readonly clock?: Clock;
  readonly random?: Random;
  readonly handler?: RequestHandler;
  readonly trigger?: RequestHandler;
  readonly requester?: Partial<UdpRequesterOptions>;
  readonly linksMax?: number;
  readonly idleMs?: number;
  readonly expand?: (address: string) => readonly string[];
}

/** A UDP listener with its peers and its requester, and everything that they report. Stopped when the test ends. */
export class UdpFixture {
  readonly clock: Clock;
  readonly wheel: TimingWheel;
  readonly peers: UdpPeers;
  readonly requester: UdpRequester;
  readonly listener: UdpListener;
  readonly links: UdpLink[] = [];
  readonly closed: { readonly link: Link; readonly reason: CloseReason }[] = [];
  readonly drops: { readonly reason: DropReason; readonly from: Partial<UdpSource> }[] = [];
  /** Codes of the requests that the registry would hear of, and of Status-Servers. */
  readonly learnt: number[] = [];
  /** Addresses behind a wildcard that came and went: "opened 192.0.2.1". */
  readonly moved: string[] = [];
  /** How often the addresses were looked at. */
  looks = 0;
  clients: AddressClients;
  sockets: readonly UdpSocketAddress[] = [];

  private constructor(options: UdpFixtureOptions) {
    const { clock = systemClock, clients = [udpEntry()], linksMax = 1_000, idleMs = 86_400_000 } = options;
    this.clock = clock;
    this.clients = new AddressClients(clients, "udp");
    this.wheel = new TimingWheel(clock);
    const deps = { clock, random: options.random ?? systemRandom, wheel: this.wheel };
    const dropped = (reason: DropReason, from: Partial<UdpSource>) => void this.drops.push({ reason, from });
    this.requester = new UdpRequester({ ...deps, dropped }, { ...UDP_REQUESTER_DEFAULTS, ...options.requester });
    const observer = {
      opened: (link: Link) => void this.links.push(link as UdpLink),
      closed: (link: Link, reason: CloseReason) => void this.closed.push({ link, reason }),
      request: (_: Link, { code }: Packet) => void this.learnt.push(code),
      statusServer: (_: Link, { code }: Packet) => void this.learnt.push(code),
      dropped: () => undefined,
      replied: () => undefined,
    };
    let made = 0;
    this.peers = new UdpPeers(
      {
        ...deps,
        observer,
        requester: this.requester,
        clients: () => this.clients,
        nextLinkId: () => `udp-${(made += 1)}`,
      },
      { idleMs, linksMax, listener: "lan" },
    );
    const accept: RequestHandler = ({ packet: { code } }) => ({ kind: "reply", code: code + 1, attributes: [] });
    const { handler = accept, trigger = accept } = options;
    this.listener = new UdpListener(
      {
        ...deps,
        peers: this.peers,
        observer,
        handler,
        trigger,
        dropped,
        expand: (address) => {
          this.looks += 1;
          return (options.expand ?? expandAddress)(address);
        },
        moved: ({ change, address }) => void this.moved.push(`${change} ${address}`),
      },
      udpOptions(options.listener),
    );
    onTestFinished(() => this.stop());
  }

  static async start(options: UdpFixtureOptions = {}): Promise<UdpFixture> {
    const fixture = new UdpFixture(options);
    fixture.sockets = await fixture.listener.start();
    fixture.peers.start();
    return fixture;
  }

  async stop(): Promise<void> {
    await this.listener.stop(0);
    this.peers.stop();
    this.requester.stop();
    this.wheel.stop();
  }

  port(purpose: UdpPurpose, address = "127.0.0.1"): number {
    const socket = this.sockets.find((each) => each.purpose === purpose && each.address === address);
    if (socket === undefined) throw new Error(`no ${purpose} socket on ${address}`);
    return socket.port;
  }

  reasons(): DropReason[] {
    return this.drops.map(({ reason }) => reason);
  }

  /** Waits for the drop number `count`, counted from 1. @returns its reason */
  async drop(count = 1): Promise<DropReason | undefined> {
    await vi.waitUntil(() => this.drops.length >= count, WAIT);
    return this.drops[count - 1]?.reason;
  }
}

export const WAIT = { timeout: 10_000, interval: 2 };

/** Anything that sends and takes datagrams: a router, a DAC, somebody who forges. */
export class UdpHost {
  readonly socket: Socket;
  readonly received: { readonly octets: Buffer; readonly from: RemoteInfo }[] = [];
  #closed: Promise<void> | undefined;

  private constructor(socket: Socket) {
    this.socket = socket;
    socket.on("message", (octets, from) => void this.received.push({ octets, from }));
    socket.on("error", () => undefined);
    onTestFinished(() => this.close());
  }

  static async open(address = "127.0.0.1", port = 0): Promise<UdpHost> {
    const socket = createSocket({ type: address.includes(":") ? "udp6" : "udp4", recvBufferSize: 4_194_304 });
    socket.bind(port, address);
    await once(socket, "listening");
    return new UdpHost(socket);
  }

  get port(): number {
    return this.socket.address().port;
  }

  /** Nobody listens on its port any more. */
  close(): Promise<void> {
    this.#closed ??= new Promise((resolve) => this.socket.close(() => resolve()));
    return this.#closed;
  }

  send(octets: Buffer, port: number, address = "127.0.0.1"): void {
    this.socket.send(octets, port, address);
  }

  /** Waits for datagram number `index`, counted from 0. */
  async datagram(index = 0): Promise<{ readonly octets: Buffer; readonly from: RemoteInfo }> {
    return await vi.waitUntil(() => this.received[index], WAIT);
  }

  async packet(index = 0): Promise<Packet> {
    return decodeDatagram((await this.datagram(index)).octets);
  }

  /** Sends a request and waits for the datagram with its Identifier, which must be signed for it. */
  async ask(octets: Buffer, port: number, { address = "127.0.0.1", secret = SECRET } = {}): Promise<Packet> {
    const before = this.received.length;
    this.send(octets, port, address);
    const answer = () => this.received.slice(before).find((each) => each.octets[1] === octets[1]);
    const reply = decodeDatagram((await vi.waitUntil(answer, WAIT)).octets);
    const verdict = verifyResponse(reply, octets.subarray(4, 20), secret);
    if (verdict !== "ok") throw new Error(verdict);
    return reply;
  }

  answer(request: Packet, to: RemoteInfo, code = request.code + 1, attributes: readonly Attribute[] = []): void {
    this.send(encodeResponse(request, code, attributes, SECRET), to.port, to.address);
  }
}

/** A signed request, Message-Authenticator first. */
export function request(
  code: number,
  attributes: readonly Attribute[] = code === CODE.accountingRequest ? RECORD : [NAS, USER],
  identifier = 1,
  secret: SharedSecret = SECRET,
): Buffer {
  return encodeRequest(code, identifier, attributes, systemRandom.bytes(16), secret);
}
