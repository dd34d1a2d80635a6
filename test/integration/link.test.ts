import { describe, expect, it } from "vitest";
import { systemRandom } from "../../src/clock.ts";
import { ATTRIBUTE, integerAttribute, textAttribute } from "../../src/radius/attribute.ts";
import {
  encodeRequest,
  FIRST_VALUE_OFFSET,
  RADSEC_SECRET,
  SharedSecret,
  signRequest,
  verifyResponse,
} from "../../src/radius/authenticator.ts";
import { CODE } from "../../src/radius/codes.ts";
import { encodePacket, ZERO_AUTHENTICATOR } from "../../src/radius/packet.ts";
import type { Reply } from "../../src/transport/link.ts";
import { ManualClock } from "../support/manual-clock.ts";
import { connected, spoiled, status } from "../support/connected-nas.ts";

const NAME = textAttribute(ATTRIBUTE.nasIdentifier, "nas-07");
const USER = textAttribute(ATTRIBUTE.userName, "nemo");

describe("a link, by what the peer sends", () => {
  it.each([
    { name: "Length 19", octets: () => spoiled(3, 19), reason: "bad-length" },
    { name: "Length 4097", octets: () => Buffer.from([12, 0, 0x10, 0x01]), reason: "bad-length" },
    { name: "attribute Length 0", octets: () => spoiled(21, 0), reason: "bad-attribute" },
    { name: "attribute Length 1", octets: () => spoiled(21, 1), reason: "bad-attribute" },
    { name: "attributes that do not fill the packet", octets: () => spoiled(39, 9), reason: "bad-attribute" },
    { name: "a wrong Message-Authenticator", octets: () => spoiled(30, 0), reason: "bad-message-authenticator" },
    {
      name: "CRY-11 a packet signed with another secret",
      octets: () => status([NAME], new SharedSecret("xyzzy5461")),
      reason: "bad-message-authenticator",
    },
    {
      name: "CRY-03 a wrong Request Authenticator",
      octets: () => encodeRequest(CODE.accountingRequest, 1, [NAME], ZERO_AUTHENTICATOR, new SharedSecret("other")),
      reason: "bad-authenticator",
    },
    {
      name: "CRY-03 an all-zero Request Authenticator",
      octets: () => encodePacket(CODE.accountingRequest, 1, ZERO_AUTHENTICATOR, [NAME]),
      reason: "bad-authenticator",
    },
  ])("CON-04 $name ends it with close_notify, and nothing of the packet is used", async ({ octets, reason }) => {
    const { hub, nas } = await connected();
    nas.send(octets());
    expect(await nas.ended).toBe(true);
    expect((await hub.event("link.down")).reason).toBe(reason);
    expect(nas.received).toEqual([]);
    expect(hub.eventsOf("binding")).toEqual([]);
    expect(hub.hub.registry.size).toBe(0);
  });

  it.each([
    {
      name: "ST-02 a Status-Server without Message-Authenticator",
      octets: () => encodePacket(12, 0, systemRandom.bytes(16), [NAME]),
      reason: "status-no-message-authenticator",
    },
    {
      name: "PKT-04 a code that nobody knows",
      octets: () => encodePacket(99, 5, systemRandom.bytes(16), []),
      reason: "unknown-code",
    },
    {
      name: "CON-05 a reply to no request",
      octets: () => encodePacket(41, 5, systemRandom.bytes(16), []),
      reason: "unexpected-reply",
    },
    {
      name: "CRY-12 EAP-Message without Message-Authenticator",
      octets: () => encodePacket(1, 5, systemRandom.bytes(16), [textAttribute(79, "eap")]),
      reason: "request-no-message-authenticator",
    },
  ])("$name is dropped and the link stays", async ({ octets, reason }) => {
    const { hub, nas } = await connected();
    nas.send(octets());
    await nas.register("nas-07");
    expect(hub.eventsOf("packet.dropped").map((event) => event.reason)).toEqual([reason]);
    expect(nas.received).toHaveLength(1);
  });

  it("CON-06 unknown and odd attributes do not end it (PKT-07, PKT-08, PKT-10)", async () => {
    const { nas } = await connected();
    const odd = [
      { type: 200, value: Buffer.from([1, 2]) },
      { type: 241, value: Buffer.from([4]) },
      { type: 4, value: Buffer.alloc(3) },
    ];
    const request = nas.request(CODE.statusServer, [NAME, ...odd]);
    expect(verifyResponse(await nas.packet(0), request.authenticator, RADSEC_SECRET)).toBe("ok");
  });

  it("CON-01 one octet at a time and three packets in one write are all the same", async () => {
    const { nas } = await connected();
    for (const octet of status()) nas.send(Buffer.from([octet]));
    await nas.packet(0);
    nas.send(Buffer.concat([status(), status(), status()]));
    await nas.packet(3);
    expect(nas.received.map(({ code }) => code)).toEqual([2, 2, 2, 2]);
  });
});

