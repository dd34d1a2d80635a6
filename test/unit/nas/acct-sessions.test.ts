import { describe, expect, it } from "vitest";
import { ACCT_SESSION_ATTRIBUTES_MAX, AcctSessions } from "../../../src/nas/acct-sessions.ts";
import { ATTRIBUTE, attribute, firstInteger, integerAttribute, textAttribute } from "../../../src/radius/attribute.ts";

function withAliceAndBob() {
  const sessions = new AcctSessions();
  const alice = sessions.add(
    { username: "alice", acctSessionId: "a1", callingStationId: "02-00", framedIp: "10.0.0.7" },
    0,
  );
  const alicesPhone = sessions.add({ username: "alice", acctSessionId: "a2" }, 0);
  const bob = sessions.add({ username: "bob", acctSessionId: "b1" }, 0);
  return { sessions, alice, alicesPhone, bob };
}

const user = (name: string) => textAttribute(ATTRIBUTE.userName, name);
const acctSessionId = (text: string) => textAttribute(ATTRIBUTE.acctSessionId, text);
const vendor = (vendorId: number, vendorType: number, value: string) => {
  const head = Buffer.alloc(6);
  head.writeUInt32BE(vendorId);
  head[4] = vendorType;
  head[5] = 2 + value.length;
  return attribute(ATTRIBUTE.vendorSpecific, Buffer.concat([head, Buffer.from(value)]));
};

describe("AcctSessions", () => {
  it("match() wants every attribute to fit (RFC 5176 Section 3)", () => {
    const { sessions, alice, alicesPhone, bob } = withAliceAndBob();
    const framedIp = attribute(ATTRIBUTE.framedIpAddress, Buffer.of(10, 0, 0, 7));
    expect(sessions.match([user("alice")])).toEqual([alice, alicesPhone]);
    expect(sessions.match([user("alice"), acctSessionId("a2")])).toEqual([alicesPhone]);
    expect(sessions.match([user("alice"), framedIp])).toEqual([alice]);
    expect(sessions.match([user("alice"), acctSessionId("b1")])).toEqual([]);
    expect(sessions.match([user("bob"), framedIp])).toEqual([]);
    expect(sessions.match([])).toEqual([alice, alicesPhone, bob]);
  });

  it("match() compares octets: no case folding, no trimming", () => {
    const { sessions } = withAliceAndBob();
    for (const name of ["Alice", "alice ", "alic"]) expect(sessions.match([user(name)]), name).toEqual([]);
    expect(sessions.match([attribute(ATTRIBUTE.acctSessionId, Buffer.of(0xff))])).toEqual([]);
  });

  it("add() refuses an Acct-Session-Id that is taken, and what is no address", () => {
    const { sessions } = withAliceAndBob();
    const refused = expect.objectContaining({ code: "ERR_INPUT" });
    expect(() => sessions.add({ username: "eve", acctSessionId: "a1" }, 0)).toThrow(refused);
    expect(() => sessions.add({ username: "eve", acctSessionId: "e1", framedIp: "10.1" }, 0)).toThrow(refused);
    expect(sessions.size).toBe(3);
  });

  it("end() makes the Acct-Session-Id free again", () => {
    const { sessions, alice } = withAliceAndBob();
    expect(sessions.end(alice)).toBe(true);
    expect(sessions.end(alice)).toBe(false);
    expect(sessions.byAcctSessionId("a1")).toBeUndefined();
    sessions.add({ username: "carol", acctSessionId: "a1" }, 0);
  });

  it("change() replaces attributes of the same kind only; vendor attributes by vendor and vendor type", () => {
    const { sessions, bob } = withAliceAndBob();
    const first = sessions.change(bob, [integerAttribute(27, 600), vendor(14_988, 8, "1M"), vendor(14_988, 19, "x")]);
    const second = sessions.change(first as typeof bob, [integerAttribute(27, 900), vendor(14_988, 8, "2M")]);
    const values = second?.attributes.filter(({ type }) => type === 26).map(({ value }) => value.toString("latin1", 6));
    expect(values).toEqual(["x", "2M"]);
    expect(firstInteger(second?.attributes ?? [], 27)).toBe(900);
    expect(sessions.byAcctSessionId("b1")).toBe(second);
    expect(sessions.match([user("bob")])).toEqual([second]);
  });

  it("change() copies, so that a packet is not kept alive and not written through", () => {
    const { sessions, bob } = withAliceAndBob();
    const octets = Buffer.from("1M");
    const changed = sessions.change(bob, [attribute(11, octets)]);
    octets.fill(0);
    expect(changed?.attributes.at(-1)?.value.toString()).toBe("1M");
  });

  it("change() refuses what would outgrow the bound, and changes nothing", () => {
    const { sessions, bob } = withAliceAndBob();
    const many = Array.from({ length: ACCT_SESSION_ATTRIBUTES_MAX - 1 }, (_, index) => vendor(index, 1, "x"));
    expect(sessions.change(bob, many)).toBeUndefined();
    expect(sessions.byAcctSessionId("b1")).toBe(bob);
    expect(sessions.change(bob, many.slice(1))?.attributes).toHaveLength(ACCT_SESSION_ATTRIBUTES_MAX);
  });
});
