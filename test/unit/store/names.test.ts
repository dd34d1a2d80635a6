import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { acctSessionKey, nasKeyOf, splitAcctSessionKey } from "../../../src/store/acct-session-key.ts";
import { callingStationKey } from "../../../src/store/calling-station.ts";
import { octetText, textOctets } from "../../../src/store/octet-text.ts";

const MAC = "00-11-22-AA-BB-CC";

describe("callingStationKey()", () => {
  it.each([
    "00-11-22-aa-bb-cc",
    "00:11:22:AA:BB:CC",
    "0011.22aa.bbcc",
    "0011-22aa-bbcc", // H3C (FIELD G53)
    "0011:22aa:bbcc",
    "001122-aabbcc",
    "001122aabbcc",
    "001122AABBCC",
    "00 11 22 aa bb cc",
    "00.11.22.aa.bb.cc",
  ])("finds one and the same station as %j", (text) => {
    expect(callingStationKey(text)).toBe(MAC);
  });

  it.each([
    ["00:11:22:aa:bb:cc:Guest", `${MAC}:Guest`],
    ["00-11-22-AA-BB-CC:Guest", `${MAC}:Guest`],
    ["0011.22aa.bbcc:Café 2:5G", `${MAC}:Café 2:5G`],
    ["001122aabbcc:", `${MAC}:`],
    ["00-11-22-AA-BB-CC:00-11-22-AA-BB-CC", `${MAC}:00-11-22-AA-BB-CC`],
  ])("keeps the SSID of %j octet by octet (FIELD G53)", (text, key) => {
    expect(callingStationKey(text)).toBe(key);
  });

  it.each([
    "",
    "+49 30 1234",
    "alice",
    "00-11-22-aa-bb",
    "00-11:22-aa-bb-cc",
    "00-11-22-aa-bb-cg",
    "0011.22aa-bbcc",
    "001122aabbccdd",
    "10.0.0.1",
    "2001:db8::1",
  ])("leaves %j as it is", (text) => {
    expect(callingStationKey(text)).toBe(text);
  });

  it("is its own key", () => {
    fc.assert(
      fc.property(fc.string(), (text) => callingStationKey(callingStationKey(text)) === callingStationKey(text)),
    );
  });

  it("takes no longer for a long name that looks like a MAC address for long", () => {
    const began = performance.now();
    for (const part of ["00-", "0", "00:11:", "0011."]) callingStationKey(part.repeat(100_000));
    expect(performance.now() - began).toBeLessThan(1_000);
  });
});

describe("nasKeyOf()", () => {
  const nas = { nasIdentifier: "edge-1", nasAddress: "192.168.88.1", peerKey: "san:dns:edge-1", shared: false };

  it.each([
    ["its NAS-Identifier", nas, "edge-1"],
    [
      "its NAS-Identifier at its peer, where configuration lets peers share it",
      { ...nas, shared: true },
      "san:dns:edge-1|edge-1",
    ],
    [
      "its address at its peer: behind NAT many have the same",
      { ...nas, nasIdentifier: undefined },
      "san:dns:edge-1|192.168.88.1",
    ],
    ["its peer", { ...nas, nasIdentifier: undefined, nasAddress: undefined }, "san:dns:edge-1|"],
  ])("is %s", (_, names, key) => {
    expect(nasKeyOf(names)).toBe(key);
  });

  it("never gives two NASes one key, whatever they call themselves", () => {
    const name = fc.oneof(fc.constantFrom("a", "b", "a|b", "|", "", "a%7cb", "%"), fc.string({ maxLength: 3 }));
    const names = fc.record({
      nasIdentifier: fc.option(name, { nil: undefined }),
      nasAddress: fc.constant(undefined),
      peerKey: name,
      shared: fc.boolean(),
    });
    const owner = (each: { nasIdentifier: string | undefined; peerKey: string; shared: boolean }) =>
      each.nasIdentifier !== undefined && !each.shared
        ? [each.nasIdentifier]
        : [each.peerKey, each.nasIdentifier ?? ""];
    fc.assert(
      fc.property(names, names, (left, right) => {
        const same = JSON.stringify(owner(left)) === JSON.stringify(owner(right));
        expect(nasKeyOf(left) === nasKeyOf(right)).toBe(same);
      }),
      { numRuns: 5_000 },
    );
  });
});

describe("acctSessionKey()", () => {
  const part = fc.oneof(fc.constantFrom("a", "a/b", "/", "#1", "a#1", "%2f", "%", ""), fc.string());

  it("gives different acct sessions different keys, and splitAcctSessionKey() takes them apart", () => {
    const named = fc.record({ nas: part, id: part, generation: fc.nat({ max: 12 }) });
    fc.assert(
      fc.property(named, named, (left, right) => {
        const keyOf = ({ nas, id, generation }: typeof left): string => {
          const nasKey = nasKeyOf({ nasIdentifier: nas, nasAddress: undefined, peerKey: "p", shared: false });
          const key = acctSessionKey(nasKey, id, generation);
          expect(splitAcctSessionKey(key)).toEqual({ base: acctSessionKey(nasKey, id, 0), generation });
          return key;
        };
        expect(keyOf(left) === keyOf(right)).toBe(JSON.stringify(left) === JSON.stringify(right));
      }),
      { numRuns: 500 },
    );
  });
});

describe("octetText()", () => {
  it.each([
    ["alice", "alice"],
    ["jürgen 👩‍👧", "jürgen 👩‍👧"],
    ["DOMAIN\\user", "DOMAIN\\user"],
    ["", ""],
    ["0xff", "0x30786666"],
    ["a\u0000b", "0x610062"],
  ])("writes %j as %j", (text, written) => {
    expect(octetText(Buffer.from(text))).toBe(written);
  });

  it("writes octets that are no UTF-8 as 0x…, and every octet string differently", () => {
    expect(octetText(Buffer.from("ff00fe", "hex"))).toBe("0xff00fe");
    expect(octetText(Buffer.from("ff00fe"))).not.toBe(octetText(Buffer.from("ff00fe", "hex")));
    fc.assert(fc.property(fc.uint8Array({ maxLength: 253 }), (octets) => textOctets(octetText(octets)).equals(octets)));
  });
});
