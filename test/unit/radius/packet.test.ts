import { describe, expect, it } from "vitest";
import { ATTRIBUTE, type Attribute, attribute, firstInteger, firstValue } from "../../../src/radius/attribute.ts";
import { encodeRequest, encodeResponse, RADSEC_SECRET, verifyRequest } from "../../../src/radius/authenticator.ts";
import { CODE, codeName, isReplyTo, parseCode, REQUEST_CODES } from "../../../src/radius/codes.ts";
import { decodeDatagram, decodePacket, encodePacket, PACKET_BYTES_MAX } from "../../../src/radius/packet.ts";

const AUTHENTICATOR = Buffer.alloc(16, 7);
const userName: Attribute = { type: ATTRIBUTE.userName, value: Buffer.from("bob") };
/** A Message-Authenticator. */
const SIGNATURE = [80, 18, ...Array.from({ length: 16 }, () => 5)];
const packet = encodePacket(1, 9, AUTHENTICATOR, [userName]);

/** A packet with these octets behind the header and a Length that fits them. */
function withBody(...octets: number[]): Buffer {
  const header = Buffer.from(packet.subarray(0, 20));
  header.writeUInt16BE(20 + octets.length, 2);
  return Buffer.concat([header, Buffer.from(octets)]);
}

function withLength(octets: Buffer, length: number): Buffer {
  const changed = Buffer.from(octets);
  changed.writeUInt16BE(length, 2);
  return changed;
}

const refused = (code: string) => expect.objectContaining({ code });

describe("decodeDatagram()", () => {
  it("PKT-01 ignores octets beyond Length, and they are not there when it is encoded again", () => {
    const padded = Buffer.concat([packet, Buffer.alloc(10, 0xee)]);
    const decoded = decodeDatagram(padded);
    expect(decoded.octets).toEqual(packet);
    expect(encodePacket(decoded.code, decoded.identifier, decoded.authenticator, decoded.attributes)).toEqual(packet);
  });

  it("PKT-02 refuses a datagram that is shorter than its Length by one octet", () => {
    expect(() => decodeDatagram(packet.subarray(0, -1))).toThrow(refused("ERR_RADIUS_LENGTH"));
  });

  it.each([0, 3, 19])("PKT-02 refuses a datagram of %i octets", (length) => {
    expect(() => decodeDatagram(packet.subarray(0, length))).toThrow(refused("ERR_RADIUS_LENGTH"));
  });

  it("PKT-03 refuses Length 4097 even when the octets are there", () => {
    expect(() => decodeDatagram(withLength(Buffer.alloc(5000, 2), 4097))).toThrow(refused("ERR_RADIUS_LENGTH"));
  });
});

describe("decodePacket()", () => {
  it.each([0, 19, 21, 4097])("PKT-03 refuses Length %i of a packet with 20 octets", (length) => {
    expect(() => decodePacket(withLength(withBody(), length))).toThrow(refused("ERR_RADIUS_LENGTH"));
  });

  it("PKT-03 takes 20 and 4096 octets, but not 4097", () => {
    const attributes = Array.from({ length: 15 }, () => attribute(25, Buffer.alloc(253)));
    const rest = PACKET_BYTES_MAX - 20 - 15 * 255;
    expect(decodePacket(withBody()).attributes).toEqual([]);
    const largest = encodePacket(1, 0, AUTHENTICATOR, [...attributes, attribute(25, Buffer.alloc(rest - 2))]);
    expect(largest).toHaveLength(4096);
    expect(decodePacket(largest).attributes).toHaveLength(16);
    expect(() => encodePacket(1, 0, AUTHENTICATOR, [...attributes, attribute(25, Buffer.alloc(rest - 1))])).toThrow(
      refused("ERR_RADIUS_TOO_LONG"),
    );
    expect(() => decodePacket(withLength(Buffer.alloc(4097, 2), 4097))).toThrow(refused("ERR_RADIUS_LENGTH"));
  });

  it.each([
    // Whatever follows, an attribute of 0 or 1 octets can not be: here the rest would parse if it were skipped.
    { name: "Length 0", body: [1, 0, 1, 2] },
    { name: "Length 1", body: [1, 1, 1, 2] },
    { name: "Length 1 before octets that would parse", body: [1, 1, 2] },
    { name: "an overrun by one octet", body: [1, 5, 98, 111] },
    { name: "a Type without Length", body: [1, 3, 98, 1] },
    { name: "one octet in all", body: [1] },
  ])("PKT-06 CON-04 refuses an attribute with $name", ({ body }) => {
    expect(() => decodePacket(withBody(...body))).toThrow(refused("ERR_RADIUS_ATTRIBUTE"));
  });

  it("PKT-06 names type, offset and Length of a bad attribute, for the log and for the answer", () => {
    expect(() => decodePacket(withBody(1, 3, 98, 44, 1))).toThrow(
      expect.objectContaining({ details: { code: 1, identifier: 9, type: 44, offset: 23, length: 1 } }),
    );
  });

  it("PKT-07 keeps an attribute whose value has the wrong size, and reads no number from it", () => {
    const { attributes } = decodePacket(withBody(4, 5, 10, 0, 0, 27, 5, 0, 0, 1));
    expect(attributes.map(({ type, value }) => [type, value.length])).toEqual([
      [4, 3],
      [27, 3],
    ]);
    expect(firstInteger(attributes, 27)).toBeUndefined();
  });

  it("PKT-05 PKT-08 keeps unknown types, their octets and the order of all attributes", () => {
    const body = [25, 3, 1, 200, 4, 9, 9, 25, 3, 2, 26, 4, 0, 0, 25, 3, 3];
    const { attributes } = decodePacket(withBody(...body));
    expect(attributes.map(({ type }) => type)).toEqual([25, 200, 25, 26, 25]);
    expect(encodePacket(1, 9, AUTHENTICATOR, attributes)).toEqual(withBody(...body));
  });

  it("PKT-09 keeps a NUL inside of a text", () => {
    const { attributes } = decodePacket(withBody(32, 5, 97, 0, 98));
    expect(firstValue(attributes, ATTRIBUTE.nasIdentifier)?.toString("latin1")).toBe("a\0b");
  });

  it("PKT-12 keeps the fragments of a long-extended attribute in order and side by side", () => {
    const fragment = (more: number, fill: number) => ({
      type: 245,
      value: Buffer.concat([Buffer.of(1, more), Buffer.alloc(251, fill)]),
    });
    const octets = encodePacket(43, 1, AUTHENTICATOR, [userName, fragment(0x80, 1), fragment(0, 2), userName]);
    const { attributes } = decodePacket(octets);
    expect(encodePacket(43, 1, AUTHENTICATOR, attributes)).toEqual(octets);
  });

  it("holds views into the packet, not copies", () => {
    const decoded = decodePacket(packet);
    expect(decoded.attributes[0]?.value.buffer).toBe(packet.buffer);
    expect(decoded.octets).toBe(packet);
  });

  it.each([
    { name: "none", body: [1, 3, 98], offset: -1 },
    { name: "one", body: [1, 3, 98, ...SIGNATURE], offset: 25 },
    { name: "one that is too short", body: [80, 17, ...Array.from({ length: 15 }, () => 5)], offset: -2 },
    {
      name: "two",
      body: [...SIGNATURE, ...SIGNATURE],
      offset: -2,
    },
    {
      name: "three",
      body: [...SIGNATURE, ...SIGNATURE, ...SIGNATURE],
      offset: -2,
    },
  ])("PKT-11 tells where the Message-Authenticator is: $name", ({ body, offset }) => {
    expect(decodePacket(withBody(...body)).messageAuthenticatorOffset).toBe(offset);
  });

  it("PKT-11 two Message-Authenticators never verify, not even two right ones", () => {
    const zero = { type: ATTRIBUTE.messageAuthenticator, value: Buffer.alloc(16) };
    const octets = encodePacket(CODE.statusServer, 0, AUTHENTICATOR, [zero, zero]);
    expect(verifyRequest(decodePacket(octets), RADSEC_SECRET)).toBe("bad-message-authenticator");
  });

  it("PKT-11 the first of two attributes counts where one is allowed", () => {
    const { attributes } = decodePacket(withBody(24, 3, 1, 24, 3, 2));
    expect(firstValue(attributes, ATTRIBUTE.state)).toEqual(Buffer.of(1));
  });
});

