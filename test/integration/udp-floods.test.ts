import { describe, expect, it, vi } from "vitest";
import { FIRST_VALUE_OFFSET } from "../../src/radius/authenticator.ts";
import { CODE } from "../../src/radius/codes.ts";
import type { Reply } from "../../src/transport/link.ts";
import { NAS, request, UdpFixture, UdpHost, udpEntry, USER, WAIT } from "../support/udp-fixture.ts";
import { bare, LENIENT } from "../support/udp-requests.ts";

describe("floods of datagrams", () => {
  it("1,000 requests at once are all answered, whatever the handler takes", async () => {
    const fixture = await UdpFixture.start({
      handler: ({ packet }) =>
        new Promise((resolve) => {
          setImmediate(() => resolve({ kind: "reply", code: packet.code + 1, attributes: [] }));
        }),
    });
    const hosts = await Promise.all(Array.from({ length: 10 }, (_, index) => UdpHost.open(`127.0.1.${index + 1}`)));
    for (const host of hosts) {
      for (let identifier = 0; identifier < 100; identifier += 1) {
        host.send(request(CODE.accessRequest, [NAS, USER], identifier), fixture.port("auth"));
      }
    }
    await vi.waitUntil(() => hosts.every(({ received }) => received.length === 100), WAIT);
    expect(fixture.drops).toEqual([]);
    expect(fixture.links).toHaveLength(10);
  });

  it("strangers and forgers in thousands cost their neighbour nothing but time, and no memory that stays", async () => {
    const fixture = await UdpFixture.start();
    const [forger, host] = [await UdpHost.open("127.0.2.1"), await UdpHost.open()];
    const forged = request(CODE.accessRequest);
    forged[FIRST_VALUE_OFFSET] = (forged[FIRST_VALUE_OFFSET] as number) ^ 1;
    for (let count = 0; count < 500; count += 1) forger.send(forged, fixture.port("auth"));
    const reply = await host.ask(request(CODE.accessRequest), fixture.port("auth"));
    expect(reply.code).toBe(CODE.accessAccept);
    await fixture.drop(500);
    expect(fixture.listener.figures.repliesKept).toBe(1);
    expect(fixture.links.map(({ address }) => address)).toEqual(["127.0.0.1"]);
  });

  it("invariant 9: a client that floods fills its own share of what is worked on, and its neighbour is served", async () => {
    const waiting: ((reply: Reply) => void)[] = [];
    const fixture = await UdpFixture.start({
      handler: ({ link: { address } }) =>
        address === "127.0.2.1"
          ? new Promise<Reply>((resolve) => void waiting.push(resolve))
          : { kind: "reply", code: CODE.accessAccept, attributes: [] },
    });
    const [share, ports] = [4_096, 17];
    for (let port = 0; port < ports; port += 1) {
      const flooder = await UdpHost.open("127.0.2.1");
      for (let identifier = 0; identifier < 256; identifier += 1) {
        flooder.send(request(CODE.accessRequest, [NAS, USER], identifier), fixture.port("auth"));
      }
      await vi.waitUntil(() => waiting.length + fixture.drops.length === 256 * (port + 1), WAIT);
    }
    expect(waiting).toHaveLength(share);
    expect(fixture.reasons()).toEqual(Array(256).fill("handler-busy"));
    const host = await UdpHost.open();
    await host.ask(request(CODE.accessRequest), fixture.port("auth"));
    for (const answer of waiting) answer({ kind: "discard", reason: "over" });
    await fixture.drop(256 + share);
    const flooder = await UdpHost.open("127.0.2.1");
    flooder.send(request(CODE.accessRequest), fixture.port("auth"));
    await vi.waitUntil(() => waiting.length === share + 1, WAIT);
  });

  it("UL-18 rejects that wait are counted to who earned them: a forged source takes no neighbour's room", async () => {
    const fixture = await UdpFixture.start({
      clients: [udpEntry(LENIENT)],
      listener: { rejectDelayMs: { min: 10_000, max: 10_000 } },
      handler: () => ({ kind: "reply", code: CODE.accessReject, attributes: [] }),
    });
    for (let port = 0; port < 17; port += 1) {
      const flooder = await UdpHost.open("127.0.2.1");
      const before = fixture.drops.length;
      for (let identifier = 0; identifier < 256; identifier += 1) {
        flooder.send(bare([USER], identifier), fixture.port("auth")); // names no NAS
      }
      flooder.send(bare([USER], 0).subarray(0, 19), fixture.port("auth")); // the end of this round
      await vi.waitUntil(() => fixture.reasons().slice(before).includes("malformed"), WAIT);
    }
    expect(fixture.reasons().filter((reason) => reason === "reject-backlog")).toHaveLength(256);
    const host = await UdpHost.open();
    for (let identifier = 0; identifier < 10; identifier += 1) {
      host.send(bare([NAS, USER], identifier), fixture.port("auth"));
    }
    await host.ask(request(CODE.statusServer, [], 99), fixture.port("auth"));
    expect(fixture.reasons().filter((reason) => reason === "reject-backlog")).toHaveLength(256);
  });

  it("UL-18 rejects that wait are bounded in all, whoever earned them: 10,000", async () => {
    const fixture = await UdpFixture.start({
      listener: {
        rejectDelayMs: { min: 10_000, max: 10_000 },
        duplicates: { authAcctMs: 30_000, dynauthMs: 300_000, entriesMax: 65_536 },
      },
      handler: () => ({ kind: "reply", code: CODE.accessReject, attributes: [] }),
    });
    const [addresses, ports] = [3, 14];
    for (let socket = 0; socket < addresses * ports; socket += 1) {
      const flooder = await UdpHost.open(`127.0.2.${1 + (socket % addresses)}`);
      for (let identifier = 0; identifier < 255; identifier += 1) {
        flooder.send(request(CODE.accessRequest, [NAS, USER], identifier), fixture.port("auth"));
      }
      await flooder.ask(request(CODE.statusServer, [], 255), fixture.port("auth"));
    }
    expect(fixture.reasons()).toEqual(Array(addresses * ports * 255 - 10_000).fill("reject-backlog"));
  });

  it("what the kernel throws away because the receive buffer is full is counted", async () => {
    const fixture = await UdpFixture.start({ listener: { receiveBufferBytes: 65_536 } });
    const host = await UdpHost.open();
    const octets = request(CODE.statusServer);
    // All of them leave before anything is read.
    for (let count = 0; count < 4_000; count += 1) host.send(octets, fixture.port("auth"));
    await vi.waitUntil(() => (fixture.listener.figures.receiveDrops ?? 0) > 0, WAIT);
    const later = request(CODE.statusServer, [], 2);
    await vi.waitUntil(() => {
      host.send(later, fixture.port("auth")); // the first of them may be thrown away too
      return host.received.some(({ octets: [, identifier] }) => identifier === 2);
    }, WAIT);
  });
});
