import { describe, expect, it, vi } from "vitest";
import { systemRandom } from "../../src/clock.ts";
import type { HubError } from "../../src/errors.ts";
import { type Attribute, attribute, integerAttribute, textAttribute } from "../../src/radius/attribute.ts";
import {
  FIRST_VALUE_OFFSET,
  MESSAGE_AUTHENTICATOR_PLACEHOLDER,
  SharedSecret,
  signRequest,
} from "../../src/radius/authenticator.ts";
import { CODE } from "../../src/radius/codes.ts";
import { encodePacket, ZERO_AUTHENTICATOR } from "../../src/radius/packet.ts";
import type { Reply, RequestContext } from "../../src/transport/link.ts";
import type { UdpPurpose } from "../../src/transport/udp-port.ts";
import { ManualClock } from "../support/manual-clock.ts";
import {
  NAS,
  RECORD,
  request,
  SECRET,
  UdpFixture,
  UdpHost,
  udpEntry,
  udpOptions,
  USER,
  WAIT,
} from "../support/udp-fixture.ts";

const PROXY_STATE = textAttribute(33, "p1");
const LENIENT = { requireMessageAuthenticator: false };

/** An Access-Request without Message-Authenticator. */
function bare(attributes: readonly Attribute[] = [NAS, USER], identifier = 1): Buffer {
  return encodePacket(CODE.accessRequest, identifier, systemRandom.bytes(16), attributes);
}

/** A request with a wrong Message-Authenticator; its Request Authenticator, where it is computed, is right. */
function badlySigned(code: number, attributes: readonly Attribute[] = [NAS, USER], identifier = 1): Buffer {
  const all = [MESSAGE_AUTHENTICATOR_PLACEHOLDER, ...attributes];
  const octets = encodePacket(code, identifier, systemRandom.bytes(16), all);
  octets.fill(0x5a, FIRST_VALUE_OFFSET, FIRST_VALUE_OFFSET + 16);
  signRequest(octets, -1, SECRET);
  return octets;
}

/** The port is alive: what was sent before has been looked at, since a socket keeps order. */
async function alive(host: UdpHost, fixture: UdpFixture, purpose: UdpPurpose): Promise<void> {
  const code = { auth: CODE.statusServer, acct: CODE.statusServer, dynauth: CODE.coaRequest }[purpose];
  await host.ask(request(code, [NAS], 250), fixture.port(purpose));
}

async function both(options: Parameters<typeof UdpFixture.start>[0] = {}) {
  return { fixture: await UdpFixture.start(options), host: await UdpHost.open() };
}

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

describe("what is no packet", () => {
  it("PKT-01 octets beyond Length are padding", async () => {
    const { fixture, host } = await both();
    const octets = request(CODE.accessRequest);
    host.send(Buffer.concat([octets, Buffer.from("0123456789")]), fixture.port("auth"));
    expect((await host.packet()).code).toBe(CODE.accessAccept);
  });

  it.each([
    ["PKT-02 nothing at all", () => Buffer.alloc(0)],
    ["PKT-02 19 octets", () => request(CODE.accessRequest).subarray(0, 19)],
    ["PKT-02 one octet too few", () => request(CODE.accessRequest).subarray(0, -1)],
    ["PKT-03 Length 19", () => withLength(request(CODE.accessRequest), 19)],
    ["PKT-03 Length 4097", () => withLength(Buffer.concat([request(CODE.accessRequest), Buffer.alloc(4_200)]), 4_097)],
    ["PKT-06 attribute Length 0", () => withAttributeLength(0)],
    ["PKT-06 attribute Length 1", () => withAttributeLength(1)],
    ["PKT-06 attribute overrun", () => withAttributeLength(200)],
  ])("%s is dropped as malformed", async (_, octets) => {
    const { fixture, host } = await both();
    host.send(octets(), fixture.port("auth"));
    await alive(host, fixture, "auth");
    expect(fixture.reasons()).toEqual(["malformed"]);
    expect(host.received).toHaveLength(1);
  });

  it("PKT-06 a malformed Access-Request of a router that need not sign is rejected, a malformed record is not answered", async () => {
    const { fixture, host } = await both({ clients: [udpEntry(LENIENT)] });
    const reply = await host.ask(withAttributeLength(0), fixture.port("auth"));
    expect(reply.code).toBe(CODE.accessReject);
    expect(fixture.reasons()).toEqual(["malformed"]);
    const record = request(CODE.accountingRequest);
    record[21] = 0;
    host.send(record, fixture.port("acct"));
    await alive(host, fixture, "acct");
    expect(fixture.reasons()).toEqual(["malformed", "malformed"]);
    expect(fixture.links.map(({ open }) => open)).toEqual([true]); // from alive() alone
  });

  function withLength(octets: Buffer, length: number): Buffer {
    octets.writeUInt16BE(length, 2);
    return octets;
  }

  /** The length of the first attribute. */
  function withAttributeLength(length: number): Buffer {
    const octets = request(CODE.accessRequest);
    octets[21] = length;
    return octets;
  }
});

