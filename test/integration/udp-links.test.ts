import { describe, expect, it, vi } from "vitest";
import { systemRandom } from "../../src/clock.ts";
import { HubError } from "../../src/errors.ts";
import { attribute } from "../../src/radius/attribute.ts";
import { encodeResponse, SharedSecret } from "../../src/radius/authenticator.ts";
import { CODE } from "../../src/radius/codes.ts";
import { decodeDatagram, encodePacket } from "../../src/radius/packet.ts";
import { AddressClients } from "../../src/transport/address-clients.ts";
import type { ClientEntry } from "../../src/transport/client-entry.ts";
import type { LinkOutcome } from "../../src/transport/link.ts";
import type { UdpLink } from "../../src/transport/udp-link.ts";
import { ManualClock } from "../support/manual-clock.ts";
import {
  NAS,
  request,
  SECRET,
  UdpFixture,
  type UdpFixtureOptions,
  UdpHost,
  udpEntry,
  USER,
} from "../support/udp-fixture.ts";

/** A router at 127.0.0.5 that has sent an Access-Request, and its port for Disconnect and CoA. */
async function router(options: UdpFixtureOptions = {}, changes: Partial<ClientEntry> = {}) {
  const das = await UdpHost.open("127.0.0.5");
  const entry = udpEntry({ dynauthPort: das.port, mayTrigger: false, ...changes });
  const fixture = await UdpFixture.start({
    clients: [entry],
    listener: { addresses: ["127.0.0.1", "127.0.0.2"] },
    ...options,
  });
  const nas = await UdpHost.open("127.0.0.5");
  await nas.ask(request(CODE.accessRequest), fixture.port("auth", "127.0.0.2"), { address: "127.0.0.2" });
  return { fixture, nas, das, entry, link: fixture.links[0] as UdpLink };
}

function disconnect(fixture: UdpFixture, link: UdpLink): Promise<LinkOutcome> {
  return link.send({ code: 40, attributes: [NAS, USER], deadline: fixture.clock.now() + 10_000 });
}

