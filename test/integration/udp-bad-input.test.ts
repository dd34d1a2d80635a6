import { describe, expect, it } from "vitest";
import { systemRandom } from "../../src/clock.ts";
import { firstInteger, integerAttribute, textAttribute } from "../../src/radius/attribute.ts";
import { encodeResponse, SharedSecret } from "../../src/radius/authenticator.ts";
import { CODE } from "../../src/radius/codes.ts";
import { decodeDatagram, encodePacket } from "../../src/radius/packet.ts";
import type { UdpPurpose } from "../../src/transport/udp-port.ts";
import { RunningHub } from "../support/running-hub.ts";
import { NAS, RECORD, request, SECRET, UdpHost, USER } from "../support/udp-fixture.ts";
import { badlySigned, bare } from "../support/udp-requests.ts";

const [HEALTHY, ATTACKER, STRANGER] = ["127.0.0.2", "127.0.0.3", "127.0.0.4"];
const SECRET_TEXT = "a secret of sixteen octets";
const WRONG = new SharedSecret("another secret");
const WAIT = { timeout: 10_000, interval: 5 };

/** A hub with a healthy DAC and a healthy legacy router beside whom others send what they should not. */
class Square {
  readonly hub: RunningHub;
  /** Of the router, and what sends for it. */
  readonly das: UdpHost;
  readonly dac: UdpHost;
  #asked = 0;

  private constructor(hub: RunningHub, das: UdpHost, dac: UdpHost) {
    this.hub = hub;
    this.das = das;
    this.dac = dac;
  }

  static async open(): Promise<Square> {
    const das = await UdpHost.open(HEALTHY);
    const keys = `secret: ${SECRET_TEXT}, mayTrigger: true`;
    const hub = await RunningHub.start({
      yaml: `
udp: [{ name: lan, addresses: [127.0.0.1], authPort: 0, acctPort: 0, dynauthPort: 0 }]
clients:
  - { name: router, transport: udp, match: { network: ${HEALTHY} }, secret: ${SECRET_TEXT}, dynauthPort: ${das.port} }
  - { name: dac, transport: udp, match: { network: 127.0.0.5 }, ${keys} }
  - { name: attacker, transport: udp, match: { network: ${ATTACKER} }, ${keys} }`,
    });
    const square = new Square(hub, das, await UdpHost.open("127.0.0.5"));
    const router = await UdpHost.open(HEALTHY);
    await router.ask(request(CODE.statusServer, [NAS]), square.port("auth"));
    return square;
  }

  port(purpose: UdpPurpose): number {
    return this.hub.addresses.udp.get("lan")?.find((each) => each.purpose === purpose)?.port as number;
  }