describe("who is authentic", () => {
  it.each<[string, UdpPurpose, () => Buffer, string]>([
    [
      "UL-09 CRY-03",
      "acct",
      () => request(CODE.accountingRequest, RECORD, 1, new SharedSecret("wrong")),
      "request-bad-authenticator",
    ],
    ["UL-09 all zero", "acct", () => encodePacket(4, 1, ZERO_AUTHENTICATOR, RECORD), "request-bad-authenticator"],
    [
      "DP-03",
      "dynauth",
      () => request(CODE.coaRequest, [NAS], 1, new SharedSecret("wrong")),
      "request-bad-authenticator",
    ],
    ["DP-03 N2", "dynauth", () => badlySigned(CODE.disconnectRequest), "request-bad-message-authenticator"],
    ["CRY-05", "auth", () => badlySigned(CODE.accessRequest), "request-bad-message-authenticator"],
    ["ST-02", "auth", () => badlySigned(CODE.statusServer), "request-bad-message-authenticator"],
    ["ST-02", "acct", () => encodePacket(12, 1, systemRandom.bytes(16), [NAS]), "status-no-message-authenticator"],
  ])("%s %s drops it", async (_, purpose, octets, reason) => {
    const { fixture, host } = await both();
    host.send(octets(), fixture.port(purpose));
    await alive(host, fixture, purpose);
    expect(fixture.reasons()).toEqual([reason]);
    expect(host.received).toHaveLength(1);
  });

  it("CRY-13 BR-05 neither flag is read for accounting, CoA and Disconnect", async () => {
    const clients = [udpEntry({ requireMessageAuthenticator: true, limitProxyState: true })];
    const { fixture, host } = await both({ clients });
    const record = request(CODE.accountingRequest, [...RECORD, PROXY_STATE]); // has none (CRY-13)
    expect((await host.ask(record, fixture.port("acct"))).code).toBe(CODE.accountingResponse);
    for (const code of [CODE.coaRequest, CODE.disconnectRequest]) {
      const octets = encodePacket(code, 2, ZERO_AUTHENTICATOR, [NAS, PROXY_STATE]);
      signRequest(octets, -1, SECRET);
      expect((await host.ask(octets, fixture.port("dynauth"))).code).toBe(code + 1);
    }
    expect(fixture.reasons()).toEqual([]);
  });

  it.each([
    [{ requireMessageAuthenticator: true, limitProxyState: false }, [NAS], "request-no-message-authenticator"],
    [
      { requireMessageAuthenticator: true, limitProxyState: true },
      [NAS, PROXY_STATE],
      "request-no-message-authenticator",
    ],
    [{ requireMessageAuthenticator: false, limitProxyState: true }, [NAS, PROXY_STATE], "request-proxy-state"],
    [{ requireMessageAuthenticator: false, limitProxyState: true }, [NAS], undefined],
    [{ requireMessageAuthenticator: false, limitProxyState: false }, [NAS, PROXY_STATE], undefined],
  ])("BR-02 BR-03 with %o an Access-Request of %o ends as %s", async (flags, attributes, reason) => {
    const { fixture, host } = await both({ clients: [udpEntry(flags)] });
    host.send(bare(attributes), fixture.port("auth"));
    await alive(host, fixture, "auth");
    expect(fixture.reasons()).toEqual(reason === undefined ? [] : [reason]);
    expect(host.received).toHaveLength(reason === undefined ? 2 : 1);
  });

  it("BR-04 Message-Authenticator may stand last", async () => {
    const { fixture, host } = await both();
    const octets = encodePacket(1, 1, systemRandom.bytes(16), [NAS, USER, MESSAGE_AUTHENTICATOR_PLACEHOLDER]);
    signRequest(octets, octets.length - 16, SECRET);
    expect((await host.ask(octets, fixture.port("auth"))).code).toBe(CODE.accessAccept);
  });

  it("CRY-12 EAP without Message-Authenticator is dropped although the router need not sign", async () => {
    const { fixture, host } = await both({ clients: [udpEntry(LENIENT)] });
    host.send(bare([NAS, textAttribute(79, "eap")]), fixture.port("auth"));
    expect(await fixture.drop()).toBe("request-no-message-authenticator");
  });

  it("DP-04 RC-15 Event-Timestamp further away than the window is dropped, past and future, before the cache is asked", async () => {
    const clock = new ManualClock();
    const { fixture, host } = await both({ clock });
    const at = (seconds: number) => integerAttribute(55, Math.floor(clock.wallMs() / 1_000) + seconds);
    const answered = [-299, 299, 0];
    for (const [index, seconds] of [-301, ...answered, 301].entries()) {
      host.send(request(CODE.disconnectRequest, [NAS, at(seconds)], index), fixture.port("dynauth"));
    }
    await vi.waitUntil(() => host.received.length === answered.length && fixture.drops.length === 2, WAIT);
    expect(fixture.reasons()).toEqual(["request-stale-timestamp", "request-stale-timestamp"]);
    expect(host.received.map(({ octets }) => octets[1])).toEqual([1, 2, 3]);
    const replay = request(CODE.disconnectRequest, [NAS, at(0)], 9);
    await host.ask(replay, fixture.port("dynauth"));
    clock.advance(301_000);
    host.send(replay, fixture.port("dynauth"));
    expect(await fixture.drop(3)).toBe("request-stale-timestamp");
  });

  it("DP-05 requireEventTimestamp drops what has none, on the dynauth port alone", async () => {
    const { fixture, host } = await both({ listener: { requireEventTimestamp: true } });
    host.send(request(CODE.disconnectRequest), fixture.port("dynauth"));
    expect(await fixture.drop()).toBe("request-no-timestamp");
    expect((await host.ask(request(CODE.accessRequest), fixture.port("auth"))).code).toBe(CODE.accessAccept);
  });
});

