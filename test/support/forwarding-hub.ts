import { expect, onTestFinished, vi } from "vitest";
import type {
  PoolOptions,
  RadsecServerOptions,
  RouteRule,
  UdpServerOptions,
  UpstreamServerOptions,
} from "../../src/aaa/upstream/options.ts";
import { Upstreams } from "../../src/aaa/upstream/upstreams.ts";
import { answerUnserved } from "../../src/aaa/unserved.ts";
import { systemClock, systemRandom } from "../../src/clock.ts";
import { ProxyMark } from "../../src/dynauth/trigger-attributes.ts";
import { EventFeed, type HubEvent } from "../../src/events.ts";
import { RADSEC_SECRET, SharedSecret } from "../../src/radius/authenticator.ts";
import { ClientDirectory } from "../../src/transport/client-directory.ts";
import type { DropReason, RequestHandler } from "../../src/transport/link.ts";
import { OwnEndpoints } from "../../src/transport/own-endpoints.ts";
import { RadsecListener } from "../../src/transport/radsec-listener.ts";
import { TimingWheel } from "../../src/transport/timing-wheel.ts";
import { UdpRequester } from "../../src/transport/udp-requester.ts";
import { clientEntry } from "./client-entries.ts";
import { listenerOptions, type TestPki } from "./listener-fixture.ts";
import { RawNas } from "./raw-nas.ts";

export const UPSTREAM_SECRET: SharedSecret = new SharedSecret("a secret of the home server");

const PROBE = {
  kind: "status-server",
  port: "auth",
  userName: "probe",
  password: "probe",
  timeoutMs: 200,
  intervalMs: 500,
  intervalMaxMs: 1_000,
} as const;

export function udpServer(name: string, port: number, changes: Partial<UdpServerOptions> = {}): UdpServerOptions {
  return {
    name,
    transport: "udp",
    host: "127.0.0.1",
    authPort: port,
    acctPort: port,
    secret: UPSTREAM_SECRET,
    replyTimeoutMs: 400,
    requireMessageAuthenticator: true,
    retransmit: { irtMs: 100, mrtMs: 400, mrc: 5 },
    suspectAfter: 1,
    probe: PROBE,
    ...changes,
  };
}

export function radsecServer(
  name: string,
  port: number,
  { ca, nas }: TestPki,
  changes: Partial<RadsecServerOptions> = {},
): RadsecServerOptions {
  const { certificate, key } = nas;
  return {
    name,
    transport: "radsec",
    host: "127.0.0.1",
    port,
    serverName: "localhost",
    secret: RADSEC_SECRET,
    replyTimeoutMs: 400,
    tls: { certificate, key, ca: [ca.certificate], crl: [], minVersion: "TLSv1.2" },
    links: 1,
    watchdogMs: 15_000,
    reconnect: { floorMs: 500, capMs: 1_000 },
    queueMax: 100,
    triggers: { mayTrigger: true, reach: undefined, filter: undefined },
    probe: PROBE,
    ...changes,
  };
}

interface HubOptions {
  readonly servers: readonly UpstreamServerOptions[];
  readonly pools?: readonly PoolOptions[];
  readonly routes?: readonly RouteRule[];
  readonly reverse?: RequestHandler;
  readonly mode?: PoolOptions["mode"];
  readonly timeoutMs?: number;
}

/** The parts of a hub that forwarding takes, for routers behind RadSec; stopped when the test is over. */
export class ForwardingHub {
  readonly pki: TestPki;
  readonly events: HubEvent[] = [];
  readonly dropped: DropReason[] = [];
  readonly upstreams: Upstreams;
  readonly mark: ProxyMark = new ProxyMark(systemRandom.bytes(16));
  readonly own: OwnEndpoints = new OwnEndpoints();
  readonly listener: RadsecListener;
  readonly wheel: TimingWheel = new TimingWheel(systemClock);
  port = 0;

  private constructor(pki: TestPki, options: HubOptions) {
    this.pki = pki;
    const { wheel, mark, own } = this;
    const feed = new EventFeed((error) => expect(error).toBeUndefined());
    feed.subscribe((event) => this.events.push(event));
    const clients = new ClientDirectory([clientEntry({ mayTrigger: true })]);
    const times = { clock: systemClock, random: systemRandom, wheel };
    const udp = new UdpRequester({ ...times, dropped: (reason) => void this.dropped.push(reason) });
    let links = 0;
    const nextLinkId = () => `test-${(links += 1)}`;
    this.upstreams = new Upstreams(
      {
        ...times,
        events: feed,
        udp,
        mark,
        reverse: options.reverse ?? (() => ({ kind: "discard", reason: "test" })),
        nextLinkId,
        isSelf: (address, port) => own.has(address, port),
        nasIdentifier: "hub-1",
      },
      upstreamsOptions(options),
    );
    this.listener = new RadsecListener(
      {
        ...times,
        observer: {
          opened: () => undefined,
          closed: () => undefined,
          statusServer: () => undefined,
          request: () => undefined,
          replied: () => undefined,
          dropped: (_, reason) => void this.dropped.push(reason),
        },
        handler: this.handler,
        clients: () => clients,
        nextLinkId,
        refused: () => undefined,
      },
      { ...listenerOptions(pki), link: { ...listenerOptions(pki).link, requestsInHandlerMax: 1_000 } },
    );
    onTestFinished(async () => {
      await this.listener.stop(100);
      await this.upstreams.stop();
      udp.stop();
      expect(udp.sockets).toBe(0);
      wheel.stop();
    });
  }

  /** The request pipeline: forwarded, or answered as a hub that serves nobody. */
  readonly handler: RequestHandler = (context) => this.upstreams.forward(context) ?? answerUnserved(context);

  /** Starts listener and upstreams; every request goes to the pool "p" of all servers unless `routes` say otherwise. */
  static async start(pki: TestPki, options: HubOptions): Promise<ForwardingHub> {
    const hub = new ForwardingHub(pki, options);
    const { address, port } = await hub.listener.start();
    hub.port = port;
    hub.own.add(address, port);
    hub.upstreams.start();
    return hub;
  }

  dial(): Promise<RawNas> {
    const { ca, nas } = this.pki;
    const credentials = { ca: ca.certificate, certificate: nas.certificate, key: nas.key };
    return RawNas.dial(this.port, credentials, { servername: "localhost" });
  }

  apply(options: HubOptions): void {
    this.upstreams.apply(upstreamsOptions(options));
  }

  stateOf(name: string): string | undefined {
    return this.upstreams.servers().find((server) => server.name === name)?.state;
  }

  async state(name: string, state: string): Promise<void> {
    await vi.waitFor(() => expect(this.stateOf(name)).toBe(state), { timeout: 15_000, interval: 10 });
  }

  /** What was said of upstreams, "up home" and "down home". */
  get changes(): string[] {
    return this.events.flatMap((event) => {
      const isChange = event.type === "upstream.up" || event.type === "upstream.down";
      return isChange ? [`${event.type.slice("upstream.".length)} ${event.upstream}`] : [];
    });
  }
}

function upstreamsOptions({ servers, pools, routes, mode = "fail-over", timeoutMs = 2_000 }: HubOptions) {
  return {
    servers,
    pools: pools ?? [{ name: "p", servers: servers.map(({ name }) => name), mode, timeoutMs }],
    routes: routes ?? [{ pool: "p" }],
  };
}
