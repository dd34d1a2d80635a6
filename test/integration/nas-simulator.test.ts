import { afterEach, beforeAll, beforeEach, describe, expect, it, vi } from "vitest";
import { makeThrowAwayPki, type ThrowAwayPki } from "../../pki/throw-away.ts";
import { type Clock, systemClock, systemRandom } from "../../src/clock.ts";
import { encodeAnswer } from "../../src/nas/answer-plan.ts";
import type { NasEvent } from "../../src/nas/nas-events.ts";
import { type NasCredentials, NasSimulator, type NasSimulatorOptions } from "../../src/nas/nas-simulator.ts";
import {
  ATTRIBUTE,
  type Attribute,
  firstInteger,
  firstValue,
  integerAttribute,
  textAttribute,
} from "../../src/radius/attribute.ts";
import { encodeResponse, RADSEC_SECRET, verifyRequest, verifyResponse } from "../../src/radius/authenticator.ts";
import { CODE } from "../../src/radius/codes.ts";
import { decodePacket, encodePacket, type Packet } from "../../src/radius/packet.ts";
import { ManualClock } from "../support/manual-clock.ts";
import { TinyHub } from "../support/tiny-hub.ts";

let pki: ThrowAwayPki;
let tls: NasCredentials;
let hub: TinyHub;
const running: NasSimulator[] = [];

beforeAll(async () => {
  pki = await makeThrowAwayPki();
  const { certificatePem, keyPem } = await pki.nas("shop-7");
  tls = { ca: pki.ca.certificatePem, certificate: certificatePem, key: keyPem };
});

beforeEach(async () => {
  hub = new TinyHub(pki);
  await hub.start();
});

afterEach(async () => {
  await Promise.all(running.splice(0).map((nas) => nas.stop()));
  await hub.stop();
});

function simulate(options: Partial<NasSimulatorOptions> = {}, clock: Clock = systemClock) {
  const events: NasEvent[] = [];
  const nas = new NasSimulator(
    { clock, random: systemRandom, onEvent: (event) => void events.push(event) },
    { host: "127.0.0.1", port: hub.port, tls, nasIdentifier: "shop-7", ...options },
  );
  running.push(nas);
  const seen = <Type extends NasEvent["type"]>(type: Type) =>
    events.filter((event): event is Extract<NasEvent, { type: Type }> => event.type === type);
  return { nas, events, seen };
}

async function until(condition: () => boolean): Promise<void> {
  await vi.waitFor(() => expect(condition()).toBe(true), { timeout: 10_000, interval: 5 });
}

const ALICE = { username: "alice", acctSessionId: "a1" };
const alice = textAttribute(ATTRIBUTE.userName, "alice");

/** Sends a request down the newest link and returns the reply, with what its verification says. */
async function ask(code: number, identifier: number, attributes: readonly Attribute[]) {
  const octets = TinyHub.request(code, identifier, attributes);
  const isReply = (packet: Packet) => packet.code > code && packet.identifier === identifier;
  const before = hub.link.packets.filter(isReply).length;
  hub.link.send(octets);
  await until(() => hub.link.packets.filter(isReply).length > before);
  const reply = hub.link.packets.filter(isReply).at(-1) as Packet;
  return { reply, octets, verdict: verifyResponse(reply, octets.subarray(4, 20), RADSEC_SECRET) };
}

