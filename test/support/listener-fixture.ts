import { once } from "node:events";
import { connect, type Socket } from "node:net";
import { type ConnectionOptions, connect as connectTls, type TLSSocket } from "node:tls";
import { expect, onTestFinished, vi } from "vitest";
import { type Clock, systemClock, systemRandom } from "../../src/clock.ts";
import { encodeRequest, RADSEC_SECRET } from "../../src/radius/authenticator.ts";
import { CODE } from "../../src/radius/codes.ts";
import { ClientDirectory } from "../../src/transport/client-directory.ts";
import type { ClientEntry } from "../../src/transport/client-entry.ts";
import type { CloseReason, Link } from "../../src/transport/link.ts";
import { RadsecListener, type RadsecListenerOptions } from "../../src/transport/radsec-listener.ts";
import type { Refusal } from "../../src/transport/refusal.ts";
import { TimingWheel } from "../../src/transport/timing-wheel.ts";
import { clientEntry } from "./client-entries.ts";
import { SERVER_AUTH, TestCa, type TestCertificate } from "./test-pki.ts";

export interface TestPki {
  readonly ca: TestCa;
  readonly hub: TestCertificate;
  readonly nas: TestCertificate;
}

export async function makeTestPki(): Promise<TestPki> {
  const ca = await TestCa.create();
  const hub = await ca.issue({ subject: "CN=hub", dns: ["localhost"], usage: [SERVER_AUTH] });
  return { ca, hub, nas: await ca.issue({ dns: ["edge-1.nas.example"] }) };
}

export function listenerOptions({ ca, hub }: TestPki): RadsecListenerOptions {
  return {
    name: "main",
    address: "127.0.0.1",
    port: 0,
    tls: { certificate: hub.certificate, key: hub.key, ca: [ca.certificate], crl: [], minVersion: "TLSv1.2" },
    proxyProtocolFrom: [],
    limits: {
      links: 1_000,
      linksPerPeer: 100,
      linksPerAddress: 1_000,
      halfOpen: 1_000,
      halfOpenPerAddress: 1_000,
      newPerSecondPerAddress: 10_000,
    },
    handshakeTimeoutMs: 5_000,
    noDelay: true,
    keepAliveMs: 15_000,
    link: {
      queueMax: 10,
      writeBacklogBytesMax: 1_048_576,
      requestsInHandlerMax: 10,
      statusServer: { enabled: true, perSecondMax: 100 },
      timestampWindowMs: 300_000,
    },
  };
}

interface Closed {
  readonly link: Link;
  readonly reason: CloseReason;
  readonly detail: string | undefined;
}

/** A listener on 127.0.0.1, everything that it reports, and routers that dial it. Stopped when the test ends. */
export class ListenerFixture {
  readonly options: RadsecListenerOptions;
  readonly listener: RadsecListener;
  readonly refusals: Refusal[] = [];
  readonly opened: Link[] = [];
  readonly closed: Closed[] = [];
  clients: ClientDirectory;
  port = 0;

  private constructor(options: RadsecListenerOptions, clients: readonly ClientEntry[], clock: Clock) {
    this.options = options;
    this.clients = new ClientDirectory(clients);
    const deps = {
      clock,
      random: systemRandom,
      wheel: new TimingWheel(clock),
      observer: {
        opened: (link: Link) => void this.opened.push(link),
        closed: (link: Link, reason: CloseReason, detail: string | undefined) =>
          void this.closed.push({ link, reason, detail }),
        statusServer: () => undefined,
        request: () => undefined,
        dropped: () => undefined,
        replied: () => undefined,
      },
      handler: () => ({ kind: "discard", reason: "test" }) as const,
      clients: () => this.clients,
      nextLinkId: () => `test-${this.opened.length + 1}`,
      refused: (refusal: Refusal) => void this.refusals.push(refusal),
    };
    this.listener = new RadsecListener(deps, options);
    onTestFinished(async () => {
      await this.listener.stop(100);
      deps.wheel.stop();
      expect(this.listener.links + this.listener.halfOpen).toBe(0);
    });
  }

  static async start(
    options: RadsecListenerOptions,
    { clients = [clientEntry()], clock = systemClock }: { clients?: readonly ClientEntry[]; clock?: Clock } = {},
  ): Promise<ListenerFixture> {
    const fixture = new ListenerFixture(options, clients, clock);
    fixture.port = (await fixture.listener.start()).port;
    return fixture;
  }

  /** Dials as a router does. The hub's certificate is not looked at: these tests are about the router's. */
  dial(router: Partial<TestCertificate>, options: RouterOptions = {}): TLSSocket {
    const { certificate, key } = router;
    return this.#watch(
      connectTls({
        host: "127.0.0.1",
        port: this.port,
        rejectUnauthorized: false,
        ...(certificate === undefined ? {} : { cert: certificate }),
        ...(key === undefined ? {} : { key }),
        ...options,
      }),
    );
  }

  /** Dials over a TCP connection that a test has already used. */
  dialOver(socket: Socket, { certificate, key }: TestCertificate): TLSSocket {
    return this.#watch(connectTls({ socket, rejectUnauthorized: false, cert: certificate, key }));
  }

  async dialTcp(localAddress?: string): Promise<Socket> {
    const socket = connect({
      host: "127.0.0.1",
      port: this.port,
      ...(localAddress === undefined ? {} : { localAddress }),
    });
    this.#watch(socket);
    await once(socket, "connect");
    return socket;
  }

  /** Waits for one more refusal than there were, and answers with it. */
  async nextRefusal(before = this.refusals.length): Promise<Refusal> {
    await vi.waitFor(() => expect(this.refusals.length).toBeGreaterThan(before), WAIT);
    return this.refusals[before] as Refusal;
  }

  async closeOf(link: Link | undefined): Promise<Closed> {
    return await vi.waitUntil(() => this.closed.find((closed) => closed.link === link), WAIT);
  }

  /** Opens a link and proves that it works. */
  async link(
    router: Partial<TestCertificate>,
    options: RouterOptions = {},
  ): Promise<{ socket: TLSSocket; link: Link }> {
    const before = this.opened.length;
    const socket = this.dial(router, options);
    await answersStatus(socket);
    return { socket, link: this.opened[before] as Link };
  }

  #watch<S extends Socket>(socket: S): S {
    socket.on("error", () => undefined);
    onTestFinished(() => void socket.destroy());
    return socket;
  }
}

type RouterOptions = ConnectionOptions & { readonly localAddress?: string };

/** Waits until a socket is gone, however it went and even if it went before. */
export async function gone(socket: Socket): Promise<void> {
  await vi.waitUntil(() => socket.closed, WAIT);
}

export const WAIT = { timeout: 10_000, interval: 5 };

export function statusServer(identifier = 0): Buffer {
  return encodeRequest(CODE.statusServer, identifier, [], systemRandom.bytes(16), RADSEC_SECRET);
}

/** Sends Status-Server and waits for the Access-Accept. */
export async function answersStatus(socket: TLSSocket): Promise<void> {
  const answer = new Promise<Buffer>((resolve, reject) => {
    socket.once("data", resolve);
    socket.once("close", () => reject(new Error("the link is closed")));
  });
  socket.write(statusServer());
  expect((await answer)[0]).toBe(CODE.accessAccept);
}
