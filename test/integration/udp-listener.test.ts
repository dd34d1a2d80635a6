import { existsSync, readFileSync } from "node:fs";
import { describe, expect, it, vi } from "vitest";
import type { HubError } from "../../src/errors.ts";
import { SharedSecret } from "../../src/radius/authenticator.ts";
import { CODE } from "../../src/radius/codes.ts";
import type { Reply, RequestContext } from "../../src/transport/link.ts";
import type { UdpPurpose } from "../../src/transport/udp-port.ts";
import { NAS, request, UdpFixture, UdpHost, udpEntry, udpOptions, WAIT } from "../support/udp-fixture.ts";
import { alive, both } from "../support/udp-requests.ts";

describe("which port takes what", () => {
  it.each<[UdpPurpose, number, number]>([
    ["auth", CODE.accessRequest, CODE.accessAccept],
    ["auth", CODE.statusServer, CODE.accessAccept],
    ["acct", CODE.accountingRequest, CODE.accountingResponse],
    ["acct", CODE.statusServer, CODE.accountingResponse],
    ["dynauth", CODE.disconnectRequest, CODE.disconnectAck],
    ["dynauth", CODE.coaRequest, CODE.coaAck],
  ])("UL-03 UL-04 ST-04 DP-34 %s answers code %i with %i", async (purpose, asked, answered) => {
    const { fixture, host } = await both();
    const reply = await host.ask(request(asked), fixture.port(purpose));
    expect(reply.code).toBe(answered);
    expect((await host.datagram()).from.port).toBe(fixture.port(purpose)); // DP-01
  });

  it.each<[UdpPurpose, number, string]>([
    ["auth", CODE.accountingRequest, "wrong-port"],
    ["auth", CODE.coaRequest, "wrong-port"],
    ["auth", CODE.disconnectRequest, "wrong-port"],
    ["acct", CODE.accessRequest, "wrong-port"],
    ["acct", CODE.disconnectRequest, "wrong-port"],
    ["dynauth", CODE.statusServer, "wrong-port"],
    ["auth", CODE.accessAccept, "unknown-code"],
    ["acct", 99, "unknown-code"],
    ["dynauth", CODE.disconnectAck, "unknown-code"],
  ])("UL-03 ST-16 PKT-04 %s is silent to code %i: %s", async (purpose, code, reason) => {
    const { fixture, host } = await both();
    host.send(request(code), fixture.port(purpose));
    await alive(host, fixture, purpose);
    expect(fixture.reasons()).toEqual([reason]);
    expect(host.received).toHaveLength(1);
  });

  it("triggersOnAuthPort lets Disconnect and CoA come to the auth port, to the trigger handler", async () => {
    const seen: number[] = [];
    const trigger = ({ packet }: RequestContext): Reply => {
      seen.push(packet.code);
      return { kind: "reply", code: packet.code + 1, attributes: [] };
    };
    const { fixture, host } = await both({ listener: { triggersOnAuthPort: true }, trigger });
    expect((await host.ask(request(CODE.coaRequest, [NAS], 1), fixture.port("auth"))).code).toBe(CODE.coaAck);
    expect((await host.ask(request(CODE.disconnectRequest, [NAS], 2), fixture.port("auth"))).code).toBe(41);
    expect(seen).toEqual([43, 40]);
    expect(fixture.links).toEqual([]);
  });

  it("codes of other services on the dynauth port go to the trigger handler, never to the AAA handler", async () => {
    const handler = vi.fn();
    const { fixture, host } = await both({ handler });
    expect((await host.ask(request(CODE.accessRequest), fixture.port("dynauth"))).code).toBe(CODE.accessAccept);
    expect(handler).not.toHaveBeenCalled();
  });
});

