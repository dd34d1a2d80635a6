import { beforeEach, describe, expect, it } from "vitest";
import { systemRandom } from "../../../src/clock.ts";
import { ATTRIBUTE, type Attribute, integerAttribute, textAttribute } from "../../../src/radius/attribute.ts";
import {
  encodeResponse,
  FIRST_VALUE_OFFSET,
  RADSEC_SECRET,
  SharedSecret,
  signResponse,
  verifyRequest,
} from "../../../src/radius/authenticator.ts";
import { CODE } from "../../../src/radius/codes.ts";
import { decodePacket, encodePacket, type Packet } from "../../../src/radius/packet.ts";
import type { ClientEntry } from "../../../src/transport/client-entry.ts";
import type { Link, LinkOutcome } from "../../../src/transport/link.ts";
import { ReverseRequests } from "../../../src/transport/reverse-requests.ts";
import { TimingWheel } from "../../../src/transport/timing-wheel.ts";
import { clientEntry } from "../../support/client-entries.ts";
import { ManualClock } from "../../support/manual-clock.ts";

const USER = [textAttribute(ATTRIBUTE.userName, "nemo")];
const UNSIGNED = textAttribute(ATTRIBUTE.messageAuthenticator, "0123456789abcdef");

/** ReverseRequests with a wire that is an array. */
class Bench {
  readonly clock = new ManualClock();
  readonly written: Packet[] = [];
  writable = true;
  client: ClientEntry = clientEntry();
  readonly requests: ReverseRequests;
  #sent = 0;

  constructor(queueMax = 1_000) {
    const client = () => this.client;
    this.requests = new ReverseRequests({
      link: {
        get client() {
          return client();
        },
      } as Link,
      deps: { clock: this.clock, random: systemRandom, wheel: new TimingWheel(this.clock) },
      queueMax,
      timestampWindowMs: 300_000,
      write: (octets) => this.written.push(decodePacket(octets)),
      writable: () => this.writable,
    });
  }

  /** Each request differs from the one before it, as Event-Timestamp and acct sessions make them differ. */
  send(code: number = CODE.disconnectRequest, timeoutMs = 10_000, signal?: AbortSignal): Promise<LinkOutcome> {
    const deadline = this.clock.now() + timeoutMs;
    this.#sent += 1;
    const attributes = [...USER, textAttribute(ATTRIBUTE.acctSessionId, `s${this.#sent}`)];
    return this.requests.send({ code, attributes, deadline, ...(signal && { signal }) });
  }

  request(index = 0): Packet {
    return this.written[index] as Packet;
  }

  reply(request: Packet, code = request.code + 1, attributes: readonly Attribute[] = []): Packet {
    return decodePacket(encodeResponse(request, code, attributes, RADSEC_SECRET));
  }
}

/** A response without Message-Authenticator, correctly signed. */
function bareReply(request: Packet, code = request.code + 1): Packet {
  const octets = encodePacket(code, request.identifier, request.authenticator, []);
  signResponse(octets, request.authenticator, -1, RADSEC_SECRET);
  return decodePacket(octets);
}

