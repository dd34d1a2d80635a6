import { createHmac } from "node:crypto";
import { inspect } from "node:util";
import { describe, expect, it } from "vitest";
import { systemRandom } from "../../../src/clock.ts";
import { ATTRIBUTE, integerAttribute, textAttribute } from "../../../src/radius/attribute.ts";
import {
  encodeRequest,
  encodeResponse,
  FIRST_VALUE_OFFSET,
  RADSEC_SECRET,
  SharedSecret,
  signRequest,
  signResponse,
  verifyRequest,
  verifyResponse,
} from "../../../src/radius/authenticator.ts";
import { CODE } from "../../../src/radius/codes.ts";
import { decodePacket, encodePacket, ZERO_AUTHENTICATOR } from "../../../src/radius/packet.ts";
import { UNSIGNED } from "../../support/unsigned.ts";

const RANDOM = Buffer.from("000102030405060708090a0b0c0d0e0f", "hex");
const name = textAttribute(ATTRIBUTE.nasIdentifier, "nas-07");
const other = new SharedSecret("not-radsec");

const REQUESTS = [
  CODE.accessRequest,
  CODE.accountingRequest,
  CODE.statusServer,
  CODE.disconnectRequest,
  CODE.coaRequest,
];
const REPLIES = [2, 3, 5, 11, 41, 42, 44, 45, 52];

describe("encodeRequest()", () => {
  it.each(REQUESTS)("CRY-02 CRY-05 CRY-07 signs code %i so that only the right secret verifies it", (code) => {
    const packet = decodePacket(encodeRequest(code, 1, [name], RANDOM, RADSEC_SECRET));
    expect(verifyRequest(packet, RADSEC_SECRET)).toBe("ok");
    expect(verifyRequest(packet, other)).not.toBe("ok"); // CRY-11
  });

  it("CRY-04 leaves a random Authenticator as it is given, and computes those of codes 4, 40 and 43", () => {
    for (const code of REQUESTS) {
      const { authenticator } = decodePacket(encodeRequest(code, 1, [name], RANDOM, RADSEC_SECRET));
      expect(authenticator.equals(RANDOM), `code ${code}`).toBe(code === 1 || code === 12);
    }
  });

  it("CRY-04 systemRandom never repeats an Authenticator", () => {
    const seen = new Set(Array.from({ length: 1000 }, () => systemRandom.bytes(16).toString("hex")));
    expect(seen.size).toBe(1000);
  });

  it("CRY-12 CRY-13 puts Message-Authenticator first in every request but Accounting-Request", () => {
    for (const code of REQUESTS) {
      const { attributes } = decodePacket(encodeRequest(code, 1, [name], RANDOM, RADSEC_SECRET));
      const types = attributes.map(({ type }) => type);
      expect(types, `code ${code}`).toEqual(code === CODE.accountingRequest ? [32] : [80, 32]);
    }
  });
});

describe("verifyRequest()", () => {
  it.each([4, 40, 43])("CRY-03 refuses code %i with an all-zero Authenticator", (code) => {
    const octets = encodePacket(code, 1, ZERO_AUTHENTICATOR, [name]);
    expect(verifyRequest(decodePacket(octets), RADSEC_SECRET)).toBe("bad-authenticator");
  });

  it("CRY-13 an Accounting-Request that has a Message-Authenticator is verified as CoA is", () => {
    const octets = encodePacket(CODE.accountingRequest, 1, ZERO_AUTHENTICATOR, [UNSIGNED, name]);
    signRequest(octets, FIRST_VALUE_OFFSET, RADSEC_SECRET);
    expect(verifyRequest(decodePacket(octets), RADSEC_SECRET)).toBe("ok");
    octets[FIRST_VALUE_OFFSET] = (octets[FIRST_VALUE_OFFSET] as number) ^ 1;
    signRequest(octets, -1, RADSEC_SECRET); // the Request Authenticator fits, the Message-Authenticator does not
    expect(verifyRequest(decodePacket(octets), RADSEC_SECRET)).toBe("bad-message-authenticator");
  });

  it("verifies a Message-Authenticator wherever it stands", () => {
    const octets = encodePacket(CODE.coaRequest, 1, RANDOM, [name, UNSIGNED, name]);
    const packet = decodePacket(octets);
    signRequest(octets, packet.messageAuthenticatorOffset, RADSEC_SECRET);
    expect(verifyRequest(decodePacket(octets), RADSEC_SECRET)).toBe("ok");
  });

  it("leaves the octets of the packet alone", () => {
    const octets = encodeRequest(CODE.coaRequest, 1, [name], RANDOM, RADSEC_SECRET);
    const before = Buffer.from(octets);
    verifyRequest(decodePacket(octets), RADSEC_SECRET);
    verifyResponse(decodePacket(octets), RANDOM, RADSEC_SECRET);
    expect(octets).toEqual(before);
  });
});

