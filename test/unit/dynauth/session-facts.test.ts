import { describe, expect, it } from "vitest";
import { contradicts } from "../../../src/dynauth/session-facts.ts";
import {
  ATTRIBUTE,
  type Attribute,
  attribute,
  integerAttribute,
  textAttribute,
} from "../../../src/radius/attribute.ts";
import type { AcctSession } from "../../../src/store/acct-session.ts";

const octets = (type: number, hex: string): Attribute => attribute(type, Buffer.from(hex, "hex"));

/** What a router told of an acct session. */
const RECORDED = {
  username: "nemo",
  usernames: 1,
  facts: {
    callingStationId: "0011.22aa.bbcc",
    calledStationId: "00-1B-63-84-45-E6:Guest",
    framedIp: "10.0.0.7",
    framedIpv6Address: "2001:db8::7",
    framedIpv6Prefix: "2001:db8:a::/64",
    delegatedIpv6Prefix: "2001:db8:b:100::/56",
    framedInterfaceId: "0000000000000007",
    nasPort: 7,
    nasPortId: "wlan1",
    multiSessionId: "m1",
    chargeableUserIdentity: "0x0102",
    operatorName: "1Visited.example",
  },
} as Partial<AcctSession> as AcctSession;

interface Row {
  readonly what: string;
  readonly same: readonly Attribute[];
  readonly other: Attribute;
}

const ROWS: readonly Row[] = [
  {
    what: "User-Name",
    same: [textAttribute(ATTRIBUTE.userName, "nemo")],
    other: textAttribute(ATTRIBUTE.userName, "Nemo"),
  },
  {
    what: "Calling-Station-Id",
    same: ["00-11-22-AA-BB-CC", "00:11:22:aa:bb:cc"].map((text) => textAttribute(ATTRIBUTE.callingStationId, text)),
    other: textAttribute(ATTRIBUTE.callingStationId, "00-11-22-AA-BB-CD"),
  },
  {
    what: "Called-Station-Id",
    same: [textAttribute(ATTRIBUTE.calledStationId, "001b.6384.45e6:Guest")],
    other: textAttribute(ATTRIBUTE.calledStationId, "00-1B-63-84-45-E6:guest"),
  },
  {
    what: "Framed-IP-Address",
    same: [octets(ATTRIBUTE.framedIpAddress, "0a000007")],
    other: octets(ATTRIBUTE.framedIpAddress, "0a000008"),
  },
  {
    what: "Framed-IPv6-Address",
    same: [octets(ATTRIBUTE.framedIpv6Address, "20010db8000000000000000000000007")],
    other: octets(ATTRIBUTE.framedIpv6Address, "20010db8000000000000000000000008"),
  },
  {
    what: "Framed-IPv6-Prefix",
    same: ["004020010db8000a0000", "004020010db8000a"].map((hex) => octets(ATTRIBUTE.framedIpv6Prefix, hex)),
    other: octets(ATTRIBUTE.framedIpv6Prefix, "003f20010db8000a0000"),
  },
  {
    what: "Delegated-IPv6-Prefix",
    same: [octets(ATTRIBUTE.delegatedIpv6Prefix, "003820010db8000b0100")],
    other: octets(ATTRIBUTE.delegatedIpv6Prefix, "003820010db8000b0200"),
  },
  {
    what: "Framed-Interface-Id",
    same: [octets(ATTRIBUTE.framedInterfaceId, "0000000000000007")],
    other: octets(ATTRIBUTE.framedInterfaceId, "0000000000000008"),
  },
  { what: "NAS-Port", same: [integerAttribute(ATTRIBUTE.nasPort, 7)], other: integerAttribute(ATTRIBUTE.nasPort, 8) },
  {
    what: "NAS-Port-Id",
    same: [textAttribute(ATTRIBUTE.nasPortId, "wlan1")],
    other: textAttribute(ATTRIBUTE.nasPortId, "wlan2"),
  },
  {
    what: "Acct-Multi-Session-Id",
    same: [textAttribute(ATTRIBUTE.acctMultiSessionId, "m1")],
    other: textAttribute(ATTRIBUTE.acctMultiSessionId, "m2"),
  },
  {
    what: "Chargeable-User-Identity",
    same: [octets(ATTRIBUTE.chargeableUserIdentity, "0102")],
    other: octets(ATTRIBUTE.chargeableUserIdentity, "0103"),
  },
  {
    what: "Operator-Name",
    same: [textAttribute(ATTRIBUTE.operatorName, "1visited.EXAMPLE")],
    other: textAttribute(ATTRIBUTE.operatorName, "1else.example"),
  },
];

describe("contradicts()", () => {
  it.each(ROWS)("DP-30 $what that is another, and none that is the same", ({ same, other }) => {
    for (const each of same) expect(contradicts([each], RECORDED)).toBe(false);
    expect(contradicts([other], RECORDED)).toBe(true);
    const others = ROWS.flatMap((row) => row.same);
    expect(contradicts([...others.filter(({ type }) => type !== other.type), other], RECORDED)).toBe(true);
  });

  it.each(ROWS)("DP-30 $what that is not on record says nothing, nor does an empty one", ({ other }) => {
    const unknown = { username: undefined, usernames: 0, facts: {} } as Partial<AcctSession> as AcctSession;
    expect(contradicts([other], unknown)).toBe(false);
    expect(contradicts([{ type: other.type, value: Buffer.alloc(0) }], RECORDED)).toBe(false);
  });

  it("DP-30 what fits in everything is no contradiction, nor is what is not compared", () => {
    const all = ROWS.flatMap(({ same }) => same.slice(0, 1));
    expect(contradicts([...all, textAttribute(ATTRIBUTE.class, "x"), integerAttribute(27, 60)], RECORDED)).toBe(false);
    expect(contradicts([], RECORDED)).toBe(false);
  });

  it("PKT-07 a value of the wrong size is no attribute", () => {
    const short = [
      ATTRIBUTE.framedIpAddress,
      ATTRIBUTE.framedIpv6Address,
      ATTRIBUTE.nasPort,
      ATTRIBUTE.framedIpv6Prefix,
    ];
    expect(
      contradicts(
        short.map((type) => octets(type, "0a")),
        RECORDED,
      ),
    ).toBe(false);
  });

  it("DP-30 a User-Name that has changed once says nothing: the NAS may go by the one before", () => {
    const renamed = { ...RECORDED, usernames: 2 };
    expect(contradicts([textAttribute(ATTRIBUTE.userName, "before")], renamed)).toBe(false);
  });
});