describe("ReverseRequests", () => {
  let bench: Bench;
  beforeEach(() => {
    bench = new Bench();
  });

  it.each([CODE.disconnectRequest, CODE.coaRequest])(
    "RC-01 RC-03 send() writes code %i once, signed as RFC 5176 Sections 2.3 and 3.4 say",
    (code) => {
      void bench.send(code);
      expect(bench.written).toHaveLength(1);
      expect(bench.request().code).toBe(code);
      expect(bench.request().messageAuthenticatorOffset).toBe(FIRST_VALUE_OFFSET);
      expect(verifyRequest(bench.request(), RADSEC_SECRET)).toBe("ok");
    },
  );

  it("CRY-04 a reverse Access-Request has a random Authenticator, new each time", () => {
    for (let n = 0; n < 100; n += 1) void bench.send(CODE.accessRequest);
    expect(new Set(bench.written.map((packet) => packet.authenticator.toString("hex"))).size).toBe(100);
  });

  it.each([
    ["ACK", 41],
    ["NAK", 42],
  ])("RC-04 an %s to its Identifier settles the request", async (_, code) => {
    const ended = bench.send();
    bench.clock.advance(7);
    expect(bench.requests.receive(bench.reply(bench.request(), code))).toBe("settled");
    expect(await ended).toMatchObject({ kind: "reply", roundTripMs: 7, reply: { code } });
    expect(bench.requests.inFlight).toBe(0);
  });

  it.each([
    {
      name: "CON-05 another Identifier",
      spoil: (r: Packet) => ({ ...r, identifier: r.identifier + 1 }),
      why: "unexpected-reply",
    },
    { name: "RC-04 a CoA-ACK to a Disconnect-Request", code: 44, why: "reply-wrong-code" },
    { name: "RC-04 an Access-Accept to a Disconnect-Request", code: 2, why: "reply-wrong-code" },
    { name: "PKT-04 a code that nobody knows", code: 99, why: "reply-wrong-code" },
  ])("$name is dropped and the request goes on waiting", async ({ spoil, code, why }) => {
    const ended = bench.send();
    const reply = bench.reply(spoil?.(bench.request()) ?? bench.request(), code ?? 41);
    expect(bench.requests.receive(reply)).toBe(why);
    expect(bench.requests.receive(bench.reply(bench.request()))).toBe("settled");
    expect((await ended).kind).toBe("reply");
  });

  it("invariant 3, CON-05: a reply whose Response Authenticator is wrong is dropped although its Message-Authenticator is wrong too", () => {
    void bench.send();
    const wrong = encodeResponse(bench.request(), 41, [], new SharedSecret("not radsec"));
    expect(bench.requests.receive(decodePacket(wrong))).toBe("reply-bad-authenticator");
    expect(bench.requests.inFlight).toBe(1);
  });

  it("CRY-08 CON-04 a reply with a valid Response Authenticator and a wrong Message-Authenticator is not taken", () => {
    void bench.send();
    const request = bench.request();
    const octets = encodePacket(41, request.identifier, request.authenticator, [UNSIGNED]);
    signResponse(octets, request.authenticator, -1, RADSEC_SECRET);
    expect(bench.requests.receive(decodePacket(octets))).toBe("bad-message-authenticator");
    expect(bench.requests.inFlight).toBe(1);
  });

  it("a reply without Message-Authenticator is taken, unless the client entry requires one", async () => {
    const first = bench.send();
    expect(bench.requests.receive(bareReply(bench.request()))).toBe("settled");
    expect((await first).kind).toBe("reply");
    bench.client = clientEntry({ requireMessageAuthenticator: true });
    void bench.send();
    expect(bench.requests.receive(bareReply(bench.request(1)))).toBe("reply-no-message-authenticator");
    expect(bench.requests.receive(bench.reply(bench.request(1)))).toBe("settled");
  });

  it.each([
    [-301, "reply-stale-timestamp"],
    [-299, "settled"],
    [299, "settled"],
    [301, "reply-stale-timestamp"],
  ])("RC-15 an ACK whose Event-Timestamp is %i s away is %s", (seconds, verdict) => {
    void bench.send();
    const at = integerAttribute(ATTRIBUTE.eventTimestamp, bench.clock.wallMs() / 1_000 + seconds);
    expect(bench.requests.receive(bench.reply(bench.request(), 41, [at]))).toBe(verdict);
  });

  it.each([
    ["names this code", "f10704 00000028", "settled"],
    ["names another code", "f10704 0000002b", "reply-wrong-code"],
    ["is absent", "", "settled"],
  ])("RC-18 PE-04 Protocol-Error is the final answer if Original-Packet-Code %s", (_, hex, verdict) => {
    void bench.send();
    const octets = Buffer.from(hex.replaceAll(" ", ""), "hex");
    const attributes = octets.length === 0 ? [] : [{ type: 241, value: octets.subarray(2) }];
    expect(bench.requests.receive(bench.reply(bench.request(), CODE.protocolError, attributes))).toBe(verdict);
  });

  it("invariant 4, CON-07 RC-06: nothing is sent twice while the NAS is silent; then the outcome is timeout", async () => {
    const ended = bench.send();
    bench.clock.advance(10_020);
    expect(bench.written).toHaveLength(1);
    expect(await ended).toMatchObject({ kind: "timeout" });
  });

  it("RC-05 a late reply is dropped, and so is one that comes after its Identifier was used again", async () => {
    const first = bench.send();
    bench.clock.advance(10_020);
    await first;
    const late = bench.reply(bench.request());
    expect(bench.requests.receive(late)).toBe("late-reply");
    for (let n = 0; n < 255; n += 1) void bench.send();
    const reused = bench.written.findLast((packet) => packet.identifier === late.identifier) as Packet;
    expect(reused).not.toBe(bench.request());
    expect(bench.requests.receive(late)).toBe("reply-bad-authenticator");
    expect(bench.requests.receive(bench.reply(reused))).toBe("settled");
  });

  it("invariant 3, CON-13 CON-14: 255 requests are in flight at most, Identifier 0 is never used, the 256th waits for a free one", () => {
    for (let n = 0; n < 300; n += 1) void bench.send();
    expect(bench.written).toHaveLength(255);
    expect(new Set(bench.written.map((packet) => packet.identifier)).size).toBe(255);
    expect(bench.written.every((packet) => packet.identifier !== 0)).toBe(true);
    expect([bench.requests.inFlight, bench.requests.queued]).toEqual([255, 45]);
    bench.requests.receive(bench.reply(bench.request(41)));
    expect(bench.request(255).identifier).toBe(bench.request(41).identifier);
  });

  it("invariant 3, CON-14: the Identifier that was free longest goes first", () => {
    for (let n = 0; n < 3; n += 1) void bench.send();
    for (const index of [1, 0, 2]) bench.requests.receive(bench.reply(bench.request(index)));
    for (let n = 0; n < 255; n += 1) void bench.send();
    const order = bench.written.slice(3).map((packet) => packet.identifier);
    expect(order.slice(0, 252)).toEqual(Array.from({ length: 252 }, (_, index) => index + 4));
    expect(order.slice(252)).toEqual([2, 1, 3]);
  });

  it("without a queue nothing waits: 255 are written, one more is busy at once, and so is one while nothing can be written", async () => {
    bench = new Bench(0);
    for (let n = 0; n < 255; n += 1) void bench.send();
    expect(bench.written).toHaveLength(255);
    expect(await bench.send()).toEqual({ kind: "busy", why: "queue-full" });
    expect(bench.requests.receive(bench.reply(bench.request()))).toBe("settled");
    bench.writable = false;
    expect(await bench.send()).toEqual({ kind: "busy", why: "queue-full" });
    bench.writable = true;
    void bench.send();
    expect(bench.written).toHaveLength(256);
  });

  it("the queue is bounded: one more is busy at once", async () => {
    bench = new Bench(2);
    bench.writable = false;
    void bench.send();
    void bench.send();
    expect(await bench.send()).toEqual({ kind: "busy", why: "queue-full" });
  });

  it("invariant 5: a request that was never written by its deadline is busy, never timeout", async () => {
    bench.writable = false;
    const ended = bench.send();
    bench.clock.advance(10_020);
    expect(await ended).toEqual({ kind: "busy", why: "deadline" });
    bench.writable = true;
    bench.requests.pump();
    expect(bench.written).toEqual([]);
  });

  it("requests that wait when those in flight expire with them are busy: nothing is written at its own deadline", async () => {
    const ended = Array.from({ length: 300 }, () => bench.send());
    bench.clock.advance(10_020);
    const kinds = (await Promise.all(ended)).map(({ kind }) => kind);
    expect(kinds.filter((kind) => kind === "timeout")).toHaveLength(255);
    expect(kinds.filter((kind) => kind === "busy")).toHaveLength(45);
    expect(bench.written).toHaveLength(255);
  });

  it("a request with a later deadline takes the Identifier of one that expired", async () => {
    for (let n = 0; n < 255; n += 1) void bench.send();
    const later = bench.send(CODE.disconnectRequest, 20_000);
    bench.clock.advance(10_020);
    await Promise.resolve();
    expect(bench.written).toHaveLength(256);
    bench.requests.receive(bench.reply(bench.request(255)));
    expect((await later).kind).toBe("reply");
  });

  it("close() settles written and unwritten requests apart", async () => {
    const written = bench.send();
    bench.writable = false;
    const unwritten = bench.send();
    bench.requests.close("peer-closed");
    expect(await written).toEqual({ kind: "closed", written: true, reason: "peer-closed" });
    expect(await unwritten).toEqual({ kind: "closed", written: false, reason: "peer-closed" });
    expect([bench.requests.inFlight, bench.requests.queued]).toEqual([0, 0]);
  });

  it("an abort takes back what is unwritten, and keeps the Identifier of what is written until its reply", async () => {
    const abort = new AbortController();
    const written = bench.send(CODE.disconnectRequest, 10_000, abort.signal);
    bench.writable = false;
    const unwritten = bench.send(CODE.disconnectRequest, 10_000, abort.signal);
    abort.abort();
    expect(await written).toEqual({ kind: "aborted", written: true });
    expect(await unwritten).toEqual({ kind: "aborted", written: false });
    expect([bench.requests.inFlight, bench.requests.queued]).toEqual([1, 0]);
    bench.requests.receive(bench.reply(bench.request()));
    expect(bench.requests.inFlight).toBe(0);
  });

  it("send() refuses at once what does not fit into 4096 octets (UC-09)", () => {
    const attributes = Array.from({ length: 17 }, () => textAttribute(ATTRIBUTE.replyMessage, "x".repeat(253)));
    expect(() => bench.requests.send({ code: 43, attributes, deadline: 1_000 })).toThrow(
      expect.objectContaining({ code: "ERR_RADIUS_TOO_LONG" }),
    );
  });

  it("the rewrite hook runs once, before signing", () => {
    const rewrite = (attributes: readonly Attribute[]) => [...attributes, textAttribute(ATTRIBUTE.replyMessage, "bye")];
    void bench.requests.send({ code: 40, attributes: USER, deadline: 1_000, rewrite });
    expect(bench.request().attributes.map(({ type }) => type)).toEqual([80, 1, 18]);
    expect(verifyRequest(bench.request(), RADSEC_SECRET)).toBe("ok");
  });
});