describe("Status-Server on a link", () => {
  it("ST-01 ST-04 ST-05 ST-06 ST-07 CRY-09 is answered once with Access-Accept, Message-Authenticator first and alone", async () => {
    const { nas } = await connected();
    const request = nas.request(CODE.statusServer, [NAME]);
    const reply = await nas.packet(0);
    expect([reply.code, reply.identifier]).toEqual([CODE.accessAccept, 0]);
    expect(verifyResponse(reply, request.authenticator, RADSEC_SECRET)).toBe("ok");
    expect(reply.attributes.map(({ type }) => type)).toEqual([ATTRIBUTE.messageAuthenticator]);
    await nas.register("nas-07");
    expect(nas.received).toHaveLength(2);
  });

  it("ST-13 CON-12 the same Identifier with a new Authenticator is a new request; the same octets get the same answer", async () => {
    const { hub, nas } = await connected();
    const first = status();
    nas.send(first);
    nas.send(status());
    nas.send(first);
    nas.send(first);
    const replies = [await nas.packet(0), await nas.packet(1), await nas.packet(2), await nas.packet(3)];
    expect(new Set(replies.map(({ octets }) => octets.toString("hex"))).size).toBeGreaterThanOrEqual(2);
    expect(hub.hub.registry.byNasIdentifier("nas-07")).toHaveLength(1);
  });

  it("ST-08 ST-12 credentials in it change nothing: the reply is the same and no handler sees it", async () => {
    let handled = 0;
    const handler = (): Reply => {
      handled += 1;
      return { kind: "discard", reason: "test" };
    };
    const { nas } = await connected({ handler });
    nas.request(CODE.statusServer, [NAME, USER, textAttribute(ATTRIBUTE.userPassword, "0123456789abcdef")]);
    expect((await nas.packet(0)).code).toBe(CODE.accessAccept);
    expect(handled).toBe(0);
  });

  it("ST-14 one with only NAS-IP-Address is answered and makes the link reachable by that address", async () => {
    const { hub, nas } = await connected();
    nas.request(CODE.statusServer, [{ type: ATTRIBUTE.nasIpAddress, value: Buffer.from([10, 9, 8, 7]) }]);
    await nas.packet(0);
    expect(hub.hub.registry.byNasAddress("10.9.8.7")).toHaveLength(1);
  });

  it("ST-11 beyond the rate they are dropped, below it never", async () => {
    const { hub, nas } = await connected({ yaml: "status: { ratePerSecond: 5 }", clock: new ManualClock(Date.now()) });
    for (let n = 0; n < 7; n += 1) nas.send(status());
    await hub.event("packet.dropped");
    await nas.packet(4);
    expect(hub.eventsOf("packet.dropped").every(({ reason }) => reason === "status-rate-limited")).toBe(true);
  });

  it("ST-10 is not answered when switched off", async () => {
    const { hub, nas } = await connected({ yaml: "status: { enabled: false }" });
    nas.send(status());
    expect((await hub.event("packet.dropped")).reason).toBe("status-disabled");
  });
});

