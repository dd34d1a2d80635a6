import { createHash } from "node:crypto";
import { describe, expect, it } from "vitest";
import { ATTRIBUTE } from "../../../src/radius/attribute.ts";
import { SharedSecret } from "../../../src/radius/authenticator.ts";
import {
  hideMppeKey,
  hideTunnelPassword,
  hideUserPassword,
  revealMppeKey,
  revealTunnelPassword,
  revealUserPassword,
  verifyChapPassword,
} from "../../../src/radius/hidden.ts";

const inbound = new SharedSecret("xyzzy5461");
const outbound = new SharedSecret("radsec");
const authenticator = Buffer.from("0f403f9473978057bd83d5cb98f4227a", "hex");
const other = Buffer.alloc(16, 9);
const lengths = Array.from({ length: 129 }, (_, length) => length);
const text = (length: number) => Buffer.from(Array.from({ length }, (_, index) => 33 + (index % 90)));
const md5 = (...parts: Buffer[]) => createHash("md5").update(Buffer.concat(parts)).digest();

describe("User-Password (RFC 2865 Section 5.2)", () => {
  it("CRY-15 is revealed as it was hidden, for every length 0..128", () => {
    for (const length of lengths) {
      const hidden = hideUserPassword(text(length), inbound, authenticator);
      expect(hidden.length, `${length} octets`).toBe(Math.max(16, Math.ceil(length / 16) * 16));
      expect(revealUserPassword(hidden, inbound, authenticator)).toEqual(text(length));
    }
  });

  it("CRY-15 survives a hop with another secret and another Authenticator", () => {
    const arrived = hideUserPassword(text(40), inbound, authenticator);
    const plain = revealUserPassword(arrived, inbound, authenticator) as Buffer;
    const sent = hideUserPassword(plain, outbound, other);
    expect(sent).not.toEqual(arrived);
    expect(revealUserPassword(sent, outbound, other)).toEqual(text(40));
  });

  it("hides block n with the hidden block n-1", () => {
    const hidden = hideUserPassword(text(32), inbound, authenticator);
    const mask = md5(inbound.octets, hidden.subarray(0, 16));
    expect(hidden.subarray(16).map((octet, index) => octet ^ (mask[index] as number))).toEqual(text(32).subarray(16));
  });

  it("hideUserPassword() refuses 129 octets", () => {
    expect(() => hideUserPassword(text(129), inbound, authenticator)).toThrow(
      expect.objectContaining({ code: "ERR_RADIUS_VALUE" }),
    );
  });

  it.each([0, 1, 15, 17, 127, 129, 144])("revealUserPassword() has no verdict on %i octets", (length) => {
    expect(revealUserPassword(Buffer.alloc(length), inbound, authenticator)).toBeUndefined();
  });
});

describe("verifyChapPassword() (RFC 2865 Section 5.3)", () => {
  const password = Buffer.from("arctangent");
  const chap = (challenge: Buffer) => ({
    type: ATTRIBUTE.chapPassword,
    value: Buffer.concat([Buffer.of(5), md5(Buffer.of(5), password, challenge)]),
  });
  const challenge = { type: ATTRIBUTE.chapChallenge, value: Buffer.from("a challenge of its own length") };

  it("takes the Request Authenticator as challenge without CHAP-Challenge", () => {
    const attributes = [chap(authenticator)];
    expect(verifyChapPassword({ attributes, authenticator }, password)).toBe(true);
    expect(verifyChapPassword({ attributes, authenticator: other }, password)).toBe(false);
  });

  it("takes CHAP-Challenge where there is one", () => {
    const attributes = [chap(challenge.value), challenge];
    expect(verifyChapPassword({ attributes, authenticator }, password)).toBe(true);
    expect(verifyChapPassword({ attributes: [chap(authenticator), challenge], authenticator }, password)).toBe(false);
    expect(verifyChapPassword({ attributes, authenticator }, Buffer.from("arctangenT"))).toBe(false);
  });

  it.each([0, 16, 18])("has no verdict on a CHAP-Password of %i octets", (length) => {
    const attributes = [{ type: ATTRIBUTE.chapPassword, value: Buffer.alloc(length) }];
    expect(verifyChapPassword({ attributes, authenticator }, password)).toBeUndefined();
  });

  it("has no verdict without CHAP-Password", () => {
    expect(verifyChapPassword({ attributes: [challenge], authenticator }, password)).toBeUndefined();
  });
});

describe("Tunnel-Password (RFC 2868 Section 3.5) and MS-MPPE keys (RFC 2548 Section 2.4.2)", () => {
  it("CRY-15 are revealed as they were hidden, for every length 0..239", () => {
    for (let length = 0; length <= 239; length++) {
      const hidden = hideMppeKey(text(length), 0x1234, inbound, authenticator);
      expect(revealMppeKey(hidden, inbound, authenticator), `${length} octets`).toEqual(text(length));
      const tunnel = hideTunnelPassword({ tag: 3, password: text(length) }, 7, inbound, authenticator);
      expect(tunnel.length).toBeLessThanOrEqual(253);
      expect(revealTunnelPassword(tunnel, inbound, authenticator)).toEqual({ tag: 3, password: text(length) });
    }
  });

  it("keep NULs at the end, because the length is told", () => {
    const key = Buffer.from("00ff0000", "hex");
    expect(revealMppeKey(hideMppeKey(key, 1, inbound, authenticator), inbound, authenticator)).toEqual(key);
  });

  it("carry a salt whose highest bit is set, and the salt matters", () => {
    const one = hideMppeKey(text(16), 1, inbound, authenticator);
    const two = hideMppeKey(text(16), 2, inbound, authenticator);
    expect(one.readUInt16BE()).toBe(0x8001);
    expect(one.subarray(2)).not.toEqual(two.subarray(2));
    const mask = md5(inbound.octets, authenticator, one.subarray(0, 2));
    expect((one[2] as number) ^ (mask[0] as number)).toBe(16);
  });

  it.each([
    { name: "240 octets", hide: () => hideMppeKey(text(240), 1, inbound, authenticator) },
    { name: "a tag of 32", hide: () => hideTunnelPassword({ tag: 32, password: text(1) }, 1, inbound, authenticator) },
  ])("refuse $name", ({ hide }) => {
    expect(hide).toThrow(expect.objectContaining({ code: "ERR_RADIUS_VALUE" }));
  });

  it.each([0, 1, 2, 3, 17, 19, 33])("have no verdict on %i octets", (length) => {
    expect(revealMppeKey(Buffer.alloc(length, 0x80), inbound, authenticator)).toBeUndefined();
    expect(revealTunnelPassword(Buffer.alloc(length + 1, 0x80), inbound, authenticator)).toBeUndefined();
  });

  it("have no verdict when the told length is more than there is, as with a wrong secret", () => {
    const hidden = hideMppeKey(text(15), 1, inbound, authenticator);
    hidden[2] = (hidden[2] as number) ^ 15 ^ 16;
    expect(revealMppeKey(hidden, inbound, authenticator)).toBeUndefined();
    hidden[2] = (hidden[2] as number) ^ 16 ^ 15;
    expect(revealMppeKey(hidden, inbound, authenticator)).toEqual(text(15));
  });
});