describe("NasSimulator", () => {
  it("ST-02 WD-01 start() announces itself by an authentic Status-Server with Identifier 0", async () => {
    const { nas } = simulate({ nasIpAddress: "10.9.0.1" });
    await nas.start();
    const [status] = hub.link.packets as [Packet];
    expect(status).toMatchObject({ code: CODE.statusServer, identifier: 0, messageAuthenticatorOffset: 22 });
    expect(verifyRequest(status, RADSEC_SECRET)).toBe("ok");
    expect(firstValue(status.attributes, ATTRIBUTE.nasIdentifier)?.toString()).toBe("shop-7");
    expect(firstValue(status.attributes, ATTRIBUTE.nasIpAddress)).toEqual(Buffer.of(10, 9, 0, 1));
    expect(hub.link.commonName).toBe("shop-7");
  });

  it("ST-13 CRY-04 each Status-Server has another random Authenticator", async () => {
    const { nas } = simulate({ links: 20 });
    await nas.start();
    const authenticators = hub.links.map(({ packets }) => packets[0]?.authenticator.toString("hex"));
    expect(new Set(authenticators).size).toBe(20);
    expect(nas.openLinks).toBe(20);
  });

  it("RC-03 CRY-08 a Disconnect-Request ends the acct session and gets a signed ACK; again it gets NAK 503", async () => {
    const { nas, seen } = simulate();
    nas.addAcctSession(ALICE);
    await nas.start();
    const first = await ask(CODE.disconnectRequest, 1, [alice]);
    expect(first).toMatchObject({ verdict: "ok", reply: { code: CODE.disconnectAck, messageAuthenticatorOffset: 22 } });
    expect(nas.acctSessions.size).toBe(0);
    expect(seen("acct-ended")).toMatchObject([{ acctSession: { acctSessionId: "a1" }, linkNumber: 1 }]);
    const second = await ask(CODE.disconnectRequest, 2, [alice]);
    expect(second).toMatchObject({ verdict: "ok", reply: { code: CODE.disconnectNak } });
    expect(firstInteger(second.reply.attributes, ATTRIBUTE.errorCause)).toBe(503);
  });

  it("a CoA-Request changes the acct session", async () => {
    const { nas } = simulate();
    nas.addAcctSession(ALICE);
    await nas.start();
    const { reply } = await ask(CODE.coaRequest, 1, [alice, integerAttribute(27, 600)]);
    expect(reply.code).toBe(CODE.coaAck);
    expect(firstInteger(nas.acctSessions.byAcctSessionId("a1")?.attributes ?? [], 27)).toBe(600);
  });

  it("DP-06 CON-12 the same octets again get the same reply and do nothing twice", async () => {
    const { nas, seen } = simulate();
    nas.addAcctSession(ALICE);
    await nas.start();
    const first = await ask(CODE.disconnectRequest, 1, [alice]);
    nas.addAcctSession(ALICE);
    const second = await ask(CODE.disconnectRequest, 1, [alice]);
    expect(second.reply.octets).toEqual(first.reply.octets);
    expect(nas.acctSessions.size).toBe(1);
    expect(seen("received").map(({ verdict }) => verdict)).toEqual(["ok", "duplicate"]);
  });

  it("CON-01 CON-03 255 requests in one write get 255 replies", async () => {
    const { nas } = simulate({ answer: { verdict: "ack" } });
    await nas.start();
    const requests = Array.from({ length: 255 }, (_, index) =>
      TinyHub.request(CODE.disconnectRequest, index + 1, [alice]),
    );
    hub.link.send(Buffer.concat(requests));
    await until(() => hub.link.packets.length === 256);
    expect(new Set(hub.link.packets.slice(1).map(({ identifier }) => identifier)).size).toBe(255);
  });

  it("CON-01 a request cut into octets is one request", async () => {
    const { nas } = simulate({ answer: { verdict: "ack" } });
    await nas.start();
    for (const octet of TinyHub.request(CODE.coaRequest, 9, [alice])) hub.link.send(Buffer.of(octet));
    await until(() => hub.link.packets.length === 2);
    expect(hub.link.packets[1]).toMatchObject({ code: CODE.coaAck, identifier: 9 });
  });

  it("an answer may come late, and the plan may change while it runs", async () => {
    const { nas, seen } = simulate({ answer: { verdict: "none" } });
    await nas.start();
    hub.link.send(TinyHub.request(CODE.disconnectRequest, 1, [alice]));
    await until(() => seen("received").length === 1);
    nas.answer = { verdict: "nak", errorCause: 501, delayMs: 30 };
    const startedAt = performance.now();
    const { reply, verdict } = await ask(CODE.disconnectRequest, 2, [alice]);
    expect(performance.now() - startedAt).toBeGreaterThan(25);
    expect({ code: reply.code, verdict }).toEqual({ code: CODE.disconnectNak, verdict: "ok" });
    expect(hub.link.packets.map(({ identifier }) => identifier)).toEqual([0, 2]);
  });

  it.each([
    ["bad-authenticator", "bad-authenticator"],
    ["bad-message-authenticator", "bad-message-authenticator"],
    ["no-message-authenticator", "ok"],
  ] as const)("flaw %s makes a reply that verifies as %s", async (flaw, expected) => {
    const { nas } = simulate({ answer: { verdict: "ack", flaw } });
    await nas.start();
    expect((await ask(CODE.disconnectRequest, 1, [alice])).verdict).toBe(expected);
  });

  it("CON-05 drops replies that answer nothing and keeps the connection", async () => {
    const { nas, seen } = simulate();
    await nas.start();
    const [status] = hub.link.packets as [Packet];
    hub.link.send(encodeResponse(status, CODE.accessAccept, [], RADSEC_SECRET));
    hub.link.send(
      encodeResponse(
        { identifier: 77, authenticator: status.authenticator },
        CODE.accountingResponse,
        [],
        RADSEC_SECRET,
      ),
    );
    await until(() => seen("dropped").length === 2);
    expect(nas.openLinks).toBe(1);
  });

  it("CON-04 a reply with a wrong Message-Authenticator under a right Response Authenticator ends the connection", async () => {
    hub.answersStatus = false;
    const { nas, seen } = simulate();
    void nas.start();
    await until(() => hub.links[0]?.packets.length === 1);
    const flawed = encodeAnswer(
      hub.link.packets[0] as Packet,
      CODE.accessAccept,
      [],
      RADSEC_SECRET,
      "bad-message-authenticator",
    );
    hub.link.send(flawed);
    await until(() => seen("closed").length === 1);
    expect(seen("closed")).toMatchObject([{ reason: "bad-message-authenticator" }]);
    expect(seen("status-answered")).toEqual([]);
  });

  it("DP-04 drops a request of an hour ago without a word", async () => {
    const { nas, seen } = simulate({ answer: { verdict: "ack" } });
    await nas.start();
    const anHourAgo = Math.floor(systemClock.wallMs() / 1_000) - 3_600;
    hub.link.send(
      TinyHub.request(CODE.disconnectRequest, 1, [alice, integerAttribute(ATTRIBUTE.eventTimestamp, anHourAgo)]),
    );
    await ask(CODE.disconnectRequest, 2, [alice]);
    expect(seen("received").map(({ verdict }) => verdict)).toEqual(["stale-timestamp", "ok"]);
    expect(hub.link.packets).toHaveLength(2);
  });
});