describe("sources", () => {
  it("UL-01 DP-02 an unknown source hears nothing and is counted", async () => {
    const { fixture, host } = await both({ clients: [udpEntry({ match: { network: ["127.0.0.1"] } })] });
    const stranger = await UdpHost.open("127.0.0.9");
    for (const purpose of ["auth", "acct", "dynauth"] as const) {
      stranger.send(request(CODE.accessRequest), fixture.port(purpose));
    }
    expect([await fixture.drop(1), await fixture.drop(2), await fixture.drop(3)]).toEqual(
      Array(3).fill("unknown-source"),
    );
    expect(fixture.drops[0]?.from).toMatchObject({ listener: "lan", address: "127.0.0.9", link: undefined });
    await alive(host, fixture, "auth");
    expect(stranger.received).toEqual([]);
  });

  it("UL-01 the longest network decides which secret counts", async () => {
    const other = new SharedSecret("another secret altogether");
    const clients = [
      udpEntry(),
      udpEntry({ name: "one", match: { network: ["127.0.0.2/32"] }, secret: other }),
      udpEntry({ name: "half", match: { network: ["127.0.0.0/30"] } }),
    ];
    const { fixture } = await both({ clients });
    const host = await UdpHost.open("127.0.0.2");
    const octets = request(CODE.accessRequest, [NAS], 1, other);
    expect((await host.ask(octets, fixture.port("auth"), { secret: other })).code).toBe(CODE.accessAccept);
    host.send(request(CODE.accessRequest), fixture.port("auth"));
    expect(await fixture.drop()).toBe("request-bad-message-authenticator");
    expect(fixture.links.map(({ client }) => client.name)).toEqual(["one"]);
  });

  it("UL-02 DP-01 a reply leaves from the address and port that were addressed", async () => {
    const addresses = ["127.0.0.1", "127.0.0.2", "127.0.0.3"];
    const { fixture, host } = await both({ listener: { addresses } });
    for (const [index, address] of addresses.entries()) {
      for (const purpose of ["auth", "acct", "dynauth"] as const) fixture.port(purpose, address);
      await host.ask(request(CODE.accessRequest, [NAS], index), fixture.port("auth", address), { address });
      expect((await host.datagram(index)).from).toMatchObject({ address, port: fixture.port("auth", address) });
    }
  });

  it("UL-02 DP-01 behind a wildcard every local address answers by itself", async () => {
    const { fixture } = await both({
      listener: { addresses: ["0.0.0.0"], acctPort: undefined, dynauthPort: undefined },
      clients: [udpEntry({ match: { network: ["0.0.0.0/0"] } })],
    });
    expect(fixture.sockets.map(({ address }) => address)).toContain("127.0.0.1");
    for (const { address, port } of fixture.sockets) {
      const host = await UdpHost.open(address);
      await host.ask(request(CODE.accessRequest), port, { address });
      expect((await host.datagram()).from).toMatchObject({ address, port });
    }
  });

  it("IPv4 and IPv6 have the same port side by side", async () => {
    const ipv6 = await UdpFixture.start({ listener: { addresses: ["::1"] } });
    const { fixture } = await both({ listener: { authPort: ipv6.port("auth", "::1"), acctPort: undefined } });
    expect(fixture.port("auth")).toBe(ipv6.port("auth", "::1"));
    const host = await UdpHost.open("::1");
    const reply = await host.ask(request(CODE.accessRequest), ipv6.port("auth", "::1"), { address: "::1" });
    expect(reply.code).toBe(CODE.accessAccept);
    expect(ipv6.links[0]?.address).toBe("::1");
  });

  it("start() names the address and port that it can not have, and leaves nothing open", async () => {
    const host = await UdpHost.open();
    const { fixture } = await both();
    const authPort = fixture.port("auth");
    await fixture.stop();
    await expect(UdpFixture.start({ listener: { authPort, acctPort: host.port } })).rejects.toSatisfy(
      (error: HubError) => error.code === "ERR_LISTEN" && error.message.includes(`127.0.0.1:${host.port}`),
    );
    await UdpHost.open("127.0.0.1", authPort);
  });
});

describe("pause() and stop()", () => {
  it("what is worked on is answered, what comes later is not, and a handler hears of the end", async () => {
    const gate = Promise.withResolvers<Reply>();
    const contexts: RequestContext[] = [];
    const handler = (context: RequestContext) => {
      contexts.push(context);
      return contexts.length === 1 ? gate.promise : new Promise<Reply>(() => undefined);
    };
    const { fixture, host } = await both({ handler });
    host.send(request(CODE.accessRequest, [NAS], 1), fixture.port("auth"));
    host.send(request(CODE.accessRequest, [NAS], 2), fixture.port("auth"));
    await vi.waitUntil(() => contexts.length === 2, WAIT);
    const stopped = fixture.listener.stop(50);
    host.send(request(CODE.accessRequest, [NAS], 3), fixture.port("auth"));
    expect(await fixture.drop()).toBe("stopping");
    gate.resolve({ kind: "reply", code: 2, attributes: [] });
    expect((await host.packet()).identifier).toBe(1);
    await stopped;
    expect(contexts.map(({ signal }) => signal.aborted)).toEqual([false, true]);
    expect(fixture.listener.listening).toBe(false);
  });

  it("warnings() says how to get the receive buffer that the system refuses", async () => {
    const { fixture } = await both({ listener: { receiveBufferBytes: 268_435_456 } });
    expect(fixture.listener.warnings()[0]).toContain("sysctl -w net.core.rmem_max=268435456");
    const modest = await UdpFixture.start({ listener: { receiveBufferBytes: 65_536 } });
    expect(modest.listener.warnings()).toEqual([]);
  });

  it("warnings() names what the system gives as its setting counts: Linux says twice as much of each socket", async (context) => {
    const setting = "/proc/sys/net/core/rmem_max";
    if (!existsSync(setting)) context.skip("this system has no such setting");
    const given = Number(readFileSync(setting, "latin1"));
    const { fixture } = await both({ listener: { receiveBufferBytes: given + 1_024 } });
    expect(fixture.listener.warnings()[0]).toContain(
      `gives ${given} octets of receive buffer where ${given + 1_024} are`,
    );
    const exact = await UdpFixture.start({ listener: { receiveBufferBytes: given } });
    expect(exact.listener.warnings()).toEqual([]);
  });

  it("apply() changes the rules of open sockets", async () => {
    const { fixture, host } = await both();
    fixture.listener.apply(
      udpOptions({ requireEventTimestamp: true, statusServer: { enabled: false, perSecondMax: 1 } }),
    );
    host.send(request(CODE.disconnectRequest), fixture.port("dynauth"));
    host.send(request(CODE.statusServer), fixture.port("auth"));
    await fixture.drop(2);
    expect(fixture.reasons().sort()).toEqual(["request-no-timestamp", "status-disabled"]);
  });
});
