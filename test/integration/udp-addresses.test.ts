import { describe, expect, it, vi } from "vitest";
import { CODE } from "../../src/radius/codes.ts";
import { ManualClock } from "../support/manual-clock.ts";
import { NAS, request, UdpFixture, type UdpFixtureOptions, UdpHost, WAIT } from "../support/udp-fixture.ts";

/** A listener behind a wildcard on a machine whose addresses the test chooses. */
async function machine(addresses: string[], port: number, listener: UdpFixtureOptions["listener"] = {}) {
  const clock = new ManualClock();
  const ports = { authPort: port, acctPort: undefined, dynauthPort: undefined };
  const fixture = await UdpFixture.start({
    clock,
    listener: { addresses: ["0.0.0.0"], ...ports, ...listener },
    expand: () => addresses,
  });
  return { clock, fixture };
}

/** A port that nobody has on any address. */
async function freePort(): Promise<number> {
  const host = await UdpHost.open("0.0.0.0");
  const { port } = host;
  await host.close();
  return port;
}

describe("a wildcard while addresses come and go", () => {
  it("UL-02 an address that comes later has its sockets within 10 s, one that goes loses them", async () => {
    const port = await freePort();
    const addresses = ["127.0.0.1"];
    const { clock, fixture } = await machine(addresses, port);
    const host = await UdpHost.open();
    addresses.push("127.0.0.2");
    clock.advance(10_020);
    await vi.waitUntil(() => fixture.moved.length === 1, WAIT);
    await host.ask(request(CODE.accessRequest), port, { address: "127.0.0.2" });
    expect(host.received.at(-1)?.from.address).toBe("127.0.0.2");
    await host.ask(request(CODE.accessRequest, [NAS], 2), port);
    addresses.shift();
    // The look after the opening one is scheduled once that one is over.
    await vi.waitUntil(() => {
      clock.advance(10_020);
      return fixture.moved.length === 2;
    }, WAIT);
    expect(fixture.moved).toEqual(["opened 127.0.0.2", "closed 127.0.0.1"]);
    await host.ask(request(CODE.accessRequest, [NAS], 3), port, { address: "127.0.0.2" });
    await expect(UdpHost.open("127.0.0.1", port)).resolves.toBeDefined(); // nobody has it any more
  });

  it("an address that can not be had is reported once and tried again", async () => {
    const port = await freePort();
    const addresses = ["127.0.0.1"];
    const { clock, fixture } = await machine(addresses, port);
    const squatter = await UdpHost.open("127.0.0.2", port);
    addresses.push("127.0.0.2");
    const look = async (until: () => boolean) =>
      vi.waitUntil(() => {
        clock.advance(10_020);
        return until();
      }, WAIT);
    await look(() => fixture.moved.length === 1);
    const looks = fixture.looks;
    await look(() => fixture.looks >= looks + 2);
    await squatter.close();
    await look(() => fixture.moved.length === 2);
    expect(fixture.moved).toEqual(["failed 127.0.0.2", "opened 127.0.0.2"]);
  });

  it("what was counted on an address that has gone stays counted", async (context) => {
    const port = await freePort();
    const addresses = ["127.0.0.1", "127.0.0.2"];
    const { clock, fixture } = await machine(addresses, port, {
      receiveBufferBytes: 65_536,
      duplicates: { authAcctMs: 30_000, dynauthMs: 300_000, entriesMax: 4 },
    });
    if (fixture.listener.figures.receiveDrops === undefined) context.skip("this system does not tell what it drops");
    const host = await UdpHost.open();
    for (let identifier = 0; identifier < 6; identifier += 1) {
      await host.ask(request(CODE.accessRequest, [NAS], identifier), port, { address: "127.0.0.2" });
    }
    const octets = request(CODE.accessRequest, [NAS], 5);
    for (let count = 0; count < 4_000; count += 1) host.send(octets, port, "127.0.0.2");
    await vi.waitUntil(() => (fixture.listener.figures.receiveDrops ?? 0) > 0, WAIT);
    const last = request(CODE.accessRequest, [NAS], 9);
    await vi.waitUntil(() => {
      host.send(last, port, "127.0.0.2"); // the first of them may be thrown away too
      return host.received.some(({ octets: [, identifier] }) => identifier === 9);
    }, WAIT);
    const { repliesPushedOut, receiveDrops } = fixture.listener.figures;
    expect(repliesPushedOut).toBeGreaterThanOrEqual(2);
    addresses.pop();
    await vi.waitUntil(() => {
      clock.advance(10_020);
      return fixture.moved.length === 1;
    }, WAIT);
    expect(fixture.listener.figures).toEqual({ name: "lan", repliesKept: 0, repliesPushedOut, receiveDrops });
  });

  it("UL-02 an address that is not ready yet when the hub starts keeps nobody waiting: it is reported, and had once it is", async () => {
    const port = await freePort();
    // As an IPv6 address is while the system looks for its duplicate (RFC 4862 Section 5.4): there, and not to be had.
    const addresses = ["192.0.2.77", "127.0.0.1"];
    const { clock, fixture } = await machine(addresses, port);
    expect([fixture.listener.listening, fixture.moved]).toEqual([true, ["failed 192.0.2.77"]]);
    await (await UdpHost.open()).ask(request(CODE.accessRequest), port);
    addresses[0] = "127.0.0.2"; // no test can make an address ready
    await vi.waitUntil(() => {
      clock.advance(10_020);
      return fixture.moved.length === 2;
    }, WAIT);
    expect(fixture.moved[1]).toBe("opened 127.0.0.2");
  });

  it.each([
    ["an address that configuration names", { addresses: ["192.0.2.77"] }, "no such address"],
    ["a port that somebody has on one of them", { addresses: ["0.0.0.0"] }, "in use"],
    ["a wildcard that stands for no address", { addresses: ["::"] }, "no address to listen on"],
  ])("%s and that can not be had is no start", async (_, { addresses }, why) => {
    const squatter = await UdpHost.open("127.0.0.2");
    const ports = { authPort: squatter.port, acctPort: undefined, dynauthPort: undefined };
    const behind: Record<string, string[]> = { "0.0.0.0": ["127.0.0.1", "127.0.0.2"], "::": [] };
    const expand = (address: string) => behind[address] ?? [address];
    await expect(UdpFixture.start({ listener: { addresses, ...ports }, expand })).rejects.toMatchObject({
      code: "ERR_LISTEN",
      message: expect.stringContaining(why),
    });
    await expect(UdpHost.open("127.0.0.1", squatter.port)).resolves.toBeDefined(); // nothing is left open
  });

  it("stop() ends the looking", async () => {
    const addresses = ["127.0.0.1"];
    const { clock, fixture } = await machine(addresses, await freePort());
    await fixture.listener.stop(0);
    const { looks } = fixture;
    addresses.push("127.0.0.2");
    clock.advance(60_000);
    expect([fixture.looks, fixture.moved]).toEqual([looks, []]);
  });
});