describe("NasSimulator, when a connection ends", () => {
  it.each([
    ["CON-04 bad-length", Buffer.from("28010013", "hex"), "bad-length"],
    [
      "CON-04 bad-attribute",
      Buffer.concat([encodePacket(40, 1, Buffer.alloc(16), []).fill(22, 3, 4), Buffer.of(1, 0)]),
      "bad-attribute",
    ],
    ["CON-04 bad-authenticator", encodePacket(40, 1, Buffer.alloc(16), []), "bad-authenticator"],
  ])("%s closes it and the router comes back", async (_, octets, reason) => {
    const { nas, seen } = simulate();
    await nas.start();
    hub.link.send(octets);
    await until(() => seen("closed").length === 1);
    expect(seen("closed")).toMatchObject([{ reason, wasConnected: true }]);
    await until(() => hub.links.length === 2);
  });

  it("WD-07 waits at least half a second, longer each time, and starts afresh once the hub has answered", async () => {
    const { nas, seen } = simulate();
    await hub.stop();
    const started = nas.start();
    await until(() => seen("closed").length === 2);
    await hub.start();
    await started;
    hub.link.socket.destroy();
    await until(() => seen("closed").length === 3);
    const [first = 0, second = 0, afterSuccess = 0] = seen("closed").map(({ retryInMs }) => retryInMs);
    expect(first).toBeGreaterThanOrEqual(500);
    expect(second).toBeGreaterThanOrEqual(1_000);
    expect(afterSuccess).toBeLessThan(1_000);
    expect(seen("closed")[0]).toMatchObject({ reason: "connect-failed", detail: "ECONNREFUSED", wasConnected: false });
  });

  it("WD-07 a connection that ends before an authentic packet counts as failed", async () => {
    hub.answersStatus = false;
    const { nas, seen } = simulate();
    void nas.start();
    for (let turn = 1; turn <= 2; turn += 1) {
      await until(() => hub.links.length === turn);
      hub.link.socket.destroy();
      await until(() => seen("closed").length === turn);
    }
    expect(seen("closed")[1]?.retryInMs).toBeGreaterThanOrEqual(1_000);
  });

  it("ST-17 WD-04 gives up a silent hub after two periods, and not before", async () => {
    hub.answersStatus = false;
    const clock = new ManualClock();
    const { nas, seen } = simulate({ watchdogJitterMs: 0 }, clock);
    void nas.start();
    await until(() => seen("status-sent").length === 1);
    clock.advance(29_999);
    expect(nas.openLinks).toBe(1);
    clock.advance(1);
    await until(() => seen("closed").length === 1);
    expect(seen("closed")).toMatchObject([{ reason: "watchdog" }]);
    expect(seen("status-sent")).toHaveLength(1);
    clock.advance(1_000);
    await until(() => hub.links.length === 2);
  });

  it("ST-17 a watchdog-only link lives on for an hour", async () => {
    const clock = new ManualClock();
    const { nas, seen } = simulate({}, clock);
    await nas.start();
    while (clock.now() < 3_600_000) {
      const answered = seen("status-answered").length;
      clock.advance(17_000);
      await until(() => seen("status-answered").length > answered);
    }
    expect(seen("closed")).toEqual([]);
    expect(hub.links).toHaveLength(1);
  });

  it("stop() ends TLS in order and leaves nothing behind", async () => {
    const { nas, seen } = simulate({ links: 2 });
    await nas.start();
    const ended = Promise.all(hub.links.map(({ socket }) => new Promise((resolve) => socket.once("end", resolve))));
    await nas.stop();
    await ended;
    expect(seen("closed")).toMatchObject([
      { reason: "stopped", retryInMs: undefined },
      { reason: "stopped", retryInMs: undefined },
    ]);
    expect(nas.openLinks).toBe(0);
  });

  it("stop() ends the wait of start() when there is no hub, and leaves no timer", async () => {
    await hub.stop();
    const clock = new ManualClock();
    const { nas, seen } = simulate({}, clock);
    const started = nas.start();
    await until(() => seen("closed").length === 1);
    expect(clock.waiting).toBe(1);
    await nas.stop();
    await started;
    expect(clock.waiting).toBe(0);
  });

  it("refuses a hub whose certificate is for another name, and one of another CA", async () => {
    const other = await makeThrowAwayPki({ caName: "another CA" });
    const strangers = [
      simulate({ tls: { ...tls, serverName: "hub.example.net" } }),
      simulate({ tls: { ...tls, ca: other.ca.certificatePem } }),
    ];
    for (const { nas } of strangers) void nas.start();
    await until(() => strangers.every(({ seen }) => seen("closed").length > 0));
    expect(strangers.map(({ seen }) => seen("closed")[0]?.detail)).toEqual([
      expect.stringContaining("not for hub.example.net"),
      expect.stringContaining("SELF_SIGNED_CERT_IN_CHAIN"),
    ]);
  });

  it("refuses a key that does not fit the certificate", () => {
    expect(() => simulate({ tls: { ...tls, key: pki.hub.keyPem } })).toThrow(
      expect.objectContaining({ code: "ERR_INPUT" }),
    );
  });

  it("WD-02 refuses a watchdog below 6 s", () => {
    expect(() => simulate({ watchdogMs: 5_999 })).toThrow(RangeError);
  });
});

