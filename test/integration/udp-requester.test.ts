import type { RemoteInfo } from "node:dgram";
import { beforeEach, describe, expect, it, onTestFinished, vi } from "vitest";
import { type Clock, systemClock, systemRandom } from "../../src/clock.ts";
import { HubError } from "../../src/errors.ts";
import { attribute, integerAttribute } from "../../src/radius/attribute.ts";
import {
  encodeResponse,
  FIRST_VALUE_OFFSET,
  SharedSecret,
  signResponse,
  verifyRequest,
} from "../../src/radius/authenticator.ts";
import { CODE } from "../../src/radius/codes.ts";
import { decodeDatagram, encodePacket, type Packet } from "../../src/radius/packet.ts";
import type { DropReason, LinkOutcome } from "../../src/transport/link.ts";
import { RETRANSMIT_DEFAULT } from "../../src/transport/retransmission.ts";
import { TimingWheel } from "../../src/transport/timing-wheel.ts";
import {
  UDP_REQUESTER_DEFAULTS,
  type UdpRequest,
  UdpRequester,
  type UdpRequesterOptions,
} from "../../src/transport/udp-requester.ts";
import { ManualClock } from "../support/manual-clock.ts";
import { NAS, SECRET, UdpHost, USER, WAIT } from "../support/udp-fixture.ts";

/** No jitter. */
const random = { ...systemRandom, fraction: () => 0.5 };

class Bench {
  readonly clock: Clock;
  readonly drops: DropReason[] = [];
  readonly requester: UdpRequester;
  readonly wheel: TimingWheel;

  constructor(clock: Clock, options: Partial<UdpRequesterOptions> = {}) {
    this.clock = clock;
    this.wheel = new TimingWheel(clock);
    const dropped = (reason: DropReason) => void this.drops.push(reason);
    this.requester = new UdpRequester(
      { clock, random, wheel: this.wheel, dropped },
      { ...UDP_REQUESTER_DEFAULTS, ...options },
    );
    onTestFinished(() => {
      this.requester.stop();
      expect(this.requester.sockets).toBe(0);
      this.wheel.stop();
    });
  }

  ask(nas: { readonly port: number }, changes: Partial<UdpRequest> = {}): Promise<LinkOutcome> {
    return this.requester.request({
      address: "127.0.0.1",
      port: nas.port,
      secret: SECRET,
      code: CODE.disconnectRequest,
      attributes: [NAS, USER, integerAttribute(55, Math.floor(this.clock.wallMs() / 1_000))],
      plan: RETRANSMIT_DEFAULT,
      deadline: this.clock.now() + 60_000,
      requireMessageAuthenticator: true,
      ...changes,
    });
  }
}

