import { describe, expect, it } from "vitest";
import { PacketFramer } from "../../../src/radius/framing.ts";
import { encodePacket, PACKET_BYTES_MAX } from "../../../src/radius/packet.ts";

const AUTHENTICATOR = Buffer.alloc(16, 7);
const bare = encodePacket(12, 0, AUTHENTICATOR, []);
const named = encodePacket(12, 1, AUTHENTICATOR, [{ type: 32, value: Buffer.from("nas-07.example.net") }]);
const full = encodePacket(
  4,
  2,
  AUTHENTICATOR,
  Array.from({ length: 16 }, (_, index) => ({ type: 25, value: Buffer.alloc(index === 15 ? 249 : 253, index) })),
);
const stream = Buffer.concat([named, bare, named]);

function cut(chunks: readonly Buffer[], framer = new PacketFramer()): Buffer[] {
  const packets: Buffer[] = [];
  for (const chunk of chunks) framer.push(chunk, (octets) => packets.push(Buffer.from(octets)));
  return packets;
}

function inChunks(octets: Buffer, size: number): Buffer[] {
  const count = Math.ceil(octets.length / size);
  return Array.from({ length: count }, (_, index) => octets.subarray(index * size, (index + 1) * size));
}

describe("PacketFramer", () => {
  it("CON-01 yields the same packets for every chunk size", () => {
    for (let size = 1; size <= stream.length; size++) {
      expect(cut(inChunks(stream, size)), `chunks of ${size}`).toEqual([named, bare, named]);
    }
  });

  it("CON-01 yields the same packets for every cut in two and in three", () => {
    for (let first = 0; first <= stream.length; first++) {
      for (let second = first; second <= stream.length; second += 7) {
        const chunks = [stream.subarray(0, first), stream.subarray(first, second), stream.subarray(second)];
        expect(cut(chunks), `cuts at ${first} and ${second}`).toEqual([named, bare, named]);
      }
    }
  });

  it("yields several packets of one chunk as views into it", () => {
    const packets: Buffer[] = [];
    new PacketFramer().push(stream, (octets) => packets.push(octets));
    expect(packets.map((octets) => octets.buffer === stream.buffer)).toEqual([true, true, true]);
  });

  it("keeps a packet that came in pieces apart from the chunks it came in", () => {
    const framer = new PacketFramer();
    const head = Buffer.from(named.subarray(0, 9));
    const tail = Buffer.from(named.subarray(9));
    const packets: Buffer[] = [];
    framer.push(head, (octets) => packets.push(octets));
    framer.push(tail, (octets) => packets.push(octets));
    head.fill(0);
    tail.fill(0);
    expect(packets).toEqual([named]);
  });

  it.each([0, 1, 19, PACKET_BYTES_MAX + 1, 0xffff])(
    "PKT-03 CON-04 refuses Length %i from its first 4 octets",
    (length) => {
      const head = Buffer.from([1, 0, length >> 8, length & 0xff]);
      for (const size of [1, 2, 3, 4]) {
        expect(() => cut(inChunks(head, size)), `chunks of ${size}`).toThrow(
          expect.objectContaining({ code: "ERR_RADIUS_LENGTH" }),
        );
      }
    },
  );

  it.each([bare, full])("PKT-03 takes Length $length", (octets) => {
    expect(cut([octets])).toEqual([octets]);
    expect(cut(inChunks(octets, 1))).toEqual([octets]);
  });

  it("hands over the packets before a bad one", () => {
    const packets: Buffer[] = [];
    const bad = Buffer.concat([named, Buffer.from("GET / HTTP/1.1\r\n")]);
    expect(() => new PacketFramer().push(bad, (octets) => packets.push(octets))).toThrow();
    expect(packets).toEqual([named]);
  });

  it("invariant 8: refuses 10 MB without a frame at its first chunk and holds none of it", () => {
    const framer = new PacketFramer();
    expect(() => framer.push(Buffer.alloc(10_000_000, 0xff), () => expect.unreachable())).toThrow();
    expect(framer.pendingBytes).toBe(0);
  });

  it("never holds more than one packet", () => {
    const framer = new PacketFramer();
    let most = 0;
    for (const chunk of inChunks(Buffer.concat(Array.from({ length: 20 }, () => full)), 1)) {
      framer.push(chunk, () => {});
      most = Math.max(most, framer.pendingBytes);
    }
    expect(full).toHaveLength(PACKET_BYTES_MAX);
    expect(most).toBe(PACKET_BYTES_MAX - 1);
    expect(framer.pendingBytes).toBe(0);
  });

  it("copies each octet at most once, however small the chunks", () => {
    const copied = countCopies(() => cut(inChunks(full, 1), new PacketFramer()));
    // The 4 octets of the head are copied a second time, into the packet; the test itself copies the packet once.
    expect(copied).toBeLessThanOrEqual(2 * full.length + 4);
  });
});

/** Octets moved by Buffer#copy and Buffer.concat while `action` runs. */
function countCopies(action: () => void): number {
  let copied = 0;
  const restorers = [
    watch(Buffer.prototype, "copy", (octets) => (copied += octets as number)),
    watch(Buffer, "concat", (joined) => (copied += (joined as Buffer).length)),
  ];
  try {
    action();
  } finally {
    for (const restore of restorers) restore();
  }
  return copied;
}

function watch(owner: object, method: string, seen: (result: unknown) => void): () => void {
  const original = Reflect.get(owner, method) as (...args: unknown[]) => unknown;
  Reflect.set(owner, method, function watched(this: unknown, ...args: unknown[]): unknown {
    const result = original.apply(this, args);
    seen(result);
    return result;
  });
  return () => Reflect.set(owner, method, original);
}