describe("NasSimulator.sendAccounting()", () => {
  it("CRY-02 CRY-13 sends a signed Accounting-Request without Message-Authenticator and returns the reply", async () => {
    hub.answer = (packet) =>
      encodeResponse(packet, CODE.protocolError, [integerAttribute(ATTRIBUTE.errorCause, 406)], RADSEC_SECRET);
    const { nas } = simulate();
    const acctSession = nas.addAcctSession(ALICE);
    await nas.start();
    const outcome = await nas.sendAccounting("start", acctSession, [integerAttribute(42, 1_000)]);
    expect(outcome).toMatchObject({ kind: "reply", code: CODE.protocolError });
    const request = decodePacket(hub.link.packets.at(-1)?.octets as Buffer);
    expect(request).toMatchObject({ code: CODE.accountingRequest, identifier: 1, messageAuthenticatorOffset: -1 });
    expect(verifyRequest(request, RADSEC_SECRET)).toBe("ok");
    const types = [ATTRIBUTE.acctStatusType, ATTRIBUTE.nasIdentifier, ATTRIBUTE.userName, ATTRIBUTE.acctSessionId, 42];
    for (const type of types) expect(firstValue(request.attributes, type), `attribute ${type}`).toBeDefined();
  });

  it("CON-13 WD-01 has Identifiers 1..255 in flight; the next request is not sent", async () => {
    const { nas } = simulate();
    await nas.start();
    const pending = Array.from({ length: 255 }, () => nas.sendAccounting("on"));
    expect(await nas.sendAccounting("on")).toEqual({ kind: "not-sent" });
    await until(() => hub.link.packets.length === 256);
    const identifiers = hub.link.packets.slice(1).map(({ identifier }) => identifier);
    expect(identifiers.toSorted((a, b) => a - b)).toEqual(Array.from({ length: 255 }, (_, index) => index + 1));
    hub.link.socket.destroy();
    expect(new Set((await Promise.all(pending)).map(({ kind }) => kind))).toEqual(new Set(["closed"]));
  });

  it("without a link nothing is sent", async () => {
    const { nas } = simulate();
    expect(await nas.sendAccounting("on")).toEqual({ kind: "not-sent" });
  });

  it("times out when the hub is silent", async () => {
    const { nas } = simulate();
    await nas.start();
    expect(await nas.request(CODE.accountingRequest, [], 20)).toEqual({ kind: "timeout" });
  });
});