describe("encodeResponse() and verifyResponse()", () => {
  it.each(REPLIES)("CRY-01 CRY-06 CRY-08 CRY-09 CRY-10 code %i answers only its request", (code) => {
    const reply = decodePacket(encodeResponse({ identifier: 7, authenticator: RANDOM }, code, [name], RADSEC_SECRET));
    expect(reply.identifier).toBe(7);
    expect(reply.attributes[0]?.type).toBe(ATTRIBUTE.messageAuthenticator); // ST-07
    expect(verifyResponse(reply, RANDOM, RADSEC_SECRET)).toBe("ok");
    expect(verifyResponse(reply, ZERO_AUTHENTICATOR, RADSEC_SECRET)).toBe("bad-authenticator");
    expect(verifyResponse(reply, RANDOM, other)).toBe("bad-authenticator");
  });

  it("CRY-06 refuses a reply whose Response Authenticator was computed before its Message-Authenticator", () => {
    const octets = encodePacket(CODE.accessAccept, 7, RANDOM, [UNSIGNED, name]);
    signResponse(octets, RANDOM, -1, RADSEC_SECRET);
    const early = Buffer.from(octets.subarray(4, 20));
    signResponse(octets, RANDOM, FIRST_VALUE_OFFSET, RADSEC_SECRET);
    early.copy(octets, 4);
    expect(verifyResponse(decodePacket(octets), RANDOM, RADSEC_SECRET)).toBe("bad-authenticator");
  });

  it("CRY-10 Protocol-Error to a CoA-Request is signed with the request's Authenticator, as to an Access-Request", () => {
    const request = decodePacket(encodeRequest(CODE.coaRequest, 3, [name], RANDOM, RADSEC_SECRET));
    const octets = encodeResponse(request, CODE.protocolError, [integerAttribute(101, 406)], RADSEC_SECRET);
    expect(verifyResponse(decodePacket(octets), request.authenticator, RADSEC_SECRET)).toBe("ok");
  });

  it("signs the largest packet with the largest secret", () => {
    const secret = new SharedSecret("x".repeat(1024));
    const attributes = Array.from({ length: 16 }, () => ({ type: 25, value: Buffer.alloc(251) })).slice(0, 15);
    const octets = encodeResponse({ identifier: 1, authenticator: RANDOM }, 2, [...attributes, name], secret);
    expect(verifyResponse(decodePacket(octets), RANDOM, secret)).toBe("ok");
  });
});

describe("SharedSecret", () => {
  it.each([1, 63, 64, 65, 1024])(
    "CRY-07 signs with the HMAC-MD5 of node:crypto for a secret of %i octets",
    (length) => {
      const octets = Buffer.alloc(length, "s3cret");
      const signed = encodeRequest(CODE.disconnectRequest, 1, [name], ZERO_AUTHENTICATOR, new SharedSecret(octets));
      const got = Buffer.from(signed.subarray(FIRST_VALUE_OFFSET, FIRST_VALUE_OFFSET + 16));
      signed.fill(0, 4, 20).fill(0, FIRST_VALUE_OFFSET, FIRST_VALUE_OFFSET + 16);
      expect(got).toEqual(createHmac("md5", octets).update(signed).digest());
    },
  );

  it.each(["", Buffer.alloc(0), "x".repeat(1025)])(
    "CRY-17 refuses an empty secret and one over 1,024 octets",
    (secret) => {
      expect(() => new SharedSecret(secret)).toThrow(expect.objectContaining({ code: "ERR_SECRET" }));
    },
  );

  it.each([1, 32, 64, 1024])("CRY-17 takes a secret of %i octets", (length) => {
    expect(new SharedSecret("x".repeat(length)).octets).toHaveLength(length);
  });

  it("CRY-17 tells secrets apart that differ in their last octet only", () => {
    const octets = encodeRequest(CODE.coaRequest, 1, [name], RANDOM, new SharedSecret(`${"x".repeat(63)}a`));
    expect(verifyRequest(decodePacket(octets), new SharedSecret(`${"x".repeat(63)}b`))).toBe("bad-authenticator");
  });

  it("does not change when the caller's Buffer does", () => {
    const given = Buffer.from("swordfish");
    const secret = new SharedSecret(given);
    given.fill(0);
    expect(secret.octets.toString()).toBe("swordfish");
  });

  it("does not show itself in JSON or to the inspector", () => {
    const secret = new SharedSecret("swordfish");
    const hex = Buffer.from("swordfish").toString("hex");
    for (const text of [JSON.stringify({ secret }), inspect({ secret }).replaceAll(" ", "")]) {
      expect(text).not.toContain("swordfish");
      expect(text).not.toContain(hex);
    }
  });

  it("CRY-11 RADSEC_SECRET is the string of RFC 6614", () => {
    expect(RADSEC_SECRET.octets.toString()).toBe("radsec");
  });
});
