import { beforeAll, describe, expect, it, vi } from "vitest";
import { systemRandom } from "../../src/clock.ts";
import { ATTRIBUTE, type Attribute, firstValue, integerAttribute, textAttribute } from "../../src/radius/attribute.ts";
import { encodeRequest, RADSEC_SECRET, verifyResponse } from "../../src/radius/authenticator.ts";
import { CODE } from "../../src/radius/codes.ts";
import {
  hideMppeKey,
  hideTunnelPassword,
  hideUserPassword,
  revealMppeKey,
  revealTunnelPassword,
  revealUserPassword,
  verifyChapPassword,
} from "../../src/radius/hidden.ts";
import { decodePacket, type Packet } from "../../src/radius/packet.ts";
import { ForwardingHub, UPSTREAM_SECRET, udpServer } from "../support/forwarding-hub.ts";
import { makeTestPki, type TestPki, WAIT } from "../support/listener-fixture.ts";
import { accept, type Script, silent, UdpRadiusServer } from "../support/radius-servers.ts";
import type { RawNas } from "../support/raw-nas.ts";

let pki: TestPki;
beforeAll(async () => {
  pki = await makeTestPki();
});

const MESSAGE_AUTHENTICATOR = { type: ATTRIBUTE.messageAuthenticator, value: expect.any(Buffer) };

/** A server that is asked again and again for longer than any test. */
const PATIENT = { irtMs: 100, mrtMs: 200, mrc: 1_000 };

async function hubBefore(script: Script = accept) {
  const home = await UdpRadiusServer.start(UPSTREAM_SECRET, script);
  const hub = await ForwardingHub.start(pki, { servers: [udpServer("home", home.port)] });
  return { home, hub, nas: await hub.dial() };
}

/** Sends an Access-Request whose attributes may be hidden with the given authenticator. */
function ask(nas: RawNas, attributes: readonly Attribute[], authenticator: Buffer, identifier = 1): Packet {
  const octets = encodeRequest(CODE.accessRequest, identifier, attributes, authenticator, RADSEC_SECRET);
  nas.send(octets);
  return decodePacket(octets);
}

function microsoft(type: number, value: Buffer): Attribute {
  const head = Buffer.from([0, 0, 1, 0x37, type, value.length + 2]);
  return { type: ATTRIBUTE.vendorSpecific, value: Buffer.concat([head, value]) };
}

function eapMessage(text: string): Attribute {
  return textAttribute(ATTRIBUTE.eapMessage, text);
}

function proxyState(text: string): Attribute {
  return textAttribute(ATTRIBUTE.proxyState, text);
}