  /** A Disconnect of the healthy DAC to the healthy router, which has to work whatever the others do.
   *  @param forge answers in the router's place first */
  async works(forge: (request: Buffer, port: number) => void = () => undefined): Promise<void> {
    this.#asked += 1;
    const before = this.das.received.length;
    const asking = this.dac.ask(request(CODE.disconnectRequest, [NAS, USER], this.#asked), this.port("dynauth"));
    const { octets, from } = await this.das.datagram(before);
    forge(octets, from.port);
    this.das.answer(decodeDatagram(octets), from);
    expect((await asking).code).toBe(CODE.disconnectAck);
  }

  async dropped(reason: string): Promise<number> {
    const text = await (await fetch(`${this.hub.api}/metrics`)).text();
    const line = text
      .split("\n")
      .find((each) => each.startsWith(`radsec_hub_packets_dropped_total{reason="${reason}"}`));
    return Number(line?.split(" ")[1]);
  }
}

interface Attack {
  readonly to: UdpPurpose;
  readonly reason: string;
  readonly octets: () => Buffer;
  readonly from?: string;
}

/** Event-Timestamp, so many seconds from now. */
const at = (seconds: number) => integerAttribute(55, Math.floor(Date.now() / 1_000) + seconds);

function changed(octets: Buffer, change: (octets: Buffer) => void): Buffer {
  change(octets);
  return octets;
}

const ATTACKS: Record<string, Attack> = {
  "UL-01 a source that nobody knows": {
    to: "auth",
    reason: "unknown-source",
    octets: () => request(CODE.accessRequest),
    from: STRANGER,
  },
  "DP-02 a DAC that nobody knows": {
    to: "dynauth",
    reason: "unknown-source",
    octets: () => request(CODE.disconnectRequest),
    from: STRANGER,
  },
  "CRY-05 a login with a wrong secret": {
    to: "auth",
    reason: "request-bad-message-authenticator",
    octets: () => request(CODE.accessRequest, [NAS, USER], 1, WRONG),
  },
  "UL-09 a record with a wrong secret": {
    to: "acct",
    reason: "request-bad-authenticator",
    octets: () => request(CODE.accountingRequest, RECORD, 1, WRONG),
  },
  "DP-03 a Disconnect with a wrong secret": {
    to: "dynauth",
    reason: "request-bad-authenticator",
    octets: () => request(CODE.disconnectRequest, [NAS, USER], 1, WRONG),
  },
  "DP-03 a Disconnect with a forged Message-Authenticator": {
    to: "dynauth",
    reason: "request-bad-message-authenticator",
    octets: () => badlySigned(CODE.disconnectRequest),
  },
  "BR-02 a login that is not signed": {
    to: "auth",
    reason: "request-no-message-authenticator",
    octets: () => bare(),
  },
  "DP-04 a replay from outside the window": {
    to: "dynauth",
    reason: "request-stale-timestamp",
    octets: () => request(CODE.disconnectRequest, [NAS, USER, at(-310)]),
  },
  "DP-04 a request of the future": {
    to: "dynauth",
    reason: "request-stale-timestamp",
    octets: () => request(CODE.disconnectRequest, [NAS, USER, at(310)]),
  },
  "PKT-03 more than 4096 octets": {
    to: "auth",
    reason: "malformed",
    octets: () =>
      changed(Buffer.concat([request(CODE.accessRequest), Buffer.alloc(5_000)]), (octets) => {
        octets.writeUInt16BE(5_000, 2);
      }),
  },
  "PKT-02 a truncated packet": {
    to: "dynauth",
    reason: "malformed",
    octets: () => request(CODE.disconnectRequest).subarray(0, -3),
  },
  "PKT-06 an attribute that overruns the packet": {
    to: "dynauth",
    reason: "malformed",
    octets: () => changed(request(CODE.disconnectRequest), (octets) => octets.writeUInt8(255, 21)),
  },
  "PKT-04 a code that nobody knows": {
    to: "auth",
    reason: "unknown-code",
    octets: () => encodePacket(99, 1, systemRandom.bytes(16), []),
  },
  "UL-03 a request at the wrong port": {
    to: "auth",
    reason: "wrong-port",
    octets: () => request(CODE.disconnectRequest),
  },
  "UL-11 a record of nothing": {
    to: "acct",
    reason: "request-invalid",
    octets: () => request(CODE.accountingRequest, [NAS]),
  },
};

describe("source unknown, bad authenticator, bad MA, stale Event-Timestamp, and worse", () => {
  it.each(Object.entries(ATTACKS))(
    "%s: silence, a counter by reason, and healthy neighbours do not notice",
    async (_what, { to, reason, octets, from = ATTACKER }) => {
      const square = await Square.open();
      const attacker = await UdpHost.open(from);
      for (let sent = 1; sent <= 3; sent += 1) {
        attacker.send(octets(), square.port(to));
        await square.works();
      }
      await expect.poll(() => square.dropped(reason), WAIT).toBe(3);
      expect(attacker.received).toEqual([]);
      expect(square.hub.eventsOf("packet.dropped").map((event) => event.reason)).toEqual([reason, reason, reason]);
      expect(square.hub.eventsOf("link.down")).toEqual([]);
    },
  );

  it("UC-06 forged replies of a router: dropped by reason, and the real one wins", async () => {
    const square = await Square.open();
    await square.works((octets, port) => {
      const asked = decodeDatagram(octets);
      const forgeries = [
        encodeResponse(asked, CODE.disconnectAck, [], WRONG),
        encodeResponse({ ...asked, identifier: asked.identifier + 1 }, CODE.disconnectAck, [], SECRET),
        encodeResponse(asked, CODE.coaAck, [], SECRET),
        encodeResponse(asked, CODE.disconnectAck, [at(-310)], SECRET),
        Buffer.from("no packet"),
      ];
      for (const forged of forgeries) square.das.send(forged, port);
    });
    expect(square.hub.eventsOf("packet.dropped").map(({ reason }) => reason)).toEqual([
      "reply-bad-authenticator",
      "unexpected-reply",
      "reply-wrong-code",
      "reply-stale-timestamp",
      "malformed",
    ]);
  });

  it("DP-31 a router that sends its own Disconnect on to the hub gets NAK 502: nothing goes round", async () => {
    const square = await Square.open();
    const attacker = await UdpHost.open(ATTACKER);
    const name = textAttribute(32, "mirror");
    await attacker.ask(request(CODE.statusServer, [name], 1), square.port("auth"));
    const reply = await attacker.ask(request(CODE.disconnectRequest, [name, USER], 2), square.port("dynauth"));
    expect([reply.code, firstInteger(reply.attributes, 101)]).toEqual([CODE.disconnectNak, 502]);
    await square.works();
  });
});