describe("what a request must have", () => {
  const PASSWORD = attribute(2, Buffer.alloc(16));
  const CHAP = attribute(3, Buffer.alloc(17));
  it.each<[string, readonly Attribute[], boolean]>([
    ["NAS-Identifier", [NAS], true],
    ["NAS-IP-Address", [attribute(4, Buffer.from([10, 0, 0, 1]))], true],
    ["NAS-IPv6-Address", [attribute(95, Buffer.from("20010db8000000000000000000000001", "hex"))], true],
    ["no NAS at all", [USER], false],
    ["an empty NAS-Identifier", [attribute(32, Buffer.alloc(0))], false],
    ["a NAS-IP-Address of 3 octets", [attribute(4, Buffer.from([10, 0, 0]))], false],
    ["link-local NAS-IP-Address", [attribute(4, Buffer.from([169, 254, 0, 1]))], false],
    ["link-local NAS-IPv6-Address", [attribute(95, Buffer.from("fe800000000000000000000000000001", "hex"))], false],
    ["User-Password", [NAS, PASSWORD], true],
    ["both kinds of password", [NAS, PASSWORD, CHAP], false],
  ])("UL-05 UL-04 an Access-Request with %s", async (_, attributes, valid) => {
    const { fixture, host } = await both();
    const reply = await host.ask(request(CODE.accessRequest, [...attributes, PROXY_STATE]), fixture.port("auth"));
    expect(reply.code).toBe(valid ? CODE.accessAccept : CODE.accessReject);
    expect(reply.attributes.at(-1)).toEqual(PROXY_STATE); // UL-15
  });

  it.each<[string, readonly Attribute[], boolean]>([
    ["all", RECORD, true],
    ["no Acct-Status-Type", without(40), false],
    ["no Acct-Session-Id", without(44), false],
    ["no NAS", without(32), false],
    ["User-Password", [...RECORD, PASSWORD], false],
    ["CHAP-Password", [...RECORD, CHAP], false],
    ["Reply-Message", [...RECORD, textAttribute(18, "hi")], false],
    ["State", [...RECORD, textAttribute(24, "s")], false],
  ])("UL-11 an Accounting-Request with %s", async (_, attributes, valid) => {
    const { fixture, host } = await both();
    host.send(request(CODE.accountingRequest, attributes), fixture.port("acct"));
    await alive(host, fixture, "acct");
    expect(fixture.reasons()).toEqual(valid ? [] : ["request-invalid"]);
    expect(host.received).toHaveLength(valid ? 2 : 1);
  });

  function without(type: number): Attribute[] {
    return RECORD.filter((each) => each.type !== type);
  }
});