describe("encodeRequest() and encodeResponse()", () => {
  it.each([ATTRIBUTE.state, ATTRIBUTE.eventTimestamp, ATTRIBUTE.serviceType])(
    "PKT-11 refuse a second attribute %i",
    (type) => {
      const one = { type, value: Buffer.alloc(4) };
      expect(() => encodeRequest(43, 1, [one, one], AUTHENTICATOR, RADSEC_SECRET)).toThrow(
        refused("ERR_RADIUS_ATTRIBUTE"),
      );
      expect(() =>
        encodeResponse({ identifier: 1, authenticator: AUTHENTICATOR }, 44, [one, one], RADSEC_SECRET),
      ).toThrow(refused("ERR_RADIUS_ATTRIBUTE"));
      expect(encodeRequest(43, 1, [one], AUTHENTICATOR, RADSEC_SECRET)).toHaveLength(20 + 18 + 6);
    },
  );

  it("PKT-11 CRY-13 refuse a Message-Authenticator of the caller's", () => {
    const own = { type: ATTRIBUTE.messageAuthenticator, value: Buffer.alloc(16) };
    for (const code of [CODE.accessRequest, CODE.accountingRequest, CODE.coaRequest]) {
      expect(() => encodeRequest(code, 1, [own], AUTHENTICATOR, RADSEC_SECRET)).toThrow(
        refused("ERR_RADIUS_ATTRIBUTE"),
      );
    }
  });
});

describe("attribute()", () => {
  it("takes 253 octets and refuses 254, and types outside of 1..255", () => {
    expect(attribute(1, Buffer.alloc(253)).value).toHaveLength(253);
    expect(() => attribute(1, Buffer.alloc(254))).toThrow(refused("ERR_RADIUS_VALUE"));
    for (const type of [0, 256]) expect(() => attribute(type, Buffer.alloc(1))).toThrow(refused("ERR_RADIUS_VALUE"));
  });
});

describe("codes", () => {
  it("PKT-04 an unknown code has no name of its own and is no request", () => {
    expect(codeName(99)).toBe("Code-99");
    expect(REQUEST_CODES.has(99)).toBe(false);
  });

  it.each([
    ["Disconnect-Request", 40],
    ["coa-request", 43],
    ["52", 52],
    ["0", undefined],
    ["256", undefined],
    ["Disconnect", undefined],
  ])("parseCode() reads %s", (text, code) => {
    expect(parseCode(text)).toBe(code);
  });

  it("isReplyTo() lets every request be answered by its own replies and Protocol-Error, and by no request", () => {
    expect([41, 42, 52].every((reply) => isReplyTo(40, reply))).toBe(true);
    expect([44, 45, 2, 5, 40, 43].some((reply) => isReplyTo(40, reply))).toBe(false);
    expect([2, 5].every((reply) => isReplyTo(12, reply))).toBe(true);
  });
});
