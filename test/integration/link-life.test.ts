import { describe, expect, it } from "vitest";
import { systemRandom } from "../../src/clock.ts";
import { ATTRIBUTE, integerAttribute, textAttribute } from "../../src/radius/attribute.ts";
import { encodeResponse, SharedSecret } from "../../src/radius/authenticator.ts";
import { CODE } from "../../src/radius/codes.ts";
import { encodePacket } from "../../src/radius/packet.ts";
import type { Reply } from "../../src/transport/link.ts";
import { ManualClock } from "../support/manual-clock.ts";
import { RawNas } from "../support/raw-nas.ts";
import { RunningHub } from "../support/running-hub.ts";
import { connected, spoiled, status } from "../support/connected-nas.ts";

const NAME = textAttribute(ATTRIBUTE.nasIdentifier, "nas-07");

const USER = textAttribute(ATTRIBUTE.userName, "nemo");

function disconnect(hub: RunningHub, user = "nemo", timeoutMs = 5_000) {
  return hub.hub.dynauth.exchange({
    code: CODE.disconnectRequest,
    target: { nasIdentifier: "nas-07" },
    attributes: [textAttribute(ATTRIBUTE.userName, user)],
    timeoutMs,
    trigger: "test",
  });
}

describe("reverse requests on a link", () => {
  it("RC-02 an Access-Request and a Disconnect-Request with the same Identifier at once both complete", async () => {
    const gate = Promise.withResolvers<Reply>();
    const { hub, nas } = await connected({ handler: () => gate.promise });
    await nas.register("nas-07");
    const outcomes = disconnect(hub);
    const request = await nas.packet(1);
    nas.request(CODE.accessRequest, [NAME, USER], request.identifier);
    nas.answer(request);
    expect((await outcomes)[0]?.kind).toBe("ack");
    gate.resolve({ kind: "reply", code: CODE.accessReject, attributes: [] });
    expect(await nas.packet(2)).toMatchObject({ code: CODE.accessReject, identifier: request.identifier });
  });

  it("CON-02 CON-03 requests of one turn leave in one TLS write, each response in one of its own", async () => {
    const { hub, nas } = await connected();
    await nas.register("nas-07");
    const outcomes = ["a", "b", "c"].map((user) => disconnect(hub, user));
    await nas.packet(3);
    expect(nas.chunks).toHaveLength(2);
    for (const request of nas.received.slice(1)) nas.answer(request);
    for (const outcome of outcomes) expect((await outcome)[0]?.kind).toBe("ack");
    nas.send(Buffer.concat(Array.from({ length: 10 }, () => status())));
    await nas.packet(13);
    expect(nas.chunks).toHaveLength(12);
  });

  it("CON-05 a reply with a wrong Response Authenticator is dropped, the right one still counts", async () => {
    const { hub, nas } = await connected();
    await nas.register("nas-07");
    const outcomes = disconnect(hub);
    const request = await nas.packet(1);
    nas.send(encodeResponse(request, 41, [], new SharedSecret("forged")));
    nas.answer(request, 42, [integerAttribute(ATTRIBUTE.errorCause, 503)]);
    expect((await outcomes)[0]).toMatchObject({ kind: "nak", errorCause: 503 });
    expect(hub.eventsOf("packet.dropped").map(({ reason }) => reason)).toEqual(["reply-bad-authenticator"]);
  });

  it("invariant 4, CON-08 CON-09: a written request moves to another link of the NAS once its own has closed, signed anew, and not before", async () => {
    const { hub, nas } = await connected();
    await nas.register("nas-07");
    const other = await RawNas.dial(hub.radsecPort, await hub.credentials("nas-07"));
    await other.register("nas-07");
    const outcomes = disconnect(hub);
    const first = await Promise.race([nas.packet(1).then(() => nas), other.packet(1).then(() => other)]);
    const second = first === nas ? other : nas;
    await second.register("nas-07");
    expect(second.received.filter(({ code }) => code === 40)).toEqual([]);
    first.socket.destroy();
    const moved = await second.packet(2);
    expect(moved.code).toBe(40);
    second.answer(moved);
    expect((await outcomes)[0]).toMatchObject({ kind: "ack", attempts: [{ kind: "closed" }, { kind: "reply" }] });
  });

  it("IDX-01 nothing is sent to a peer whose `reverse` is empty", async () => {
    const yaml =
      "clients: [{ name: r, match: { issuer: CN=radsec-hub development CA, admitEvery: true }, reverse: [] }]";
    const { hub, nas } = await connected({ yaml });
    await nas.register("nas-07");
    expect((await disconnect(hub))[0]).toMatchObject({ kind: "no-route", why: "not-permitted" });
    await nas.register("nas-07");
    expect(nas.received.map(({ code }) => code)).toEqual([2, 2]);
  });

  it("a peer that never reads costs a bounded backlog, and its neighbour notices nothing", async () => {
    const yaml = "radsec: [{ address: 127.0.0.1, port: 0, limits: { writeBacklog: 4KiB } }]";
    const handler = () => ({ kind: "reply", code: CODE.accessAccept, attributes: [] }) as const; // a reject would wait
    const { hub, nas } = await connected({ yaml, handler });
    await nas.register("nas-07");
    const neighbour = await RawNas.dial(hub.radsecPort, await hub.credentials("nas-08"));
    await neighbour.register("nas-08");
    nas.socket.pause();
    const flood = Buffer.concat(Array.from({ length: 100 }, () => encodePacket(1, 1, systemRandom.bytes(16), [USER])));
    const writing = setInterval(() => {
      for (let n = 0; n < 20; n += 1) {
        for (let at = 0; at < flood.length; at += flood.length / 100) systemRandom.bytes(16).copy(flood, at + 4);
        nas.send(flood);
      }
    }, 1);
    const down = await hub.event("link.down");
    clearInterval(writing);
    expect(down.reason).toBe("write-backlog");
    await neighbour.register("nas-08");
  });
});

