import { describe, expect, it, vi } from "vitest";
import { systemRandom } from "../../src/clock.ts";
import { integerAttribute } from "../../src/radius/attribute.ts";
import { FIRST_VALUE_OFFSET } from "../../src/radius/authenticator.ts";
import { CODE } from "../../src/radius/codes.ts";
import type { Reply, RequestContext, RequestHandler } from "../../src/transport/link.ts";
import { ManualClock } from "../support/manual-clock.ts";
import {
  NAS,
  RECORD,
  request,
  UdpFixture,
  UdpHost,
  type UdpFixtureOptions,
  udpOptions,
  USER,
  WAIT,
} from "../support/udp-fixture.ts";

const ACCEPT: Reply = { kind: "reply", code: CODE.accessAccept, attributes: [] };
const REJECT: Reply = { kind: "reply", code: CODE.accessReject, attributes: [] };

/** A listener on a clock that stands still, whose handlers count and answer when they are told to. */
class Scene {
  readonly clock = new ManualClock();
  readonly requests: RequestContext[] = [];
  fixture!: UdpFixture;
  host!: UdpHost;
  answer: (context: RequestContext) => Reply | Promise<Reply> = ({ packet }) => ({
    kind: "reply",
    code: packet.code + 1,
    attributes: [integerAttribute(27, this.requests.length)],
  });

  static async open(options: UdpFixtureOptions = {}): Promise<Scene> {
    const scene = new Scene();
    const handler: RequestHandler = (context) => {
      scene.requests.push(context);
      return scene.answer(context);
    };
    scene.fixture = await UdpFixture.start({ handler, trigger: handler, clock: scene.clock, ...options });
    scene.host = await UdpHost.open();
    return scene;
  }

  sendTo(purpose: "auth" | "acct" | "dynauth", octets: Buffer, from = this.host): void {
    from.send(octets, this.fixture.port(purpose));
  }

  async reply(count: number, host = this.host): Promise<Buffer> {
    return (await host.datagram(count - 1)).octets;
  }

  async handled(count: number): Promise<void> {
    await vi.waitUntil(() => this.requests.length >= count, WAIT);
  }
}