describe("requests of a NAS", () => {
  it("TLS-01 UL-04 PE-01 all codes share the port: Access-Request is rejected, Accounting-Request not acknowledged while nobody stores it", async () => {
    const { nas } = await connected();
    nas.request(CODE.accessRequest, [NAME, USER], 1);
    expect((await nas.packet(0)).code).toBe(CODE.accessReject);
    nas.request(CODE.accountingRequest, [NAME, integerAttribute(ATTRIBUTE.acctStatusType, 1)], 2);
    const refused = await nas.packet(1);
    expect(refused.code).toBe(CODE.protocolError);
    expect(refused.attributes.map(({ type }) => type)).toEqual([80, 241, 101]);
  });

  it.each([CODE.accessRequest, CODE.accountingRequest])(
    "IDX-07 ST-18 a NAS that sends only code %i is known",
    async (code) => {
      const { hub, nas } = await connected();
      nas.request(code, [NAME, USER], 1);
      await nas.packet(0);
      expect(hub.hub.registry.byNasIdentifier("nas-07")).toHaveLength(1);
    },
  );

  it("CRY-13 a Message-Authenticator in an Accounting-Request is verified", async () => {
    const { hub, nas } = await connected();
    const octets = encodePacket(4, 1, ZERO_AUTHENTICATOR, [{ type: 80, value: Buffer.alloc(16) }, NAME]);
    signRequest(octets, FIRST_VALUE_OFFSET, RADSEC_SECRET);
    nas.send(octets);
    expect((await nas.packet(0)).code).toBe(CODE.protocolError);
    octets[1] = 2;
    octets[FIRST_VALUE_OFFSET] = (octets[FIRST_VALUE_OFFSET] as number) ^ 1;
    signRequest(octets, -1, RADSEC_SECRET);
    nas.send(octets);
    expect((await hub.event("link.down")).reason).toBe("bad-message-authenticator");
  });

  it("BR-06 requireMessageAuthenticator is not consulted for what comes over TLS", async () => {
    const yaml =
      "clients: [{ name: r, match: { issuer: CN=radsec-hub development CA, admitEvery: true }, requireMessageAuthenticator: true }]";
    const { nas } = await connected({ yaml });
    nas.send(encodePacket(1, 1, systemRandom.bytes(16), [NAME, USER]));
    expect((await nas.packet(0)).code).toBe(CODE.accessReject);
  });

  it("CON-11 a reply that is ready after the link has ended goes nowhere; the handler was told", async () => {
    let aborted = false;
    const gate = Promise.withResolvers<Reply>();
    const called = Promise.withResolvers<void>();
    const { hub, nas } = await connected({
      handler: ({ signal }) => {
        signal.addEventListener("abort", () => (aborted = true));
        called.resolve();
        return gate.promise;
      },
    });
    nas.request(CODE.accessRequest, [NAME, USER], 1);
    await called.promise;
    nas.socket.destroy();
    await hub.event("link.down");
    expect(aborted).toBe(true);
    gate.resolve({ kind: "reply", code: CODE.accessReject, attributes: [] });
    await gate.promise;
    expect(hub.eventsOf("packet.dropped")).toEqual([]);
  });

  it("CON-12 the same request while it is worked on is dropped, afterwards it is answered with the same octets", async () => {
    const gate = Promise.withResolvers<Reply>();
    let calls = 0;
    const handler = () => {
      calls += 1;
      return gate.promise;
    };
    const { hub, nas } = await connected({ handler });
    const octets = encodeRequest(CODE.accessRequest, 9, [NAME, USER], systemRandom.bytes(16), RADSEC_SECRET);
    nas.send(octets);
    nas.send(octets);
    expect((await hub.event("packet.dropped")).reason).toBe("duplicate");
    gate.resolve({ kind: "reply", code: CODE.accessReject, attributes: [] });
    const first = await nas.packet(0);
    nas.send(octets);
    expect((await nas.packet(1)).octets).toEqual(first.octets);
    expect(calls).toBe(1);
  });

  it("a handler that throws or rejects costs its own packet only", async () => {
    let calls = 0;
    const handler = (): Reply | Promise<Reply> => {
      calls += 1;
      if (calls === 1) throw new Error("thrown");
      if (calls === 2) return Promise.reject(new Error("rejected"));
      return { kind: "reply", code: CODE.accessReject, attributes: [] };
    };
    const { hub, nas } = await connected({ handler });
    for (const identifier of [1, 2, 3]) nas.request(CODE.accessRequest, [NAME, USER], identifier);
    expect((await nas.packet(0)).identifier).toBe(3);
    expect(hub.eventsOf("packet.dropped").map(({ reason }) => reason)).toEqual(["handler-failed", "handler-failed"]);
  });
});
