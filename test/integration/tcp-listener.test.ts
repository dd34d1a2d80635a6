import { once } from "node:events";
import { describe, expect, it, onTestFinished } from "vitest";
import { systemClock, systemRandom } from "../../src/clock.ts";
import type { HubError } from "../../src/errors.ts";
import { integerAttribute } from "../../src/radius/attribute.ts";
import { encodeResponse, SharedSecret } from "../../src/radius/authenticator.ts";
import { CODE } from "../../src/radius/codes.ts";
import { encodePacket } from "../../src/radius/packet.ts";
import { AddressClients } from "../../src/transport/address-clients.ts";
import type { ClientEntry } from "../../src/transport/client-entry.ts";
import type { CloseReason, DropReason, Link, RequestHandler } from "../../src/transport/link.ts";
import { TcpListener, type TcpListenerOptions } from "../../src/transport/tcp-listener.ts";
import { TimingWheel } from "../../src/transport/timing-wheel.ts";
import { TcpRouter } from "../support/tcp-router.ts";
import { NAS, RECORD, request, SECRET, udpEntry, USER } from "../support/udp-fixture.ts";
import { PROXY_STATE } from "../support/udp-requests.ts";

function tcpEntry(changes: Partial<ClientEntry> = {}): ClientEntry {
  return udpEntry({ name: "stream", transport: "tcp", mayTrigger: false, ...changes });
}

class Fixture {
  readonly opened: Link[] = [];
  readonly closed: { readonly link: Link; readonly reason: CloseReason }[] = [];
  readonly drops: DropReason[] = [];
  readonly refusals: string[] = [];
  readonly learnt: number[] = [];
  readonly listener: TcpListener;
  clients: AddressClients;
  port = 0;

  constructor(
    clients: readonly ClientEntry[],
    limits: Partial<TcpListenerOptions["limits"]>,
    handler: RequestHandler,
    port: number,
  ) {
    this.clients = new AddressClients(clients, "tcp");
    const wheel = new TimingWheel(systemClock);
    this.listener = new TcpListener(
      {
        clock: systemClock,
        random: systemRandom,
        wheel,
        handler,
        observer: {
          opened: (link) => void this.opened.push(link),
          closed: (link, reason) => void this.closed.push({ link, reason }),
          request: (_, { code }) => void this.learnt.push(code),
          statusServer: (_, { code }) => void this.learnt.push(code),
          dropped: (_, reason) => void this.drops.push(reason),
          replied: () => undefined,
        },
        clients: () => this.clients,
        nextLinkId: () => `tcp-${this.opened.length + 1}`,
        refused: ({ reason }) => void this.refusals.push(reason),
      },
      {
        name: "stream",
        address: "127.0.0.1",
        port,
        limits: { links: 100, linksPerPeer: 100, linksPerAddress: 100, newPerSecondPerAddress: 1_000, ...limits },
        noDelay: true,
        keepAliveMs: 60_000,
        link: {
          queueMax: 10,
          writeBacklogBytesMax: 1_048_576,
          requestsInHandlerMax: 10,
          statusServer: { enabled: true, perSecondMax: 100 },
          timestampWindowMs: 300_000,
        },
      },
    );
    onTestFinished(async () => {
      await this.listener.stop(100);
      wheel.stop();
      expect(this.listener.links).toBe(0);
    });
  }

  static async start(
    clients: readonly ClientEntry[] = [tcpEntry()],
    limits: Partial<TcpListenerOptions["limits"]> = {},
    handler: RequestHandler = ({ packet: { code } }) => ({ kind: "reply", code: code + 1, attributes: [] }),
    port = 0,
  ): Promise<Fixture> {
    const fixture = new Fixture(clients, limits, handler, port);
    fixture.port = (await fixture.listener.start()).port;
    return fixture;
  }
}