describe("duplicates", () => {
  it.each([
    ["auth", request(CODE.accessRequest)],
    ["acct", request(CODE.accountingRequest)],
    ["dynauth", request(CODE.disconnectRequest)],
  ] as const)(
    "UL-06 DP-06 DP-07 %s: in progress it is dropped, then the same octets come back",
    async (purpose, octets) => {
      const gate = Promise.withResolvers<Reply>();
      const scene = await Scene.open();
      scene.answer = () => gate.promise;
      for (let copy = 0; copy < 5; copy += 1) scene.sendTo(purpose, octets);
      await scene.fixture.drop(4);
      expect(scene.fixture.reasons()).toEqual(Array(4).fill("duplicate"));
      gate.resolve({ kind: "reply", code: (octets[0] as number) + 1, attributes: [USER] });
      const first = await scene.reply(1);
      scene.sendTo(purpose, octets);
      expect(await scene.reply(2)).toEqual(first);
      expect(scene.requests).toHaveLength(1);
    },
  );

  it("UL-07 a reply is kept for 30 s on the auth port: a hit after 4 s, a miss after 31 s", async () => {
    const scene = await Scene.open();
    const octets = request(CODE.accessRequest);
    scene.sendTo("auth", octets);
    const first = await scene.reply(1);
    scene.clock.advance(4_000);
    scene.sendTo("auth", octets);
    expect(await scene.reply(2)).toEqual(first);
    scene.clock.advance(27_000);
    scene.sendTo("auth", octets);
    expect(await scene.reply(3)).not.toEqual(first);
    expect(scene.requests).toHaveLength(2);
  });

  it.each(["dynauth", "auth"] as const)(
    "DP-06 a trigger on the %s port is known for the whole timestamp window",
    async (purpose) => {
      const scene = await Scene.open({ listener: { triggersOnAuthPort: true } });
      const octets = request(CODE.disconnectRequest);
      scene.sendTo(purpose, octets);
      const first = await scene.reply(1);
      scene.clock.advance(250_000);
      scene.sendTo(purpose, octets);
      expect(await scene.reply(2)).toEqual(first);
      expect(scene.requests).toHaveLength(1);
    },
  );

  it("DP-06 apply() changes how long triggers are known, those that come after it", async () => {
    const scene = await Scene.open();
    const duplicates = { authAcctMs: 30_000, dynauthMs: 40_000, entriesMax: 10_000 };
    scene.fixture.listener.apply(udpOptions({ duplicates }));
    const octets = request(CODE.disconnectRequest);
    scene.sendTo("dynauth", octets);
    const first = await scene.reply(1);
    scene.clock.advance(39_000);
    scene.sendTo("dynauth", octets);
    expect(await scene.reply(2)).toEqual(first);
    scene.clock.advance(2_000);
    scene.sendTo("dynauth", octets);
    expect(await scene.reply(3)).not.toEqual(first);
  });

  it("UL-06 another source port, another socket, another Identifier: none is a duplicate", async () => {
    const scene = await Scene.open({ listener: { addresses: ["127.0.0.1", "127.0.0.2"] } });
    const octets = request(CODE.accessRequest);
    const other = await UdpHost.open();
    const far = await UdpHost.open("127.0.0.5", scene.host.port); // the same port elsewhere
    scene.sendTo("auth", octets);
    scene.sendTo("auth", octets, other);
    scene.sendTo("auth", octets, far);
    scene.host.send(octets, scene.fixture.port("auth", "127.0.0.2"), "127.0.0.2");
    await scene.handled(4);
    scene.sendTo("auth", request(CODE.accessRequest, [NAS], 2));
    await scene.handled(5);
    expect(scene.fixture.drops).toEqual([]);
  });

  it("UL-08 DP-08 the same Identifier with another Authenticator is new; the old one is told and gets no reply", async () => {
    const gates = [Promise.withResolvers<Reply>(), Promise.withResolvers<Reply>()];
    const scene = await Scene.open();
    scene.answer = () => (gates[scene.requests.length - 1] as (typeof gates)[0]).promise;
    const [old, fresh] = [request(CODE.accessRequest), request(CODE.accessRequest)];
    scene.sendTo("auth", old);
    await scene.handled(1);
    const signal = scene.requests[0]?.signal;
    scene.sendTo("auth", fresh);
    await scene.handled(2);
    expect(signal?.aborted).toBe(true);
    gates[0]?.resolve(REJECT);
    gates[1]?.resolve(ACCEPT);
    expect((await scene.reply(1))[0]).toBe(CODE.accessAccept);
    scene.sendTo("auth", fresh);
    await scene.reply(2);
    expect(scene.host.received.map(({ octets }) => octets[0])).toEqual([2, 2]);
  });

  it("UL-08 what fails its Message-Authenticator touches no entry, answered or in progress", async () => {
    const gate = Promise.withResolvers<Reply>();
    const scene = await Scene.open();
    scene.answer = () => gate.promise;
    const octets = request(CODE.accessRequest);
    const forged = request(CODE.accessRequest);
    forged[FIRST_VALUE_OFFSET] = (forged[FIRST_VALUE_OFFSET] as number) ^ 1;
    scene.sendTo("auth", octets);
    scene.sendTo("auth", forged);
    expect(await scene.fixture.drop()).toBe("request-bad-message-authenticator");
    expect(scene.requests[0]?.signal.aborted).toBe(false);
    gate.resolve(ACCEPT);
    const first = await scene.reply(1);
    scene.sendTo("auth", forged);
    await scene.fixture.drop(2);
    scene.sendTo("auth", octets);
    expect(await scene.reply(2)).toEqual(first);
    expect(scene.requests).toHaveLength(1);
  });

  it("a request that was not answered may come again", async () => {
    const scene = await Scene.open();
    scene.answer = () => ({ kind: "discard", reason: "not stored" }); // UL-10
    const octets = request(CODE.accountingRequest, RECORD);
    scene.sendTo("acct", octets);
    scene.sendTo("acct", octets);
    await scene.handled(2);
    expect(scene.fixture.reasons()).toEqual(["handler-discard", "handler-discard"]);
  });

  it("the cache is bounded: what was answered longest ago goes first, what is in progress stays", async () => {
    const scene = await Scene.open({
      listener: { duplicates: { authAcctMs: 30_000, dynauthMs: 300_000, entriesMax: 4 } },
    });
    const answered = scene.answer;
    const gate = Promise.withResolvers<Reply>();
    const octets = [0, 1, 2, 3, 4].map((identifier) => request(CODE.accessRequest, [NAS], identifier));
    scene.answer = (context) => (context.packet.identifier === 0 ? gate.promise : answered(context));
    for (const each of octets) scene.sendTo("auth", each);
    await scene.reply(4); // 1..4 are answered, 1 had to go for 4
    expect(scene.fixture.listener.figures).toMatchObject({ repliesKept: 4, repliesPushedOut: 1 });
    scene.sendTo("auth", octets[0] as Buffer);
    expect(await scene.fixture.drop()).toBe("duplicate");
    scene.sendTo("auth", octets[2] as Buffer);
    expect(await scene.reply(5)).toEqual(await scene.reply(2));
    scene.sendTo("auth", octets[1] as Buffer);
    await scene.handled(6);
    gate.resolve(ACCEPT);
  });

  it("with as many in progress as the bound allows, one more is dropped as handler-busy", async () => {
    const scene = await Scene.open({
      listener: { duplicates: { authAcctMs: 30_000, dynauthMs: 300_000, entriesMax: 2 } },
    });
    const gate = Promise.withResolvers<Reply>();
    scene.answer = () => gate.promise;
    for (const identifier of [1, 2, 3]) scene.sendTo("auth", request(CODE.accessRequest, [NAS], identifier));
    expect(await scene.fixture.drop()).toBe("handler-busy");
    gate.resolve(ACCEPT);
    await scene.reply(2);
  });
});