describe("Upstreams.forward()", () => {
  it("CRY-15 PKT-05 PKT-08 BR-07 UL-15 a request arrives with the same octets in the same order, its password hidden anew", async () => {
    const { home, hub, nas } = await hubBefore();
    const authenticator = systemRandom.bytes(16);
    const password = Buffer.from("a password of more than sixteen octets");
    const plain: Attribute[] = [
      textAttribute(ATTRIBUTE.userName, "bob@example.org"),
      { type: ATTRIBUTE.userPassword, value: hideUserPassword(password, RADSEC_SECRET, authenticator) },
      { type: ATTRIBUTE.nasIdentifier, value: Buffer.from("a\0b") },
      { type: ATTRIBUTE.class, value: Buffer.from("one") },
      { type: ATTRIBUTE.vendorSpecific, value: Buffer.from("00003a8c0806abcd", "hex") },
      { type: ATTRIBUTE.class, value: Buffer.from("two") },
      { type: ATTRIBUTE.nasIpAddress, value: Buffer.of(1, 2, 3) },
      proxyState("first"),
      { type: 200, value: Buffer.alloc(0) },
      proxyState("second"),
      { type: 241, value: Buffer.of(4) },
    ];
    ask(nas, plain, authenticator);
    const arrived = await home.request(0);
    const [first, ...rest] = arrived.attributes;
    expect(first).toEqual(MESSAGE_AUTHENTICATOR);
    const revealed = revealUserPassword(rest[1]?.value as Buffer, UPSTREAM_SECRET, arrived.authenticator);
    expect(revealed).toEqual(password);
    expect(rest.toSpliced(1, 1)).toEqual([...plain.toSpliced(1, 1), hub.mark.attribute]);
    expect(arrived.authenticator).not.toEqual(authenticator); // CRY-04
  });

  it("CRY-15 UL-15 PKT-05 an answer comes back with the same octets, its keys hidden anew, and with the router's Proxy-States only", async () => {
    const key = Buffer.alloc(32, 0xab);
    const tunnel = { tag: 5, password: Buffer.from("tunnel") };
    const { nas } = await hubBefore((request) => ({
      code: CODE.accessAccept,
      attributes: [
        textAttribute(ATTRIBUTE.replyMessage, "hello"),
        microsoft(16, hideMppeKey(key, 0x8001, UPSTREAM_SECRET, request.authenticator)),
        {
          type: ATTRIBUTE.tunnelPassword,
          value: hideTunnelPassword(tunnel, 0x8002, UPSTREAM_SECRET, request.authenticator),
        },
        ...request.attributes.filter(({ type }) => type === ATTRIBUTE.proxyState),
        { type: 199, value: Buffer.from("kept") },
      ],
    }));
    const request = ask(nas, [proxyState("a"), proxyState("b"), proxyState("a")], systemRandom.bytes(16), 9);
    const reply = await nas.packet(0);
    expect(verifyResponse(reply, request.authenticator, RADSEC_SECRET)).toBe("ok");
    expect([reply.code, reply.identifier]).toEqual([CODE.accessAccept, 9]);
    const [first, message, mppe, tunnelled, ...rest] = reply.attributes as [Attribute, Attribute, Attribute, Attribute];
    expect([first, message]).toEqual([MESSAGE_AUTHENTICATOR, textAttribute(ATTRIBUTE.replyMessage, "hello")]);
    expect(revealMppeKey(mppe.value.subarray(6), RADSEC_SECRET, request.authenticator)).toEqual(key);
    expect(revealTunnelPassword(tunnelled.value, RADSEC_SECRET, request.authenticator)).toEqual(tunnel);
    expect(rest).toEqual([{ type: 199, value: Buffer.from("kept") }, ...["a", "b", "a"].map(proxyState)]);
  });

  it("UL-19 CHAP that takes the Request Authenticator for its challenge still verifies upstream", async () => {
    const { home, nas } = await hubBefore();
    // RFC 2865 Section 7.2.
    const authenticator = Buffer.from("2aee86f08d0d55969ca5978e0d3367a2", "hex");
    const chap = Buffer.from("16e97557c316185895f293ff6344077275", "hex");
    ask(
      nas,
      [textAttribute(ATTRIBUTE.userName, "flopsy"), { type: ATTRIBUTE.chapPassword, value: chap }],
      authenticator,
    );
    const arrived = await home.request(0);
    expect(verifyChapPassword(arrived, Buffer.from("arctangent"))).toBe(true);
    expect(firstValue(arrived.attributes, ATTRIBUTE.chapPassword)).toEqual(chap);
  });

  it("CON-25 CRY-12 EAP passes through untouched, and each conversation stays with the server of its first round", async () => {
    const challenges: Script = ({ attributes }) => ({
      code: CODE.accessChallenge,
      attributes: [
        eapMessage("question"),
        eapMessage(" in two parts"),
        textAttribute(ATTRIBUTE.state, `state of ${String(firstValue(attributes, ATTRIBUTE.userName))}`),
      ],
    });
    const servers = [
      await UdpRadiusServer.start(UPSTREAM_SECRET, challenges),
      await UdpRadiusServer.start(UPSTREAM_SECRET, challenges),
    ];
    const hub = await ForwardingHub.start(pki, {
      servers: servers.map(({ port }, index) => udpServer(`s${index}`, port)),
      mode: "balance",
    });
    const links = [await hub.dial(), await hub.dial()] as const; // of one router
    for (let round = 0; round < 4; round += 1) {
      // Their order changes, so that taking turns does not look like keeping to a server.
      for (const [index, user] of (round % 2 === 0 ? ["anna", "bob"] : ["bob", "anna"]).entries()) {
        const link = links[(round + index) % 2] as RawNas; // RFC 6613 Section 2.6.6: any connection will do
        const before = link.received.length;
        const state = round === 0 ? [] : [textAttribute(ATTRIBUTE.state, `state of ${user}`)];
        const sent = [
          textAttribute(ATTRIBUTE.userName, user),
          eapMessage(`answer ${round}`),
          eapMessage("+"),
          ...state,
        ];
        ask(link, sent, systemRandom.bytes(16), before);
        expect((await link.packet(before)).attributes.slice(1, 3)).toEqual([
          eapMessage("question"),
          eapMessage(" in two parts"),
        ]);
      }
    }
    const told = servers.map(({ requests }) =>
      requests.map(({ attributes }) =>
        attributes
          .filter(({ type }) => type === ATTRIBUTE.userName || type === ATTRIBUTE.eapMessage)
          .map(({ value }) => value.toString())
          .join(" "),
      ),
    );
    for (const lines of told) {
      const [user] = lines[0]?.split(" ") ?? [];
      expect(lines).toEqual([0, 1, 2, 3].map((round) => `${user} answer ${round} +`));
    }
  });

  it("UL-10 an accounting record is answered once the upstream has answered, and never before", async () => {
    const { home, hub, nas } = await hubBefore(silent);
    hub.apply({
      servers: [
        udpServer("home", home.port, { replyTimeoutMs: 5_000, retransmit: { irtMs: 100, mrtMs: 100, mrc: 40 } }),
      ],
      timeoutMs: 5_000,
    });
    const record = [integerAttribute(ATTRIBUTE.acctStatusType, 1), textAttribute(ATTRIBUTE.acctSessionId, "s1")];
    const request = nas.request(CODE.accountingRequest, record, 3);
    const arrived = await home.request(2);
    expect(arrived.attributes).toEqual([...record, hub.mark.attribute]); // CRY-13: no Message-Authenticator
    expect(nas.received).toEqual([]);
    home.script = accept;
    const reply = await nas.packet(0);
    expect([reply.code, verifyResponse(reply, request.authenticator, RADSEC_SECRET)]).toEqual([
      CODE.accountingResponse,
      "ok",
    ]);
  });

  it("UL-10 UL-04 silence upstream is silence here: nobody is let in, nothing is acknowledged", async () => {
    const { home, hub, nas } = await hubBefore(silent);
    nas.request(CODE.accountingRequest, [textAttribute(ATTRIBUTE.acctSessionId, "s1")], 1);
    nas.request(CODE.accessRequest, [textAttribute(ATTRIBUTE.userName, "bob")], 2);
    await vi.waitFor(() => expect(hub.dropped.filter((reason) => reason === "handler-discard")).toHaveLength(2), WAIT);
    expect(home.requests.length).toBeGreaterThan(2);
    expect(nas.received).toEqual([]);
  });

  it("DP-08 UC-03 CON-07 what came once over TLS is retransmitted over UDP, each time with the same octets", async () => {
    const { home, hub, nas } = await hubBefore(silent);
    hub.apply({ servers: [udpServer("home", home.port, { replyTimeoutMs: 20_000 })], timeoutMs: 20_000 });
    nas.request(CODE.accessRequest, [textAttribute(ATTRIBUTE.userName, "bob")], 1);
    const [first, second, third] = [await home.request(0), await home.request(1), await home.request(2)];
    expect([second.octets, third.octets]).toEqual([first.octets, first.octets]);
  });

  it("UL-21 DP-07 CON-12 five copies in, one out", async () => {
    const { home, hub, nas } = await hubBefore(silent);
    hub.apply({ servers: [udpServer("home", home.port, { retransmit: { irtMs: 10_000, mrtMs: 10_000, mrc: 1 } })] });
    const copy = encodeRequest(
      CODE.accessRequest,
      1,
      [textAttribute(ATTRIBUTE.userName, "bob")],
      systemRandom.bytes(16),
      RADSEC_SECRET,
    );
    for (let each = 0; each < 5; each += 1) nas.send(copy);
    await home.request(0);
    await vi.waitFor(() => expect(hub.dropped.filter((reason) => reason === "duplicate")).toHaveLength(4), WAIT);
    expect(home.requests).toHaveLength(1);
  });

  it("CON-11 DP-08 the router's link closes: no reply anywhere, and retransmission upstream ends", async () => {
    const { home, hub, nas } = await hubBefore(silent);
    hub.apply({
      servers: [udpServer("home", home.port, { replyTimeoutMs: 60_000, retransmit: PATIENT })],
      timeoutMs: 60_000,
    });
    nas.request(CODE.accessRequest, [textAttribute(ATTRIBUTE.userName, "bob")], 1);
    await home.request(1);
    nas.socket.destroy();
    await vi.waitFor(() => expect(hub.upstreams.servers()[0]?.outstanding).toBe(0), WAIT);
    const sent = home.requests.length;
    // Other traffic goes on for longer than the next retransmission would have taken.
    home.script = accept;
    const other = await hub.dial();
    const end = performance.now() + 1_000;
    for (let each = 0; performance.now() < end; each += 1) {
      other.request(CODE.accessRequest, [textAttribute(ATTRIBUTE.userName, "eve")], each % 256);
      await other.packet(each);
    }
    const ofBob = home.requests.filter(
      ({ attributes }) => String(firstValue(attributes, ATTRIBUTE.userName)) === "bob",
    );
    expect(ofBob).toHaveLength(sent);
    expect(hub.changes).toEqual([]);
  });

  it("DP-08 a new request under the same Identifier ends the retransmission of the old one", async () => {
    const { home, hub, nas } = await hubBefore(silent);
    hub.apply({
      servers: [udpServer("home", home.port, { replyTimeoutMs: 60_000, retransmit: PATIENT })],
      timeoutMs: 60_000,
    });
    nas.request(CODE.accessRequest, [textAttribute(ATTRIBUTE.userName, "bob")], 1);
    await home.request(1);
    home.script = accept;
    nas.request(CODE.accessRequest, [textAttribute(ATTRIBUTE.userName, "eve")], 1);
    await nas.packet(0);
    await vi.waitFor(() => expect(hub.upstreams.servers()[0]?.outstanding).toBe(0), WAIT);
    expect(nas.received).toHaveLength(1);
  });

  it("CON-11 a reply that comes after the link has closed goes nowhere", async () => {
    const { home, hub, nas } = await hubBefore(silent);
    nas.request(CODE.accessRequest, [textAttribute(ATTRIBUTE.userName, "bob")], 1);
    await home.request(0);
    const other = await hub.dial();
    nas.socket.destroy();
    home.script = accept;
    other.request(CODE.accessRequest, [textAttribute(ATTRIBUTE.userName, "eve")], 1);
    await other.packet(0);
    expect(other.received).toHaveLength(1);
  });

  it("PE-03 UL-15 a Protocol-Error of the upstream stays there; the router hears 502 when nobody else can help", async () => {
    const { nas } = await hubBefore(() => ({
      code: CODE.protocolError,
      attributes: [integerAttribute(ATTRIBUTE.errorCause, 506)],
    }));
    const request = nas.request(CODE.accessRequest, [textAttribute(ATTRIBUTE.userName, "bob"), proxyState("x")], 1);
    const reply = await nas.packet(0);
    expect([reply.code, verifyResponse(reply, request.authenticator, RADSEC_SECRET)]).toEqual([
      CODE.protocolError,
      "ok",
    ]);
    expect(firstValue(reply.attributes, ATTRIBUTE.errorCause)).toEqual(Buffer.from([0, 0, 1, 0xf6]));
    expect(firstValue(reply.attributes, ATTRIBUTE.proxyState)).toEqual(Buffer.from("x"));
  });

  it("DP-31 a request that has been here before is not forwarded again", async () => {
    const { home, hub, nas } = await hubBefore();
    nas.request(
      CODE.accessRequest,
      [textAttribute(ATTRIBUTE.userName, "bob"), hub.mark.attribute, proxyState("next")],
      1,
    );
    expect((await nas.packet(0)).code).toBe(CODE.protocolError);
    expect(home.requests).toEqual([]);
  });

  it("UC-09 a request that has no room for our Proxy-State is not forwarded, and the link lives on", async () => {
    const { home, hub, nas } = await hubBefore();
    const filler = Array.from({ length: 15 }, () => ({ type: ATTRIBUTE.class, value: Buffer.alloc(253) }));
    nas.request(CODE.accessRequest, [...filler, { type: ATTRIBUTE.class, value: Buffer.alloc(220) }], 1);
    await vi.waitFor(() => expect(hub.dropped).toContain("handler-discard"), WAIT);
    nas.request(CODE.accessRequest, [textAttribute(ATTRIBUTE.userName, "bob")], 2);
    await nas.packet(0);
    expect(home.requests).toHaveLength(1);
  });

  it("sends each realm to its pool, and leaves the rest to the next handler", async () => {
    const [one, two] = [await UdpRadiusServer.start(UPSTREAM_SECRET), await UdpRadiusServer.start(UPSTREAM_SECRET)];
    const hub = await ForwardingHub.start(pki, {
      servers: [udpServer("one", one.port), udpServer("two", two.port)],
      pools: ["one", "two"].map((name) => ({ name, servers: [name], mode: "fail-over", timeoutMs: 1_000 })),
      routes: [
        { realm: "one.example", pool: "one" },
        { realm: "*", pool: "two" },
      ],
    });
    const nas = await hub.dial();
    for (const [index, user] of ["a@one.example", "b@two.example", "c"].entries()) {
      nas.request(CODE.accessRequest, [textAttribute(ATTRIBUTE.userName, user)], index);
      await nas.packet(index);
    }
    expect(nas.received.map(({ code }) => code)).toEqual([CODE.accessAccept, CODE.accessAccept, CODE.accessReject]);
    expect([one.requests.length, two.requests.length]).toEqual([1, 1]);
  });

  it("BR-08 an answer without Message-Authenticator is dropped where the upstream has to send one, and the real one wins", async () => {
    const forged = { code: CODE.accessAccept, bare: true } as const;
    const { home, hub, nas } = await hubBefore(() => (home.requests.length < 3 ? forged : { code: CODE.accessReject }));
    hub.apply({ servers: [udpServer("home", home.port, { replyTimeoutMs: 20_000 })], timeoutMs: 20_000 });
    nas.request(CODE.accessRequest, [textAttribute(ATTRIBUTE.userName, "bob")], 1);
    expect((await nas.packet(0)).code).toBe(CODE.accessReject);
    expect(home.requests).toHaveLength(3); // its timers went on
  });
});