describe("UdpRequester, standing clock", () => {
  let clock: ManualClock;
  let nas: UdpHost;
  beforeEach(async () => {
    clock = new ManualClock();
    nas = await UdpHost.open();
  });

  it("UC-02 UC-03 UC-04 sends at 0, 2, 6 and 14 s the same octets from the same port, and gives up at 30 s", async () => {
    const bench = new Bench(clock);
    const outcome = bench.ask(nas);
    const at: number[] = [];
    await nas.datagram();
    for (let second = 0; second < 31; second += 1) {
      const sent = nas.received.length;
      clock.advance(1_000 + (second === 0 ? 20 : 0)); // the wheel is up to one tick late
      if ([1, 5, 13].includes(second)) await nas.datagram(sent);
      if (nas.received.length > sent) at.push(second + 1);
    }
    expect(at).toEqual([2, 6, 14]);
    expect(await outcome).toMatchObject({ kind: "timeout" });
    expect(new Set(nas.received.map(({ octets }) => octets.toString("hex"))).size).toBe(1);
    expect(new Set(nas.received.map(({ from }) => from.port)).size).toBe(1);
    expect(bench.wheel.size).toBe(1); // the socket, until it has been idle for long enough
    clock.advance(61_000);
    expect(bench.requester.sockets).toBe(0);
  });

  it("UC-02 the number of sendings ends it as well, and so does the deadline", async () => {
    const bench = new Bench(clock);
    const twice = bench.ask(nas, { plan: { irtMs: 100, mrtMs: 0, mrc: 2, mrdMs: 0 } });
    const short = bench.ask(nas, { deadline: clock.now() + 500 });
    await nas.datagram(1);
    clock.advance(320);
    expect(await twice).toMatchObject({ kind: "timeout" });
    await nas.datagram(2);
    clock.advance(200);
    expect(await short).toMatchObject({ kind: "timeout" });
    expect(nas.received).toHaveLength(3);
  });

  it("UC-07 CRY-07 the request is signed and has a Message-Authenticator first", async () => {
    const bench = new Bench(clock);
    void bench.ask(nas);
    const packet = await nas.packet();
    expect(packet.messageAuthenticatorOffset).toBe(FIRST_VALUE_OFFSET);
    expect(verifyRequest(packet, SECRET)).toBe("ok");
  });

  const FORGERIES: Readonly<Record<string, (request: Packet) => Buffer>> = {
    malformed: () => Buffer.from("not RADIUS"),
    "unexpected-reply": (request) => encodeResponse({ ...request, identifier: request.identifier + 1 }, 41, [], SECRET),
    "reply-wrong-code": (request) => encodeResponse(request, CODE.coaAck, [], SECRET),
    "reply-bad-authenticator": (request) => encodeResponse(request, 41, [], new SharedSecret("guessed")),
    "reply-bad-message-authenticator": (request) => {
      const octets = encodePacket(41, request.identifier, request.authenticator, [attribute(80, Buffer.alloc(16))]);
      signResponse(octets, request.authenticator, -1, SECRET);
      return octets;
    },
    "reply-stale-timestamp": (request) => encodeResponse(request, 41, [integerAttribute(55, 1)], SECRET),
  };

  it("UC-06 what is not the reply is dropped, the timers run on, and the real reply wins", async () => {
    const bench = new Bench(clock);
    const outcome = bench.ask(nas);
    const { octets, from } = await nas.datagram();
    const request = decodeDatagram(octets);
    for (const forge of Object.values(FORGERIES)) nas.send(forge(request), from.port);
    await vi.waitUntil(() => bench.drops.length === Object.keys(FORGERIES).length, WAIT);
    expect(bench.drops).toEqual(Object.keys(FORGERIES));
    clock.advance(2_020);
    await nas.datagram(1);
    nas.answer(request, from);
    expect(await outcome).toMatchObject({ kind: "reply", reply: { code: CODE.disconnectAck } });
  });

  it("UC-06 a signed reply from another address or port does not even arrive", async () => {
    const bench = new Bench(clock);
    const outcome = bench.ask(nas);
    const { octets, from } = await nas.datagram();
    const request = decodeDatagram(octets);
    for (const address of ["127.0.0.1", "127.0.0.2"]) (await UdpHost.open(address)).answer(request, from, 42);
    nas.answer(request, from, 41);
    expect(await outcome).toMatchObject({ reply: { code: 41 } });
    expect(bench.drops).toEqual([]);
  });

  it("BR-08 BR-05 a reply without Message-Authenticator is dropped for Access-Request alone, if so required", async () => {
    const bench = new Bench(clock);
    const unsigned = (request: Packet, code: number) => encodeResponse(request, code, [], SECRET, true);
    const disconnect = bench.ask(nas);
    const first = await nas.datagram();
    nas.send(unsigned(decodeDatagram(first.octets), 41), first.from.port);
    expect(await disconnect).toMatchObject({ kind: "reply" });
    for (const [index, required] of [true, false].entries()) {
      const access = bench.ask(nas, { code: CODE.accessRequest, requireMessageAuthenticator: required });
      const { octets, from } = await nas.datagram(index + 1);
      nas.send(unsigned(decodeDatagram(octets), 2), from.port);
      if (required) {
        await vi.waitUntil(() => bench.drops.length > 0, WAIT);
        expect(bench.drops).toEqual(["reply-no-message-authenticator"]);
        nas.answer(decodeDatagram(octets), from, 2);
      }
      expect(await access).toMatchObject({ kind: "reply", reply: { code: 2 } });
    }
  });

  it("RC-04 the first valid reply wins, later ones and those to a request that was given up are dropped", async () => {
    const bench = new Bench(clock);
    const outcome = bench.ask(nas);
    const { octets, from } = await nas.datagram();
    const request = decodeDatagram(octets);
    nas.answer(request, from, 42);
    nas.answer(request, from, 41);
    expect(await outcome).toMatchObject({ reply: { code: 42 } });
    const late = bench.ask(nas, { deadline: clock.now() + 100 });
    const second = await nas.datagram(1);
    clock.advance(120);
    expect(await late).toMatchObject({ kind: "timeout" });
    for (let copy = 0; copy < 2; copy += 1) nas.answer(decodeDatagram(second.octets), second.from);
    await vi.waitUntil(() => bench.drops.length === 3, WAIT);
    expect(bench.drops).toEqual(["unexpected-reply", "late-reply", "unexpected-reply"]);
  });

  it("UC-05 an Identifier that was given up is like any other once it is used again", async () => {
    const bench = new Bench(clock);
    const late = bench.ask(nas, { deadline: clock.now() + 100 });
    const { octets } = await nas.datagram();
    clock.advance(120);
    expect(await late).toMatchObject({ kind: "timeout" });
    nas.socket.on("message", (message, from) => nas.answer(decodeDatagram(message), from));
    for (let count = 0; count < 255; count += 1) await bench.ask(nas);
    const again = await nas.datagram(255);
    expect(again.octets[1]).toBe(octets[1]);
    nas.answer(decodeDatagram(again.octets), again.from);
    await vi.waitUntil(() => bench.drops.length > 0, WAIT);
    expect(bench.drops).toEqual(["unexpected-reply"]);
  });

  it("DP-08 who goes before the socket is open has sent nothing", async () => {
    const bench = new Bench(clock);
    const caller = new AbortController();
    const gone = bench.ask(nas, { signal: caller.signal });
    caller.abort();
    expect(await gone).toEqual({ kind: "aborted", written: false });
    void bench.ask(nas, { attributes: [NAS] });
    const { attributes } = await nas.packet();
    expect(attributes.map(({ type }) => type)).toEqual([80, 32]);
  });

  it("DP-08 once the caller has gone nothing is sent any more, and the Identifier stays taken until the end", async () => {
    const bench = new Bench(clock, { socketsPerDestinationMax: 1 });
    const caller = new AbortController();
    const outcome = bench.ask(nas, { signal: caller.signal });
    await nas.datagram();
    caller.abort();
    expect(await outcome).toEqual({ kind: "aborted", written: true });
    expect(bench.requester.load("127.0.0.1", nas.port).inFlight).toBe(1);
    clock.advance(16_000);
    void bench.ask(nas);
    expect((await nas.packet(1)).identifier).not.toBe((await nas.packet(0)).identifier);
    expect(nas.received).toHaveLength(2);
    clock.advance(14_020);
    expect(bench.requester.load("127.0.0.1", nas.port).inFlight).toBe(1);
    const gone = await bench.ask(nas, { signal: AbortSignal.abort() });
    expect(gone).toEqual({ kind: "aborted", written: false });
  });

  it("UC-09 what does not fit into 4096 octets is refused at once", () => {
    const bench = new Bench(clock);
    const attributes = Array.from({ length: 17 }, () => attribute(25, Buffer.alloc(253)));
    expect(() => void bench.ask(nas, { attributes })).toThrow(
      expect.objectContaining({ code: "ERR_RADIUS_TOO_LONG" }) as HubError,
    );
  });

  it("CON-14 at the bound of sockets requests wait, at that of the queue they are busy, unsent at the deadline too", async () => {
    const bench = new Bench(clock, { socketsPerDestinationMax: 1, queueMax: 2 });
    const first = Array.from({ length: 255 }, () => bench.ask(nas));
    const waiting = [bench.ask(nas, { deadline: clock.now() + 50 }), bench.ask(nas)];
    expect(await bench.ask(nas)).toEqual({ kind: "busy", why: "queue-full" });
    expect(bench.requester.load("127.0.0.1", nas.port)).toMatchObject({ inFlight: 255, queued: 2 });
    await nas.datagram(254);
    clock.advance(80);
    expect(await waiting[0]).toEqual({ kind: "busy", why: "deadline" });
    const { octets, from } = await nas.datagram(7);
    nas.answer(decodeDatagram(octets), from);
    expect((await nas.packet(255)).identifier).toBe(octets[1]); // the only one that is free
    expect(await first[7]).toMatchObject({ kind: "reply" });
  });

  it("sockets in all are bounded: an idle one of another destination makes room, a busy one is waited for", async () => {
    const [second, third] = [await UdpHost.open(), await UdpHost.open()];
    const bench = new Bench(clock, { socketsMax: 1 });
    const one = bench.ask(nas);
    const two = bench.ask(second);
    const first = await nas.datagram();
    expect(bench.requester.load("127.0.0.1", second.port)).toMatchObject({ inFlight: 0, queued: 1 });
    nas.answer(decodeDatagram(first.octets), first.from);
    expect(await one).toMatchObject({ kind: "reply" });
    const next = await second.datagram();
    second.answer(decodeDatagram(next.octets), next.from);
    expect(await two).toMatchObject({ kind: "reply" });
    void bench.ask(third);
    await third.datagram();
    expect(bench.requester.sockets).toBe(1);
  });

  it("a socket that is used again is no idle one: nobody takes it away from its request", async () => {
    const second = await UdpHost.open();
    const bench = new Bench(clock, { socketsMax: 1 });
    const one = bench.ask(nas);
    const { octets, from } = await nas.datagram();
    nas.answer(decodeDatagram(octets), from);
    await one;
    const again = bench.ask(nas);
    void bench.ask(second);
    const next = await nas.datagram(1);
    nas.answer(decodeDatagram(next.octets), next.from);
    expect(await again).toMatchObject({ kind: "reply" });
    await second.datagram();
  });

  it("stop() ends everything with closed, also what comes afterwards", async () => {
    const bench = new Bench(clock, { socketsPerDestinationMax: 1 });
    const outcomes = Array.from({ length: 256 }, () => bench.ask(nas));
    await nas.datagram(254);
    bench.requester.stop();
    expect(await outcomes[0]).toEqual({ kind: "closed", written: true, reason: "stopped" });
    expect(await outcomes[255]).toEqual({ kind: "closed", written: false, reason: "stopped" });
    expect(await bench.ask(nas)).toEqual({ kind: "closed", written: false, reason: "stopped" });
  });
});

