import { once } from "node:events";
import { connect } from "node:net";
import { beforeAll, describe, expect, it, onTestFinished, vi } from "vitest";
import type { ConnectionLimits } from "../../src/transport/admission.ts";
import { clientEntry } from "../support/client-entries.ts";
import {
  answersStatus,
  gone,
  ListenerFixture,
  listenerOptions,
  makeTestPki,
  type TestPki,
  WAIT,
} from "../support/listener-fixture.ts";
import { ManualClock } from "../support/manual-clock.ts";

let pki: TestPki;
beforeAll(async () => {
  pki = await makeTestPki();
});

function limited(limits: Partial<ConnectionLimits>) {
  const options = listenerOptions(pki);
  return { ...options, limits: { ...options.limits, ...limits } };
}

describe("RadsecListener limits (invariant 8)", () => {
  it("CON-16 closes the oldest link of a peer for a newer one beyond linksPerPeer, and no other peer's", async () => {
    const hub = await ListenerFixture.start(limited({ linksPerPeer: 2 }));
    const other = await hub.link(await pki.ca.issue({ dns: ["edge-2.nas.example"] }));
    const [first, second] = [await hub.link(pki.nas), await hub.link(pki.nas)];
    const third = await hub.link(pki.nas);
    expect(await hub.closeOf(first.link)).toMatchObject({ reason: "limit" });
    await gone(first.socket);
    expect([second, third, other].map(({ link }) => link.open)).toEqual([true, true, true]);
    expect(hub.listener.links).toBe(3);
    expect(hub.refusals).toEqual([]);
  });

  it("CON-16 lets a `clients` entry say how many links its peers may have", async () => {
    const clients = [clientEntry({ linksMax: 1 })];
    const hub = await ListenerFixture.start(limited({ linksPerPeer: 100 }), { clients });
    const first = await hub.link(pki.nas);
    await hub.link(pki.nas);
    expect((await hub.closeOf(first.link)).reason).toBe("limit");
    expect(hub.listener.links).toBe(1);
  });

  it("CON-16 refuses beyond links and linksPerAddress, and admits again once a link has gone", async () => {
    const hub = await ListenerFixture.start(limited({ links: 3, linksPerAddress: 2 }));
    const first = await hub.link(pki.nas);
    await hub.link(pki.nas);
    hub.dial(pki.nas);
    expect((await hub.nextRefusal(0)).reason).toBe("too-many-links-of-address");
    await hub.link(pki.nas, { localAddress: "127.0.0.2" });
    hub.dial(pki.nas, { localAddress: "127.0.0.3" });
    expect((await hub.nextRefusal(1)).reason).toBe("too-many-links");
    first.socket.end();
    await hub.closeOf(first.link);
    await vi.waitFor(() => expect(hub.listener.links).toBe(2), WAIT);
    await hub.link(pki.nas);
  });

  it("CON-16 makes room at links too when the peer gives up a link of its own", async () => {
    const hub = await ListenerFixture.start(limited({ links: 1, linksPerPeer: 1, linksPerAddress: 1 }));
    await hub.link(pki.nas);
    await hub.link(pki.nas);
    expect(hub.refusals).toEqual([]);
  });

  it("CON-16 refuses more than newPerSecondPerAddress, and only from that address", async () => {
    const clock = new ManualClock(Date.now());
    const hub = await ListenerFixture.start(limited({ newPerSecondPerAddress: 2 }), { clock });
    await Promise.all([hub.dialTcp(), hub.dialTcp(), hub.dialTcp()]);
    expect((await hub.nextRefusal(0)).reason).toBe("too-many-new");
    await hub.link(pki.nas, { localAddress: "127.0.0.2" });
    clock.advance(1_000);
    await hub.link(pki.nas);
    expect(hub.refusals).toHaveLength(1);
  });

  it.each([
    ["of one address", { halfOpen: 2_000, halfOpenPerAddress: 50 }],
    ["in all", { halfOpen: 50, halfOpenPerAddress: 2_000 }],
  ])("CON-17 1000 idle TCP connections do not block a real NAS, bounded %s", async (_what, limits) => {
    const hub = await ListenerFixture.start(limited({ ...limits, newPerSecondPerAddress: 5_000 }));
    const { link, socket } = await hub.link(pki.nas);
    const flood = Array.from({ length: 1_000 }, () => connect(hub.port, "127.0.0.1").on("error", () => undefined));
    onTestFinished(() => {
      for (const idle of flood) idle.destroy();
    });
    await vi.waitFor(() => expect(hub.refusals.length + hub.listener.halfOpen).toBe(1_000), WAIT);
    expect(hub.listener.halfOpen).toBeLessThanOrEqual(50);
    // A router tries again until it is in: the flood has its places for 250 ms of silence.
    await vi.waitFor(async () => await answersStatus(hub.dial(pki.nas)), WAIT);
    await answersStatus(socket);
    expect(link.open).toBe(true);
  });

  it("CON-17 routers that connect all at once are all let in", async () => {
    const hub = await ListenerFixture.start(limited({ halfOpen: 64, halfOpenPerAddress: 64 }));
    await Promise.all(Array.from({ length: 60 }, async () => await hub.link(pki.nas)));
    expect(hub.refusals).toEqual([]);
    expect(hub.listener.halfOpen).toBe(0);
  });

  it.each([true, false])("CON-20 CON-21 sets noDelay %s and keepalive on accepted sockets", async (noDelay) => {
    const { Socket } = await import("node:net");
    const set = {
      noDelay: vi.spyOn(Socket.prototype, "setNoDelay"),
      keepAlive: vi.spyOn(Socket.prototype, "setKeepAlive"),
    };
    onTestFinished(() => {
      set.noDelay.mockRestore();
      set.keepAlive.mockRestore();
    });
    const hub = await ListenerFixture.start({ ...listenerOptions(pki), noDelay });
    await hub.link(pki.nas);
    expect(set.noDelay).toHaveBeenCalledWith(noDelay);
    expect(set.keepAlive).toHaveBeenCalledWith(true, 15_000);
  });

  it("CON-18 a link that is silent for 24 hours stays", async () => {
    const clock = new ManualClock(Date.now());
    const hub = await ListenerFixture.start(listenerOptions(pki), { clock });
    const { link, socket } = await hub.link(pki.nas);
    for (let hour = 0; hour < 24; hour += 1) clock.advance(3_600_000);
    await answersStatus(socket);
    expect(link.open).toBe(true);
  });
});