describe("a router that speaks only UDP is a link", () => {
  it("from its first authentic request on, whatever it was, and once for all listeners and ports", async () => {
    for (const [purpose, code] of [
      ["auth", 1],
      ["auth", 12],
      ["acct", 4],
    ] as const) {
      const fixture = await UdpFixture.start({ listener: { addresses: ["127.0.0.1", "127.0.0.2"] } });
      const nas = await UdpHost.open("127.0.0.5");
      await nas.ask(request(code), fixture.port(purpose));
      await nas.ask(request(CODE.statusServer, [NAS], 2), fixture.port("acct", "127.0.0.2"), { address: "127.0.0.2" });
      expect(fixture.learnt).toEqual([code, 12]);
      expect(fixture.links).toHaveLength(1);
      expect(fixture.links[0]).toMatchObject({
        kind: "udp",
        listener: "lan",
        address: "127.0.0.5",
        port: 3799,
        protocol: "UDP",
        open: true,
        peer: { kind: "address", address: "127.0.0.5" },
        peerKey: "udp:lan:127.0.0.5",
      });
    }
  });

  it("nothing that anybody could have forged makes one, or is learnt from, or makes a DAC one", async () => {
    const fixture = await UdpFixture.start({ clients: [udpEntry({ requireMessageAuthenticator: false })] });
    const host = await UdpHost.open();
    host.send(encodePacket(1, 1, systemRandom.bytes(16), [NAS, USER]), fixture.port("auth")); // without Message-Authenticator
    await host.packet();
    host.send(request(CODE.accountingRequest, undefined, 2, new SharedSecret("wrong")), fixture.port("acct"));
    await fixture.drop();
    await host.ask(request(CODE.disconnectRequest, [NAS], 3), fixture.port("dynauth"));
    expect(fixture.links).toEqual([]);
    expect(fixture.learnt).toEqual([]);
  });

  it("UC-01 send() goes to dynauthPort, from the address that the router speaks to", async () => {
    const { fixture, das, link } = await router();
    const outcome = disconnect(fixture, link);
    const { octets, from } = await das.datagram();
    expect(from.address).toBe("127.0.0.2");
    expect(link).toMatchObject({ inFlight: 1, queued: 0 });
    das.answer(decodeDatagram(octets), from);
    expect(await outcome).toMatchObject({ kind: "reply", reply: { code: CODE.disconnectAck } });
    expect(link.inFlight).toBe(0);
  });

  it("BR-05 a CoA-ACK without Message-Authenticator is taken although requests must have one", async () => {
    const { fixture, das, link } = await router();
    const outcome = disconnect(fixture, link);
    const { octets, from } = await das.datagram();
    das.send(encodeResponse(decodeDatagram(octets), 41, [], SECRET, true), from.port, from.address);
    expect(await outcome).toMatchObject({ kind: "reply" });
  });

  it("UC-09 send() refuses at once what can not be a packet", async () => {
    const { link } = await router();
    const attributes = Array.from({ length: 17 }, () => attribute(25, Buffer.alloc(253)));
    expect(() => void link.send({ code: 40, attributes, deadline: 1e9 })).toThrow(HubError);
  });

  it("DP-29 a closed port 3799 is `closed`, port-unreachable, and the link stays", async () => {
    const { fixture, das, link } = await router();
    await das.close();
    expect(await disconnect(fixture, link)).toEqual({ kind: "closed", written: false, reason: "port-unreachable" });
    expect(link.open).toBe(true);
  });

  it("close() ends its requests, and the next authentic request makes a new link", async () => {
    const { fixture, nas, das, link } = await router();
    const outcome = disconnect(fixture, link);
    await das.datagram();
    link.close("operator");
    expect(await outcome).toEqual({ kind: "closed", written: true, reason: "operator" });
    expect(await disconnect(fixture, link)).toEqual({ kind: "closed", written: false, reason: "operator" });
    expect(fixture.closed).toEqual([{ link, reason: "operator" }]);
    await nas.ask(request(CODE.accessRequest, [NAS], 2), fixture.port("auth"));
    expect(fixture.links).toHaveLength(2);
    expect(fixture.links[1]?.linkId).not.toBe(link.linkId);
    expect(fixture.peers.size).toBe(1);
  });

  it("a router that clients names by its address is a link at once; a DAC, a network and one with empty `reverse` are not", async () => {
    const at = (name: string, network: string, changes: Partial<ClientEntry> = {}) =>
      udpEntry({ name, match: { network: [network] }, mayTrigger: false, ...changes });
    const das = await UdpHost.open("127.0.0.5");
    const fixture = await UdpFixture.start({
      clients: [
        at("host", "127.0.0.5", { dynauthPort: das.port }),
        at("slash", "::1/128"),
        at("dac", "127.0.0.6/32", { mayTrigger: true }),
        at("mute", "127.0.0.7/32", { reverse: new Set() }),
        at("network", "127.0.1.0/24"),
      ],
    });
    expect(fixture.links.map(({ address }) => address)).toEqual(["127.0.0.5", "::1"]);
    void disconnect(fixture, fixture.links[0] as UdpLink);
    await das.datagram();
    await (await UdpHost.open("127.0.0.5")).ask(request(CODE.accessRequest), fixture.port("auth"));
    expect(fixture.links).toHaveLength(2);
  });

  it("it lapses after the idle time without a packet, unless the configuration names it", async () => {
    const clock = new ManualClock();
    const clients = [udpEntry(), udpEntry({ name: "host", match: { network: ["127.0.0.9"] }, mayTrigger: false })];
    const fixture = await UdpFixture.start({ clock, clients, idleMs: 3_600_000 });
    const [quiet, busy] = [await UdpHost.open("127.0.0.5"), await UdpHost.open("127.0.0.6")];
    await quiet.ask(request(CODE.accessRequest), fixture.port("auth"));
    await busy.ask(request(CODE.accessRequest), fixture.port("auth"));
    clock.advance(3_500_000);
    await busy.ask(request(CODE.accountingRequest), fixture.port("acct"));
    clock.advance(200_000);
    expect(fixture.closed.map(({ link, reason }) => [link.address, reason])).toEqual([["127.0.0.5", "idle"]]);
    clock.advance(7_200_000);
    expect(fixture.closed).toHaveLength(2);
    expect(fixture.peers.size).toBe(1);
  });

  it("at the bound of links the one that was silent longest goes; forged sources push out nobody", async () => {
    const fixture = await UdpFixture.start({
      linksMax: 2,
      clients: [udpEntry({ requireMessageAuthenticator: false })],
    });
    const hosts = [await UdpHost.open("127.0.0.5"), await UdpHost.open("127.0.0.6"), await UdpHost.open("127.0.0.7")];
    for (const host of hosts.slice(0, 2)) await host.ask(request(CODE.accessRequest), fixture.port("auth"));
    await hosts[0]?.ask(request(CODE.statusServer, [NAS], 2), fixture.port("auth"));
    for (let last = 0; last < 50; last += 1) {
      const forger = await UdpHost.open(`127.0.3.${last + 1}`);
      forger.send(encodePacket(1, 1, systemRandom.bytes(16), [NAS]), fixture.port("auth"));
      await forger.packet();
    }
    expect(fixture.closed).toEqual([]);
    await hosts[2]?.ask(request(CODE.accessRequest), fixture.port("auth"));
    expect(fixture.closed.map(({ link, reason }) => [link.address, reason])).toEqual([["127.0.0.6", "limit"]]);
  });

  it("reauthorise() keeps who still matches, with the new rules, and closes the rest", async () => {
    const { fixture, nas, link, entry } = await router();
    const use = (...entries: ClientEntry[]) => {
      fixture.clients = new AddressClients(entries, "udp");
      fixture.peers.reauthorise();
    };
    const secret = new SharedSecret("changed by the operator");
    use({ ...entry, secret, dynauthPort: 1_700 });
    expect(link).toMatchObject({ open: true, port: 1_700 });
    nas.send(request(CODE.accessRequest, [NAS], 2), fixture.port("auth"));
    expect(await fixture.drop()).toBe("request-bad-message-authenticator");
    await nas.ask(request(CODE.accessRequest, [NAS], 3, secret), fixture.port("auth"), { secret });
    use({ ...entry, name: "renamed" });
    expect(fixture.closed.at(-1)).toEqual({ link, reason: "client-removed" });
    await nas.ask(request(CODE.accessRequest, [NAS], 4), fixture.port("auth"));
    use();
    expect(fixture.closed).toHaveLength(2);
    nas.send(request(CODE.accessRequest, [NAS], 5), fixture.port("auth"));
    expect(await fixture.drop(2)).toBe("unknown-source");
    use(entry, udpEntry({ name: "new", match: { network: ["127.0.0.8"] }, mayTrigger: false }));
    await nas.ask(request(CODE.accessRequest, [NAS], 6), fixture.port("auth"));
    expect(fixture.links.slice(-2).map(({ address }) => address)).toEqual(["127.0.0.8", "127.0.0.5"]);
  });

  it("stop() closes every link", async () => {
    const { fixture, link } = await router();
    await fixture.stop();
    expect(fixture.closed).toEqual([{ link, reason: "stopped" }]);
    await vi.waitFor(() => expect(fixture.requester.sockets).toBe(0));
  });
});