describe("replies", () => {
  it("BR-01 ST-07 UL-14 Message-Authenticator stands first in all but an Accounting-Response", async () => {
    for (const code of [2, 3, 11]) {
      const { fixture, host } = await both({ handler: () => ({ kind: "reply", code, attributes: [USER] }) });
      await host.ask(request(CODE.accessRequest), fixture.port("auth"));
      expect((await host.datagram()).octets[20]).toBe(80);
    }
    const { fixture, host } = await both();
    expect((await host.ask(request(CODE.accountingRequest), fixture.port("acct"))).attributes).toEqual([]);
    const status = await host.ask(request(CODE.statusServer, [NAS], 2), fixture.port("acct"));
    expect(status.attributes.map(({ type }) => type)).toEqual([80]); // ST-06
  });

  it("UL-15 three Proxy-States come back, unchanged and in order", async () => {
    const states = ["a", "b\0c", "d"].map((text) => textAttribute(33, text));
    const { fixture, host } = await both();
    for (const [purpose, octets] of [
      ["auth", request(CODE.accessRequest, [states[0] as Attribute, NAS, ...states.slice(1)])],
      ["acct", request(CODE.accountingRequest, [...RECORD, ...states])],
    ] as const) {
      const reply = await host.ask(octets, fixture.port(purpose));
      expect(reply.attributes.filter(({ type }) => type === 33)).toEqual(states);
    }
  });

  it("UL-15 a handler that put the Proxy-States in has put in all of them", async () => {
    const handler = () => ({ kind: "reply", code: 2, attributes: [PROXY_STATE], proxied: true }) as const;
    const { fixture, host } = await both({ handler });
    const reply = await host.ask(request(CODE.accessRequest, [NAS, PROXY_STATE]), fixture.port("auth"));
    expect(reply.attributes.filter(({ type }) => type === 33)).toEqual([PROXY_STATE]);
  });

  it("PE-06 UL-10 a Protocol-Error is silence on UDP", async () => {
    const { fixture, host } = await both({ handler: () => ({ kind: "reply", code: 52, attributes: [] }) });
    host.send(request(CODE.accountingRequest), fixture.port("acct"));
    expect(await fixture.drop()).toBe("handler-discard");
    await alive(host, fixture, "acct");
    expect(host.received).toHaveLength(1);
  });

  it("ST-05 ST-10 ST-11 Status-Server is answered once, limited by rate, and can be off for one client", async () => {
    const { fixture, host } = await both({
      listener: { statusServer: { enabled: true, perSecondMax: 3 } },
      clients: [udpEntry(), udpEntry({ name: "off", match: { network: ["127.0.0.2"] }, statusServer: false })],
      clock: new ManualClock(),
    });
    for (let identifier = 0; identifier < 5; identifier += 1) {
      host.send(request(CODE.statusServer, [NAS], identifier), fixture.port("auth"));
    }
    expect([await fixture.drop(1), await fixture.drop(2)]).toEqual(["status-rate-limited", "status-rate-limited"]);
    await vi.waitUntil(() => host.received.length === 3, WAIT);
    const off = await UdpHost.open("127.0.0.2");
    off.send(request(CODE.statusServer), fixture.port("auth"));
    expect(await fixture.drop(3)).toBe("status-disabled");
    expect(host.received).toHaveLength(3);
  });

  it("a reply that does not fit into a packet, and a handler that throws, cost their own packet only", async () => {
    const huge = Array.from({ length: 20 }, () => attribute(25, Buffer.alloc(253)));
    const replies: (() => Reply | Promise<Reply>)[] = [
      () => ({ kind: "reply", code: 2, attributes: huge }),
      () => {
        throw new Error("thrown");
      },
      () => Promise.reject(new Error("rejected")),
      () => ({ kind: "reply", code: 2, attributes: [] }),
    ];
    const { fixture, host } = await both({ handler: () => (replies.shift() as () => Reply)() });
    for (const identifier of [1, 2, 3, 4]) {
      host.send(request(CODE.accessRequest, [NAS], identifier), fixture.port("auth"));
    }
    expect((await host.packet()).identifier).toBe(4);
    await fixture.drop(3);
    expect(fixture.reasons()).toEqual(Array(3).fill("handler-failed"));
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
