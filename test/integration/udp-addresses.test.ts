import { describe, expect, it, vi } from "vitest";
import { CODE } from "../../src/radius/codes.ts";
import { ManualClock } from "../support/manual-clock.ts";
import { NAS, request, UdpFixture, UdpHost, WAIT } from "../support/udp-fixture.ts";

/** A listener behind a wildcard on a machine whose addresses the test chooses. */
async function machine(addresses: string[], port: number) {
  const clock = new ManualClock();
  const ports = { authPort: port, acctPort: undefined, dynauthPort: undefined };
  const fixture = await UdpFixture.start({
    clock,
    listener: { addresses: ["0.0.0.0"], ...ports },
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
