import { describe, expect, it } from "vitest";
import { type Attribute, textAttribute } from "../../../src/radius/attribute.ts";
import { RADSEC_SECRET } from "../../../src/radius/authenticator.ts";
import { encodeExtended } from "../../../src/radius/extended.ts";
import { hideTunnelPassword, revealTunnelPassword } from "../../../src/radius/hidden.ts";
import { encodeVendorSpecific } from "../../../src/radius/vendor.ts";
import type { ClientEntry } from "../../../src/transport/client-entry.ts";
import type { Link } from "../../../src/transport/link.ts";
import { clientEntry } from "../../support/client-entries.ts";
import {
  DAC,
  DAC_SECRET,
  MARK,
  NAS,
  OPERATOR,
  OPERATOR_NAS,
  reaching,
  STATES,
  trigger,
  USER,
  WIDE,
} from "./trigger-situation.ts";

function link(changes: Partial<Link> = {}, client: Partial<ClientEntry> = {}): Link {
  return { linkId: "l-1", kind: "tls", address: "192.0.2.1", client: clientEntry(client), ...changes } as Link;
}

describe("Triggers: what is passed on", () => {
  const odd: Attribute[] = [
    textAttribute(25, "class"),
    { type: 200, value: Buffer.from([1]) },
    textAttribute(24, "state"),
    { type: 26, value: Buffer.from([1, 2]) },
  ];
  const everything = [USER, OPERATOR, ...odd, OPERATOR_NAS, NAS, ...STATES];

  it("DP-18 DP-25 PKT-05 to a NAS: octets and order are kept, unknown attributes too", async () => {
    const { asked } = await trigger({ attributes: everything });
    const sent = asked?.rewrite?.(asked.attributes, link());
    expect(sent).toEqual([USER, ...odd, NAS]);
    expect(asked?.proxied).toBe(true);
  });

  it("DP-15 DP-24 a NAS gets no Operator attributes and no Proxy-State", async () => {
    const { asked } = await trigger({ attributes: everything });
    const types = asked?.rewrite?.(asked.attributes, link()).map(({ type }) => type);
    expect(types).not.toContain(33);
    expect(types).not.toContain(126);
    expect(types).not.toContain(241);
  });

  it.each(["proxy", "hub"] as const)(
    "DP-17 DP-23 a %s gets Operator attributes and Proxy-States unchanged, our mark behind them",
    async (role) => {
      const { asked } = await trigger({ attributes: everything });
      expect(asked?.rewrite?.(asked.attributes, link({}, { role }))).toEqual([...everything, MARK.attribute]);
    },
  );

  it("CRY-15 CRY-16 what a CoA hides is hidden anew for the secret of the link", async () => {
    const zero = Buffer.alloc(16);
    const value = hideTunnelPassword({ tag: 1, password: Buffer.from("quarantine") }, 0x8001, DAC_SECRET, zero);
    const { asked } = await trigger({ code: 43, attributes: [USER, NAS, { type: 69, value }] });
    const sent = asked?.rewrite?.(asked.attributes, link()).find(({ type }) => type === 69);
    expect(revealTunnelPassword(sent?.value ?? zero, RADSEC_SECRET, zero)?.password.toString()).toBe("quarantine");
  });

  it("the Message-Authenticator of the DAC's hop is not passed on (DP-26)", async () => {
    const { asked } = await trigger({});
    expect(asked?.attributes.map(({ type }) => type)).toEqual([1, 32]);
  });

  it("filters remove and select attributes by place, and never the Proxy-States", async () => {
    const remove = await trigger({
      attributes: everything,
      client: clientEntry({ ...DAC, filter: { remove: [{ type: 25 }, { type: 200 }] } }),
    });
    expect(remove.asked?.attributes.map(({ type }) => type)).toEqual([1, 126, 24, 26, 241, 32, 33, 33, 33]);
    const select = await trigger({
      attributes: everything,
      client: clientEntry({ ...DAC, filter: { select: [{ type: 1 }, { type: 32 }] } }),
    });
    expect(select.asked?.attributes.map(({ type }) => type)).toEqual([1, 32, 33, 33, 33]);
  });

  it("filters read a vendor's attributes in its own format, and take a value in fragments as a whole", async () => {
    const wide = (type: number) =>
      encodeVendorSpecific(
        { vendor: WIDE, subAttributes: [{ type, value: Buffer.from("x") }] },
        { typeBytes: 2, lengthBytes: 2 },
      );
    const long = encodeExtended(245, 9, Buffer.alloc(600));
    const attributes = [USER, NAS, wide(258), ...long, wide(259), textAttribute(25, "class")];
    const asked = async (filter: ClientEntry["filter"]) =>
      (await trigger({ attributes, client: clientEntry({ ...DAC, filter }) })).asked?.attributes;
    const places = [
      { type: 26, vendor: WIDE, vendorType: 258 },
      { type: 245, extendedType: 9 },
    ];
    expect(long).toHaveLength(3);
    expect(await asked({ remove: places })).toEqual([USER, NAS, wide(259), textAttribute(25, "class")]);
    expect(await asked({ select: places })).toEqual([wide(258), ...long]);
  });

  it("DP-31 it never goes back to the link or the address it came from", async () => {
    const { asked } = await trigger({});
    expect(asked?.refuses?.(link({ kind: "udp", address: "192.0.2.9" }), {})).toBe(true);
    expect(asked?.refuses?.(link({ kind: "udp", address: "192.0.2.10" }), {})).toBe(false);
    expect(asked?.refuses?.(link({ kind: "tls", address: "192.0.2.9" }), {})).toBe(false);
    const overTls = await trigger({ link: link() });
    expect(overTls.asked?.refuses?.(link(), {})).toBe(true);
    expect(overTls.asked?.refuses?.(link({ linkId: "l-2" }), {})).toBe(false);
  });

  it("it goes to links of the kinds that it may go to, and to no other", async () => {
    const { asked } = await trigger({ kinds: new Set(["udp"]) });
    expect(asked?.refuses?.(link(), {})).toBe(true);
    expect(asked?.refuses?.(link({ kind: "udp" }), {})).toBe(false);
  });

  it("an empty NAS-Identifier names no NAS", async () => {
    const attributes = [USER, { type: 32, value: Buffer.alloc(0) }, { type: 4, value: Buffer.of(10, 0, 0, 7) }];
    expect((await trigger({ attributes })).asked?.target).toEqual({ nasAddress: "10.0.0.7" });
  });

  it("DP-18 of a vendor attribute with two values one of which is not selected nothing is passed on", async () => {
    const both = { type: 26, value: Buffer.from("00000009010361020362", "hex") };
    const client = clientEntry({ ...DAC, filter: { select: [{ type: 26, vendor: 9, vendorType: 1 }] } });
    expect((await trigger({ attributes: [NAS, both], client })).asked?.attributes).not.toContainEqual(both);
  });

  it("CRY-12 CHAP goes on with the challenge that the Authenticator of the DAC was", async () => {
    const chap = { type: 3, value: Buffer.alloc(17, 5) };
    const { asked } = await trigger({ code: 1, attributes: [USER, NAS, chap] });
    const sent = asked?.perLink?.(link()).rewrite?.(asked.attributes, link());
    expect(sent?.filter(({ type }) => type === 60)).toEqual([{ type: 60, value: Buffer.alloc(16) }]);
  });

  it.each([
    [["nas-07"], false],
    [["nas-*"], false],
    [["10.0.0.7"], false],
    [["nas-08", "other*"], true],
  ])("DP-09 reach.nas %j: refused %s", async (nas, refused) => {
    const { asked } = await trigger({ client: reaching({ nas }) });
    expect(asked?.refuses?.(link(), { nasIdentifier: "what it says" })).toBe(refused);
  });

  it.each([
    [false, false],
    [true, true],
  ])("DP-09 reach.nas by the address of a link over UDP, fallback %s: refused %s", async (fallback, refused) => {
    const { asked } = await trigger({ client: reaching({ nas: ["192.0.2.33"] }) });
    const there = { ...link(), kind: "udp", fallback, address: "192.0.2.33" } as Link;
    expect(asked?.refuses?.(there, {})).toBe(refused);
  });

  it.each([
    [{ nasIdentifier: "nas-07" }, false],
    [{ nasIdentifier: "nas-08" }, true],
    // The name is what a hub below goes by first.
    [{ nasIdentifier: "nas-08", nasAddress: "10.0.0.7" }, true],
    [{ nasAddress: "10.0.0.7" }, false],
    [{ nasAddress: "10.0.0.8" }, true],
    [{}, true],
  ])(
    "DP-09 IDX-09 behind a hub, that has proven nas-07 and many more, the NAS %j is meant: refused %s",
    async (nas, refused) => {
      const { asked } = await trigger({ client: reaching({ nas: ["nas-07", "10.0.0.7"] }) });
      expect(asked?.refuses?.(link({}, { role: "hub" }), nas)).toBe(refused);
    },
  );
});