describe("UdpRequester", () => {
  it("UC-05 300 requests to one router at once: more source ports, no Identifier twice, every reply where it belongs", async () => {
    const nas = await UdpHost.open();
    const bench = new Bench(systemClock);
    const outcomes = Array.from({ length: 300 }, (_, index) =>
      bench.ask(nas, { attributes: [NAS, integerAttribute(5, index)] }),
    );
    await nas.datagram(299);
    const seen = nas.received.map(({ octets, from }) => `${from.port} ${octets[1]}`);
    expect(new Set(seen).size).toBe(300);
    expect(new Set(nas.received.map(({ from }) => from.port)).size).toBe(2);
    for (const { octets, from } of nas.received.toReversed()) answerWithPort(nas, octets, from);
    for (const [index, outcome] of (await Promise.all(outcomes)).entries()) {
      expect(outcome).toMatchObject({
        kind: "reply",
        reply: { attributes: [{}, { value: integerAttribute(5, index).value }] },
      });
    }
    expect(bench.drops).toEqual([]);
  });

  it("UC-05 the Identifier that was free longest goes first", async () => {
    const nas = await UdpHost.open();
    nas.socket.on("message", (octets, from) => nas.answer(decodeDatagram(octets), from));
    const bench = new Bench(systemClock);
    for (let count = 0; count < 260; count += 1) await bench.ask(nas);
    const identifiers = nas.received.map(({ octets }) => octets[1]);
    expect(new Set(identifiers.slice(0, 255)).size).toBe(255);
    expect(identifiers.slice(255)).toEqual(identifiers.slice(0, 5));
  });

  it("DP-29 nobody listens: ICMP ends it at once, unsent if it was the first copy", async () => {
    const gone = await UdpHost.open();
    const port = gone.port;
    await gone.close();
    const bench = new Bench(systemClock);
    const begun = performance.now();
    expect(await bench.ask({ port })).toEqual({ kind: "closed", written: false, reason: "port-unreachable" });
    expect(performance.now() - begun).toBeLessThan(1_500);
    expect(await bench.ask({ port })).toEqual({ kind: "closed", written: false, reason: "port-unreachable" });
  });

  it("DP-29 ICMP for a later copy leaves it open whether the router acted", async () => {
    const nas = await UdpHost.open();
    const bench = new Bench(systemClock);
    const outcome = bench.ask(nas, { plan: { ...RETRANSMIT_DEFAULT, irtMs: 50 } });
    await nas.datagram();
    await nas.close();
    expect(await outcome).toEqual({ kind: "closed", written: true, reason: "port-unreachable" });
  });

  it("DP-29 ICMP leaves open what was sent before the last sign of life, and says of the rest that it met nobody", async () => {
    const nas = await UdpHost.open();
    const bench = new Bench(systemClock);
    const { port } = nas;
    const before = bench.ask({ port });
    const answered = bench.ask({ port });
    const { octets, from } = await nas.datagram(1);
    nas.answer(decodeDatagram(octets), from);
    expect(await answered).toMatchObject({ kind: "reply" });
    await nas.close();
    const after = await bench.ask({ port });
    expect(after).toEqual({ kind: "closed", written: false, reason: "port-unreachable" });
    expect(await before).toEqual({ ...after, written: true });
  });

  it("a request leaves from the address that the caller names", async () => {
    const nas = await UdpHost.open();
    const bench = new Bench(systemClock);
    void bench.ask(nas, { localAddress: "127.0.0.7" });
    expect((await nas.datagram()).from.address).toBe("127.0.0.7");
    expect(await bench.ask(nas, { localAddress: "192.0.2.77" })).toMatchObject({ kind: "closed", written: false });
  });

  it("IPv6 is the same", async () => {
    const nas = await UdpHost.open("::1");
    const bench = new Bench(systemClock);
    const outcome = bench.ask(nas, { address: "::1" });
    const { octets, from } = await nas.datagram();
    nas.answer(decodeDatagram(octets), from);
    expect(await outcome).toMatchObject({ kind: "reply" });
  });
});

/** Echoes NAS-Port, so that a reply can be told from another. */
function answerWithPort(nas: UdpHost, octets: Buffer, from: RemoteInfo): void {
  const request = decodeDatagram(octets);
  nas.answer(
    request,
    from,
    41,
    request.attributes.filter(({ type }) => type === 5),
  );
}
