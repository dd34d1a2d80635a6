import { answerUnserved } from "../../src/aaa/unserved.ts";
import { describe, expect, it, vi } from "vitest";
import { type Attribute, attribute, integerAttribute, textAttribute } from "../../src/radius/attribute.ts";
import { CODE } from "../../src/radius/codes.ts";
import type { Reply } from "../../src/transport/link.ts";
import { ManualClock } from "../support/manual-clock.ts";
import { NAS, RECORD, request, UdpHost, udpEntry, USER, WAIT } from "../support/udp-fixture.ts";
import { alive, bare, both, LENIENT, PROXY_STATE } from "../support/udp-requests.ts";

const WIMAX: Buffer = Buffer.from("000060b501030100", "hex");

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

  it("UL-16 an Access-Reject of the hub's own says why and carries no service; one that is passed on stays as it is", async () => {
    const why = [textAttribute(18, "no"), attribute(79, Buffer.from([4, 1, 0, 4])), integerAttribute(101, 406)];
    const challenge = attribute(26, Buffer.from("0000013702056500453d3639", "hex")); // MS-CHAP-Error
    const service = [
      integerAttribute(27, 60),
      textAttribute(24, "s"),
      textAttribute(25, "c"),
      attribute(26, WIMAX),
      USER,
    ];
    const attributes = [...service, ...why, challenge];
    const replies: Reply[] = [
      { kind: "reply", code: CODE.accessReject, attributes },
      { kind: "reply", code: CODE.accessReject, attributes, proxied: true },
    ];
    const { fixture, host } = await both({ handler: () => replies.shift() as Reply });
    const own = await host.ask(request(CODE.accessRequest, [NAS], 1), fixture.port("auth"));
    expect(own.attributes.slice(1)).toEqual([...why, challenge]);
    const passedOn = await host.ask(request(CODE.accessRequest, [NAS], 2), fixture.port("auth"));
    expect(passedOn.attributes.slice(1)).toEqual(attributes);
  });

  it("BR-01 BR-11 of what an unsigned request brought, the hub's own replies echo the Proxy-States and nothing else", async () => {
    const { fixture, host } = await both({ clients: [udpEntry(LENIENT)], handler: answerUnserved });
    const brought = [USER, textAttribute(18, "say"), textAttribute(24, "this"), textAttribute(25, "back")];
    for (const [identifier, attributes] of [
      [NAS, ...brought, PROXY_STATE],
      [...brought, PROXY_STATE],
    ].entries()) {
      host.send(bare(attributes, identifier), fixture.port("auth"));
      const reply = await host.packet(identifier);
      expect(reply.code).toBe(CODE.accessReject);
      expect(reply.attributes.map(({ type }) => type)).toEqual([80, 33]);
    }
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