describe("UL-18 the delay of Access-Reject", () => {
  const listener = { rejectDelayMs: { min: 1_000, max: 2_000 } };

  it("the hub's own verdict waits min..max with jitter, its duplicates are dropped meanwhile, then answered", async () => {
    const fractions = [0, 0.5];
    const random = { ...systemRandom, fraction: () => fractions.shift() ?? 0 };
    const scene = await Scene.open({ listener, random });
    scene.answer = () => REJECT;
    const octets = request(CODE.accessRequest, [NAS], 1);
    scene.sendTo("auth", octets);
    scene.sendTo("auth", request(CODE.accessRequest, [NAS], 2));
    scene.sendTo("auth", octets);
    expect(await scene.fixture.drop()).toBe("duplicate");
    scene.clock.advance(980);
    expect(scene.fixture.wheel.size).toBeGreaterThanOrEqual(2);
    scene.clock.advance(40);
    expect((await scene.reply(1))[1]).toBe(1);
    scene.clock.advance(400);
    scene.sendTo("auth", octets);
    expect((await scene.reply(2))[1]).toBe(1); // the kept reply came at once, the other one waits for 1.5 s
    scene.clock.advance(200);
    expect((await scene.reply(3))[1]).toBe(2);
    expect(scene.requests).toHaveLength(2);
  });

  it("somebody else's verdict is not delayed, and neither is an accept", async () => {
    const scene = await Scene.open({ listener });
    scene.answer = ({ packet }) => (packet.identifier === 1 ? { ...REJECT, proxied: true } : ACCEPT);
    for (const identifier of [1, 2]) scene.sendTo("auth", request(CODE.accessRequest, [NAS], identifier));
    expect((await scene.reply(1))[0]).toBe(CODE.accessReject);
    expect((await scene.reply(2))[0]).toBe(CODE.accessAccept);
  });

  it("the rejects of invalid requests wait as well (UL-05)", async () => {
    const scene = await Scene.open({ listener });
    scene.sendTo("auth", request(CODE.accessRequest, [USER]));
    await scene.host.ask(request(CODE.statusServer, [], 9), scene.fixture.port("auth"));
    expect(scene.host.received).toHaveLength(1);
    scene.clock.advance(2_020);
    expect((await scene.reply(2))[0]).toBe(CODE.accessReject);
  });

  it("a router that used the Identifier again meanwhile does not get it", async () => {
    const scene = await Scene.open({ listener });
    scene.answer = () => (scene.requests.length === 1 ? REJECT : ACCEPT);
    scene.sendTo("auth", request(CODE.accessRequest));
    scene.sendTo("auth", request(CODE.accessRequest));
    await scene.reply(1);
    scene.clock.advance(3_000);
    await scene.host.ask(request(CODE.statusServer, [], 9), scene.fixture.port("auth"));
    expect(scene.host.received.map(({ octets }) => octets[0])).toEqual([2, 2]);
  });

  it("stop() waits for rejects that wait, as long as it may", async () => {
    const scene = await Scene.open({ listener });
    scene.answer = () => REJECT;
    scene.sendTo("auth", request(CODE.accessRequest));
    await scene.handled(1);
    const stopped = scene.fixture.listener.stop(10_000);
    scene.clock.advance(2_020);
    await stopped;
    expect((await scene.reply(1))[0]).toBe(CODE.accessReject);
  });
});
