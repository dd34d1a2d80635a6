import { describe, expect, it, vi } from "vitest";
import { systemRandom } from "../../src/clock.ts";
import { type Attribute, attribute, integerAttribute, textAttribute } from "../../src/radius/attribute.ts";
import { SharedSecret, signRequest } from "../../src/radius/authenticator.ts";
import { CODE } from "../../src/radius/codes.ts";
import { encodePacket, ZERO_AUTHENTICATOR } from "../../src/radius/packet.ts";
import type { UdpPurpose } from "../../src/transport/udp-port.ts";
import { ManualClock } from "../support/manual-clock.ts";
import { NAS, RECORD, request, SECRET, udpEntry, USER, WAIT } from "../support/udp-fixture.ts";
import { alive, badlySigned, bare, both, LENIENT, PROXY_STATE } from "../support/udp-requests.ts";
import { UNSIGNED } from "../support/unsigned.ts";

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

  it.each([
    ["on another port", {}, "dynauth"],
    ["where an Access-Request may lack less than Message-Authenticator", { limitProxyState: true }, "auth"],
  ] as const)("PKT-06 BR-03 it is not rejected %s", async (_, changes, purpose) => {
    const { fixture, host } = await both({ clients: [udpEntry({ ...LENIENT, ...changes })] });
    host.send(withAttributeLength(0), fixture.port(purpose));
    expect(await fixture.drop()).toBe("malformed");
    host.send(bare([USER], 2), fixture.port("auth")); // it names no NAS: its Access-Reject takes as long as the other would
    await host.datagram();
    expect(host.received.map(({ from }) => from.port)).toEqual([fixture.port("auth")]);
    await alive(host, fixture, "auth");
    expect(host.received.map(({ octets }) => octets[0])).toEqual([CODE.accessReject, CODE.accessAccept]);
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
  ])("BR-02 BR-03 BR-10 with %o an Access-Request of %o ends as %s", async (flags, attributes, reason) => {
    const { fixture, host } = await both({ clients: [udpEntry(flags)] });
    host.send(bare(attributes), fixture.port("auth"));
    await alive(host, fixture, "auth");
    expect(fixture.reasons()).toEqual(reason === undefined ? [] : [reason]);
    expect(host.received).toHaveLength(reason === undefined ? 2 : 1);
  });

  it("BR-04 Message-Authenticator may stand last", async () => {
    const { fixture, host } = await both();
    const octets = encodePacket(1, 1, systemRandom.bytes(16), [NAS, USER, UNSIGNED]);
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
  const AUTHORIZE_ONLY = integerAttribute(6, 17);
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
    ["UL-17 Authorize-Only and State", [NAS, AUTHORIZE_ONLY, textAttribute(24, "s")], true],
    ["UL-17 Authorize-Only without State", [NAS, AUTHORIZE_ONLY], false],
  ])("UL-05 UL-04 an Access-Request with %s", async (_, attributes, valid) => {
    const { fixture, host } = await both();
    const reply = await host.ask(request(CODE.accessRequest, [...attributes, PROXY_STATE]), fixture.port("auth"));
    expect(reply.code).toBe(valid ? CODE.accessAccept : CODE.accessReject);
    expect(reply.attributes.at(-1)).toEqual(PROXY_STATE); // UL-15
    expect(fixture.reasons()).toEqual(valid ? [] : ["request-invalid"]);
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
