import { describe, expect, it } from "vitest";
import { ATTRIBUTE, type Attribute, textAttribute } from "../../../src/radius/attribute.ts";
import { SharedSecret } from "../../../src/radius/authenticator.ts";
import {
  type HidingHop,
  hideMppeKey,
  hideTunnelPassword,
  hideUserPassword,
  revealMppeKey,
  revealTunnelPassword,
  revealUserPassword,
  verifyChapPassword,
} from "../../../src/radius/hidden.ts";
import { decodePacket, ZERO_AUTHENTICATOR } from "../../../src/radius/packet.ts";
import { rehide, withChapChallenge } from "../../../src/radius/rehide.ts";

const inbound: HidingHop = { secret: new SharedSecret("xyzzy5461"), authenticator: Buffer.alloc(16, 0x11) };
const outbound: HidingHop = { secret: new SharedSecret("radsec"), authenticator: Buffer.alloc(16, 0x22) };

function valueOf(attributes: readonly Attribute[], index: number): Buffer {
  return (attributes[index] as Attribute).value;
}

function vendorSpecific(vendor: number, ...subs: readonly (readonly [type: number, value: Buffer])[]): Attribute {
  const head = Buffer.alloc(4);
  head.writeUInt32BE(vendor);
  const inner = subs.map(([type, value]) => Buffer.concat([Buffer.of(type, value.length + 2), value]));
  return { type: ATTRIBUTE.vendorSpecific, value: Buffer.concat([head, ...inner]) };
}