describe("the life of a link", () => {
  it("a burst of requests does not cut a link that reads, however small its backlog, and it ends once", async () => {
    const yaml = "radsec: [{ address: 127.0.0.1, port: 0, limits: { writeBacklog: 4KiB } }]";
    const { hub, nas } = await connected({ yaml });
    await nas.register("nas-07");
    const outcomes = Array.from({ length: 100 }, (_, n) => disconnect(hub, `user-${n}-${"x".repeat(200)}`));
    for (let n = 1; n <= 100; n += 1) nas.answer(await nas.packet(n));
    const kinds = (await Promise.all(outcomes)).map(([outcome]) => outcome?.kind);
    expect(new Set(kinds)).toEqual(new Set(["ack"]));
    nas.socket.end();
    await hub.event("link.down");
    await hub.stop();
    expect(hub.eventsOf("link.down")).toHaveLength(1);
  });

  it("CON-18 no idle timeout: a link that only sends its watchdog lives through 24 hours", async () => {
    const clock = new ManualClock(Date.now());
    const { hub, nas } = await connected({ clock });
    for (let minutes = 0; minutes < 24 * 60; minutes += 1) {
      clock.advance(60_000);
      nas.request(CODE.statusServer, [NAME]);
      await nas.packet(minutes);
    }
    expect(hub.eventsOf("link.down")).toEqual([]);
    expect(hub.hub.registry.byNasIdentifier("nas-07")).toHaveLength(1);
  });

  it("IDX-06 a link that ends is gone from every look-up at once", async () => {
    const { hub, nas } = await connected();
    await nas.register("nas-07");
    nas.socket.end();
    expect((await hub.event("link.down")).reason).toBe("peer-closed");
    expect(hub.hub.registry.byNasIdentifier("nas-07")).toEqual([]);
    expect((await disconnect(hub))[0]).toMatchObject({ kind: "no-route", why: "offline" });
  });

  it("CON-24 one bad link does not mark the others of its NAS", async () => {
    const { hub, nas } = await connected();
    await nas.register("nas-07");
    const other = await RawNas.dial(hub.radsecPort, await hub.credentials("nas-07"));
    await other.register("nas-07");
    nas.send(spoiled(3, 19));
    await nas.ended;
    await other.register("nas-07");
    expect(hub.hub.registry.byNasIdentifier("nas-07")).toHaveLength(1);
  });

  it("stop() ends exchanges in flight in order, then every link with close_notify", async () => {
    const { hub, nas } = await connected();
    await nas.register("nas-07");
    const outcomes = disconnect(hub);
    const request = await nas.packet(1);
    const stopped = hub.hub.stop(5_000);
    await expect(disconnect(hub)).rejects.toMatchObject({ code: "ERR_STOPPED" });
    nas.answer(request);
    expect((await outcomes)[0]?.kind).toBe("ack");
    await stopped;
    expect(await nas.ended).toBe(true);
    expect(hub.eventsOf("link.down")[0]?.reason).toBe("stopped");
  });
});