describe("TcpListener", () => {
  it("CON-01 CON-22 CRY-11 serves a router by the secret of its entry, and is a link of kind tcp", async () => {
    const fixture = await Fixture.start();
    const router = new TcpRouter(fixture.port);
    expect((await router.ask(request(CODE.statusServer, [NAS], 0))).code).toBe(CODE.accessAccept); // ST-04: a mixed port
    expect((await router.ask(request(CODE.accessRequest, [NAS, USER], 1))).code).toBe(CODE.accessAccept);
    expect((await router.ask(request(CODE.accountingRequest, undefined, 2))).code).toBe(CODE.accountingResponse);
    expect(fixture.opened[0]).toMatchObject({
      kind: "tcp",
      protocol: "TCP",
      peerKey: "tcp:stream:127.0.0.1",
      peer: { kind: "address", address: "127.0.0.1" },
    });
    expect(fixture.learnt).toEqual([12, 1, 4]);
  });

  it("sends Disconnect-Requests back down the connection", async () => {
    const fixture = await Fixture.start();
    const router = new TcpRouter(fixture.port);
    await router.ask(request(CODE.statusServer, [NAS], 0));
    const deadline = systemClock.now() + 10_000;
    const outcome = fixture.opened[0]?.send({ code: CODE.disconnectRequest, attributes: [USER], deadline });
    const asked = await router.packet(1);
    router.socket.write(encodeResponse(asked, CODE.disconnectAck, [], SECRET));
    expect(await outcome).toMatchObject({ kind: "reply", reply: { code: CODE.disconnectAck } });
  });

  it("CON-04 a wrong secret ends the connection", async () => {
    const fixture = await Fixture.start();
    const router = new TcpRouter(fixture.port);
    router.socket.write(request(CODE.accessRequest, [NAS], 1, new SharedSecret("wrong")));
    await once(router.socket, "close");
    expect(fixture.closed.map(({ reason }) => reason)).toEqual(["bad-message-authenticator"]);
  });

  it.each([
    [{ requireMessageAuthenticator: true }, [NAS], "request-no-message-authenticator"],
    [{ requireMessageAuthenticator: false, limitProxyState: true }, [NAS, PROXY_STATE], "request-proxy-state"],
  ])(
    "BR-02 BR-03 BR-05 with %o keeps BlastRADIUS out as over UDP, and the connection stays",
    async (flags, attributes, reason) => {
      const fixture = await Fixture.start([tcpEntry(flags)]);
      const router = new TcpRouter(fixture.port);
      router.socket.write(encodePacket(CODE.accessRequest, 1, systemRandom.bytes(16), attributes));
      await router.ask(request(CODE.accountingRequest, [...RECORD, PROXY_STATE], 2)); // has none, and need not
      expect(fixture.drops).toEqual([reason]);
      expect(fixture.opened[0]?.open).toBe(true);
    },
  );

  it("UL-05 UL-11 UL-17 asks of a request what it asks over UDP, and the connection stays", async () => {
    const fixture = await Fixture.start();
    const router = new TcpRouter(fixture.port);
    const authorizeOnly = [NAS, USER, integerAttribute(6, 17)];
    for (const [identifier, attributes] of [[USER], authorizeOnly].entries()) {
      const reply = await router.ask(request(CODE.accessRequest, attributes, identifier));
      expect(reply.code).toBe(CODE.accessReject);
    }
    router.socket.write(request(CODE.accountingRequest, [NAS], 3));
    await router.ask(request(CODE.statusServer, [NAS], 4));
    expect(fixture.drops).toEqual(Array(3).fill("request-invalid"));
    expect(fixture.learnt).toEqual([CODE.statusServer]);
    expect(fixture.opened[0]?.open).toBe(true);
  });

  it("nothing is learnt from what anybody could have sent", async () => {
    const fixture = await Fixture.start([tcpEntry({ requireMessageAuthenticator: false })]);
    const router = new TcpRouter(fixture.port);
    await router.ask(encodePacket(CODE.accessRequest, 1, systemRandom.bytes(16), [NAS]));
    expect(fixture.learnt).toEqual([]);
  });

  it("PE-06 a Protocol-Error is silence", async () => {
    const fixture = await Fixture.start([tcpEntry()], {}, () => ({ kind: "reply", code: 52, attributes: [] }));
    const router = new TcpRouter(fixture.port);
    router.socket.write(request(CODE.accountingRequest));
    await router.ask(request(CODE.statusServer, [NAS], 2));
    expect(fixture.drops).toEqual(["handler-discard"]);
  });

  it("TLS-18 an address that no entry for tcp has is refused before anything is read", async () => {
    const fixture = await Fixture.start([tcpEntry({ match: { network: ["127.0.0.2"] } }), udpEntry()]);
    const stranger = new TcpRouter(fixture.port);
    stranger.socket.write(request(CODE.statusServer));
    await once(stranger.socket, "close");
    expect(fixture.refusals).toEqual(["not-in-clients"]);
    expect(fixture.opened).toEqual([]);
    await new TcpRouter(fixture.port, "127.0.0.2").ask(request(CODE.statusServer));
  });

  it.each([
    [{ links: 2 }, "127.0.0.2", ["too-many-links"], 0],
    [{ linksPerAddress: 2 }, "127.0.0.1", ["too-many-links-of-address"], 0],
    [{ newPerSecondPerAddress: 2 }, "127.0.0.1", ["too-many-new"], 0],
    [{ linksPerPeer: 2 }, "127.0.0.1", [], 1],
  ])("CON-16 with %o the third connection meets the limit", async (limits, from, refusals, closed) => {
    const fixture = await Fixture.start([tcpEntry()], limits);
    const first = new TcpRouter(fixture.port);
    await first.ask(request(CODE.statusServer, [NAS], 0));
    await new TcpRouter(fixture.port).ask(request(CODE.statusServer, [NAS], 0));
    const third = new TcpRouter(fixture.port, from);
    if (closed === 0) await once(third.socket, "close");
    else await third.ask(request(CODE.statusServer, [NAS], 0));
    expect(fixture.refusals).toEqual(refusals);
    expect(fixture.closed.map(({ link, reason }) => [link, reason])).toEqual(
      closed === 0 ? [] : [[fixture.opened[0], "limit"]],
    );
  });

  it("reauthorise() closes who matches no more, and gives the rest their new entry", async () => {
    const fixture = await Fixture.start();
    const [one, two] = [new TcpRouter(fixture.port), new TcpRouter(fixture.port, "127.0.0.2")];
    await one.ask(request(CODE.statusServer));
    await two.ask(request(CODE.statusServer));
    const changed = tcpEntry({ match: { network: ["127.0.0.1"] }, vendor: "mikrotik" });
    fixture.clients = new AddressClients([changed], "tcp");
    fixture.listener.reauthorise();
    expect(fixture.closed.map(({ link, reason }) => [link.address, reason])).toEqual([["127.0.0.2", "client-removed"]]);
    expect(fixture.opened.find(({ address }) => address === "127.0.0.1")?.client).toBe(changed);
  });

  it("stop() ends links, and cuts a peer that does not go", async () => {
    const fixture = await Fixture.start();
    const router = new TcpRouter(fixture.port);
    await router.ask(request(CODE.statusServer));
    const ended = once(router.socket, "end");
    await fixture.listener.stop(1_000);
    await ended;
    expect(fixture.listener.listening).toBe(false);
    expect(fixture.closed.map(({ reason }) => reason)).toEqual(["stopped"]);
  });

  it("start() names the address and port that it can not have", async () => {
    const { port } = await Fixture.start();
    await expect(Fixture.start([], {}, undefined, port)).rejects.toSatisfy(
      ({ code, message }: HubError) => code === "ERR_LISTEN" && message.includes(`127.0.0.1:${port}`),
    );
  });
});