describe("rehide()", () => {
  it.each([1, 15, 16, 17, 128])("CRY-15 a User-Password of %i octets is the same on the next hop", (length) => {
    const password = Buffer.alloc(length, "p");
    const value = hideUserPassword(password, inbound.secret, inbound.authenticator);
    const out = rehide([{ type: ATTRIBUTE.userPassword, value }], inbound, outbound);
    expect(valueOf(out, 0)).not.toEqual(value);
    expect(valueOf(out, 0)).toHaveLength(value.length);
    expect(revealUserPassword(valueOf(out, 0), outbound.secret, outbound.authenticator)).toEqual(password);
  });

  it("CRY-15 Tunnel-Passwords keep their tags, salts and values", () => {
    const { secret, authenticator } = inbound;
    const passwords = [
      { tag: 0, password: Buffer.from("first") },
      { tag: 1, password: Buffer.alloc(200, "s") },
      { tag: 31, password: Buffer.alloc(0) },
    ];
    const attributes = passwords.map((each, index) => ({
      type: ATTRIBUTE.tunnelPassword,
      value: hideTunnelPassword(each, 0x8001 + index, secret, authenticator),
    }));
    const out = rehide(attributes, inbound, outbound);
    const revealed = out.map(({ value }) => revealTunnelPassword(value, outbound.secret, outbound.authenticator));
    expect(revealed).toEqual(passwords);
    expect(out.map(({ value }) => value.readUInt16BE(1))).toEqual([0x8001, 0x8002, 0x8003]);
  });

  it("CRY-15 both MS-MPPE keys are hidden anew, alone and together in one attribute beside what is not hidden", () => {
    const keys = [Buffer.alloc(32, 0xaa), Buffer.alloc(32, 0xbb)] as const;
    const hide = (index: 0 | 1) => hideMppeKey(keys[index], 0x8100 + index, inbound.secret, inbound.authenticator);
    const policy = Buffer.from([0, 0, 0, 1]);
    const attributes = [
      vendorSpecific(311, [16, hide(0)]),
      vendorSpecific(311, [7, policy], [17, hide(1)], [8, policy]),
    ];
    const out = rehide(attributes, inbound, outbound);
    const reveal = (value: Buffer) => revealMppeKey(value, outbound.secret, outbound.authenticator);
    expect(reveal(valueOf(out, 0).subarray(6))).toEqual(keys[0]);
    const shared = valueOf(out, 1);
    expect(shared.subarray(0, 12)).toEqual(valueOf(attributes, 1).subarray(0, 12));
    expect(reveal(shared.subarray(12, shared.length - 6))).toEqual(keys[1]);
    expect(shared.subarray(-6)).toEqual(valueOf(attributes, 1).subarray(-6));
  });

  it("CRY-15 MS-CHAP-MPPE-Keys are hidden like a User-Password", () => {
    const keys = Buffer.alloc(32, 0xcc);
    const value = hideUserPassword(keys, inbound.secret, inbound.authenticator);
    const out = rehide([vendorSpecific(311, [12, value])], inbound, outbound);
    expect(revealUserPassword(valueOf(out, 0).subarray(6), outbound.secret, outbound.authenticator)).toEqual(keys);
  });

  it("PKT-05 PKT-08 everything else keeps its octets and its place, malformed hidden values included", () => {
    const attributes: Attribute[] = [
      textAttribute(ATTRIBUTE.userName, "bob"),
      { type: ATTRIBUTE.userPassword, value: Buffer.alloc(15) },
      { type: ATTRIBUTE.tunnelPassword, value: Buffer.of(1) },
      vendorSpecific(311, [16, Buffer.alloc(3)]),
      { type: ATTRIBUTE.vendorSpecific, value: Buffer.from("000001371005", "hex") },
      { type: ATTRIBUTE.vendorSpecific, value: Buffer.from("000001371001aa", "hex") },
      { type: ATTRIBUTE.vendorSpecific, value: Buffer.from("0000013710001000", "hex") },
      { type: ATTRIBUTE.vendorSpecific, value: Buffer.of(0, 0) },
      vendorSpecific(14_988, [16, Buffer.alloc(34)]),
      { type: 200, value: Buffer.alloc(0) },
      { type: ATTRIBUTE.class, value: Buffer.from("a\0b") },
    ];
    expect(rehide(attributes, inbound, outbound)).toEqual(attributes);
  });

  it("CRY-16 serves a CoA-Request too, where the authenticator of both hops is zero", () => {
    const from = { ...inbound, authenticator: ZERO_AUTHENTICATOR };
    const to = { ...outbound, authenticator: ZERO_AUTHENTICATOR };
    const value = hideTunnelPassword({ tag: 3, password: Buffer.from("x") }, 0x9000, from.secret, ZERO_AUTHENTICATOR);
    const out = rehide([{ type: ATTRIBUTE.tunnelPassword, value }], from, to);
    expect(revealTunnelPassword(valueOf(out, 0), to.secret, ZERO_AUTHENTICATOR)).toEqual({
      tag: 3,
      password: Buffer.from("x"),
    });
  });
});

describe("withChapChallenge()", () => {
  // RFC 2865 Section 7.2, password "arctangent"; the challenge is the Request Authenticator.
  const packet = decodePacket(
    Buffer.from(
      "010100472aee86f08d0d55969ca5978e0d3367a20108666c6f707379031316e97557c316185895f293ff63440772750406c0a801100506000000140606000000020706000000" +
        "01",
      "hex",
    ),
  );

  it("UL-19 V-2865-7.2 still verifies under another Request Authenticator", () => {
    const attributes = withChapChallenge(packet.attributes, packet.authenticator);
    const onNextHop = { attributes, authenticator: outbound.authenticator };
    expect(verifyChapPassword(onNextHop, Buffer.from("arctangent"))).toBe(true);
    expect(verifyChapPassword({ ...onNextHop, attributes: packet.attributes }, Buffer.from("arctangent"))).toBe(false);
  });

  it("UL-19 adds nothing to a request that has its challenge, or no CHAP-Password", () => {
    const challenged = [...packet.attributes, { type: ATTRIBUTE.chapChallenge, value: Buffer.alloc(16, 1) }];
    expect(withChapChallenge(challenged, packet.authenticator)).toEqual(challenged);
    expect(withChapChallenge([textAttribute(ATTRIBUTE.userName, "bob")], packet.authenticator)).toHaveLength(1);
  });
});
