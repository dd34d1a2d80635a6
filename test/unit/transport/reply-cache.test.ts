import { describe, expect, it } from "vitest";
import { decodePacket, encodePacket } from "../../../src/radius/packet.ts";
import { isSameRequest, ReplyCache } from "../../../src/transport/reply-cache.ts";
import { TimingWheel } from "../../../src/transport/timing-wheel.ts";
import { ManualClock } from "../../support/manual-clock.ts";

const KEEP_MS = 30_000;

function start() {
  const clock = new ManualClock();
  const wheel = new TimingWheel(clock);
  const cache = new ReplyCache<string>({ clock, wheel }, { keepMs: KEEP_MS, entriesMax: 4 });
  const packet = decodePacket(encodePacket(4, 1, Buffer.alloc(16), []));
  const answered = (key: number): void => {
    const known = cache.begin(key, packet, "work");
    if (known !== undefined) cache.answer(known, Buffer.alloc(20));
  };
  return { clock, cache, packet, answered };
}

describe("ReplyCache", () => {
  it.each([0, 15])("UL-08 takes an Authenticator that differs in octet %i alone for another request", (octet) => {
    const { cache, packet } = start();
    const known = cache.begin(1, packet, "work");
    const other = Buffer.from(packet.octets);
    other[4 + octet] = 1;
    expect(known && isSameRequest(known, packet)).toBe(true);
    expect(known && isSameRequest(known, decodePacket(other))).toBe(false);
  });

  it("CON-12 forgets each response when its time is over although nothing comes, and then has no timer", () => {
    const { clock, cache, answered } = start();
    answered(1);
    clock.advance(KEEP_MS / 2);
    answered(2);
    clock.advance(KEEP_MS / 2 - 1_000);
    expect(cache.size).toBe(2);
    clock.advance(2_000);
    expect(cache.size).toBe(1);
    clock.advance(KEEP_MS / 2);
    expect([cache.size, clock.waiting]).toEqual([0, 0]);
  });

  it("keeps a request in progress for as long as it takes", () => {
    const { clock, cache, packet, answered } = start();
    cache.begin(1, packet, "slow");
    answered(2);
    clock.advance(10 * KEEP_MS);
    expect(cache.size).toBe(1);
    expect(cache.find(1)?.work).toBe("slow");
  });

  it("UL-08 a new request under the key of an answered one keeps its place when the old response is due, or pushed out", () => {
    const { clock, cache, packet, answered } = start();
    answered(1);
    const again = cache.begin(1, packet, "again");
    expect(again !== undefined && cache.holds(again)).toBe(true);
    clock.advance(2 * KEEP_MS);
    expect(cache.find(1)).toBe(again);
    for (const key of [2, 3, 4, 5, 6]) answered(key);
    expect(cache.find(1)).toBe(again);
    expect([cache.size, cache.pushedOut]).toEqual([4, 2]);
  });
});