describe("RadsecListener PROXY protocol", () => {
  const V2 = Buffer.from("0d0a0d0a000d0a515549540a2111000cc6336407c0000201d9030823", "hex"); // 198.51.100.7:55555
  const headers: Record<string, Buffer> = {
    "version 1": Buffer.from("PROXY TCP4 198.51.100.7 192.0.2.1 55555 2083\r\n"),
    "version 2": V2,
  };
  const behind = () => ({ ...listenerOptions(pki), proxyProtocolFrom: ["127.0.0.0/8"] });
  const seen = { address: "198.51.100.7", port: 55_555 };

  it.each(Object.entries(headers))(
    "takes the router's address from %s, in a segment of its own",
    async (_version, header) => {
      const hub = await ListenerFixture.start(behind());
      const tcp = await hub.dialTcp();
      tcp.write(header);
      await answersStatus(hub.dialOver(tcp, pki.nas));
      expect(hub.opened[0]).toMatchObject(seen);
    },
  );

  it.each(Object.entries(headers))("takes %s octet by octet", async (_version, header) => {
    const hub = await ListenerFixture.start(behind());
    const tcp = await hub.dialTcp();
    tcp.setNoDelay(true);
    for (const octet of header) {
      tcp.write(Buffer.of(octet));
      await new Promise((resolve) => setImmediate(resolve));
    }
    await answersStatus(hub.dialOver(tcp, pki.nas));
    expect(hub.opened[0]).toMatchObject(seen);
  });

  it.each(Object.entries(headers))("takes %s glued to the ClientHello", async (_version, header) => {
    const hub = await ListenerFixture.start(behind());
    const tcp = await hub.dialTcp();
    tcp.cork();
    tcp.write(header);
    const router = hub.dialOver(tcp, pki.nas);
    setImmediate(() => tcp.uncork());
    await answersStatus(router);
    expect(hub.opened[0]).toMatchObject(seen);
  });

  it("keeps the balancer's own address for LOCAL", async () => {
    const hub = await ListenerFixture.start(behind());
    const tcp = await hub.dialTcp();
    tcp.write(Buffer.from("0d0a0d0a000d0a515549540a20000000", "hex"));
    await answersStatus(hub.dialOver(tcp, pki.nas));
    expect(hub.opened[0]).toMatchObject({ address: "127.0.0.1", port: tcp.localPort });
  });

  it("requires the header from a listed balancer", async () => {
    const hub = await ListenerFixture.start(behind());
    const router = hub.dial(pki.nas);
    expect((await hub.nextRefusal(0)).reason).toBe("proxy-header");
    await gone(router);
  });

  it("believes no header of anybody else", async () => {
    const hub = await ListenerFixture.start({ ...behind(), proxyProtocolFrom: ["127.0.0.9/32"] });
    const tcp = await hub.dialTcp();
    tcp.write(V2);
    expect(await hub.nextRefusal(0)).toMatchObject({ reason: "not-tls", address: "127.0.0.1" });
    await hub.link(pki.nas);
  });

  it("refuses a truncated header that ends, and one that never comes in time", async () => {
    const clock = new ManualClock(Date.now());
    const hub = await ListenerFixture.start(behind(), { clock });
    const ends = await hub.dialTcp();
    ends.end(V2.subarray(0, 20));
    expect((await hub.nextRefusal(0)).reason).toBe("reset");
    const waits = await hub.dialTcp();
    waits.write(V2.subarray(0, 20));
    await vi.waitFor(() => expect(hub.listener.halfOpen).toBe(1), WAIT);
    clock.advance(5_100);
    expect((await hub.nextRefusal(1)).reason).toBe("handshake-timeout");
    await gone(waits);
  });

  it("CON-16 counts connections by the address in the header", async () => {
    const options = behind();
    const limits = { ...options.limits, linksPerAddress: 1 };
    const hub = await ListenerFixture.start({ ...options, limits });
    const dialFrom = async (host: number) => {
      const tcp = await hub.dialTcp();
      tcp.write(`PROXY TCP4 198.51.100.${host} 192.0.2.1 1000 2083\r\n`);
      return hub.dialOver(tcp, pki.nas);
    };
    await answersStatus(await dialFrom(1));
    await answersStatus(await dialFrom(2));
    await dialFrom(1);
    expect(await hub.nextRefusal(0)).toMatchObject({ reason: "too-many-links-of-address", address: "198.51.100.1" });
  });

  it("TLS-19 matches `clients` networks by the address in the header", async () => {
    const clients = [clientEntry({ match: { admitEvery: true, network: ["198.51.100.0/24"] } })];
    const hub = await ListenerFixture.start(behind(), { clients });
    const tcp = await hub.dialTcp();
    tcp.write(V2);
    await answersStatus(hub.dialOver(tcp, pki.nas));
    const elsewhere = await hub.dialTcp();
    elsewhere.write("PROXY UNKNOWN\r\n");
    const secured = once(hub.dialOver(elsewhere, pki.nas), "secureConnect");
    expect((await hub.nextRefusal(0)).reason).toBe("not-in-clients");
    await secured;
  });
});
