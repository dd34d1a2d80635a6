import { join } from "node:path";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { Attribute } from "../../../src/radius/attribute.ts";
import { attributesLength } from "../../../src/radius/attribute.ts";
import { decodePlaced, encodePlaced, type PlacedValue } from "../../../src/radius/attribute-place.ts";
import {
  encodeRequest,
  encodeResponse,
  SharedSecret,
  verifyRequest,
  verifyResponse,
} from "../../../src/radius/authenticator.ts";
import { Dictionary } from "../../../src/radius/dictionary.ts";
import { PacketFramer } from "../../../src/radius/framing.ts";
import { decodePacket, encodePacket, PACKET_BYTES_MAX } from "../../../src/radius/packet.ts";
import { type DataType, VALUE_CODECS } from "../../../src/radius/values.ts";
import { VENDOR_FORMAT_DEFAULT } from "../../../src/radius/vendor.ts";

const dictionary = Dictionary.load(join(import.meta.dirname, "../../../config/dictionaries"));
const formatOf = () => VENDOR_FORMAT_DEFAULT;

const octets = (minLength: number, maxLength: number) =>
  fc.uint8Array({ minLength, maxLength }).map((array) => Buffer.from(array));
const authenticators = octets(16, 16);
const types = fc.integer({ min: 1, max: 255 });
const attributes: fc.Arbitrary<Attribute> = fc.record({ type: types, value: octets(0, 253) });
/** Lists that fit into a packet, beside its header and a Message-Authenticator. */
const lists = fc.array(attributes, { maxLength: 40 }).filter((list) => attributesLength(list) <= PACKET_BYTES_MAX - 38);
/** Lists without those that a packet has at most once. */
const ordinaryLists = lists.map((list) => list.filter(({ type }) => ![6, 24, 55, 80].includes(type)));
const identifiers = fc.integer({ min: 0, max: 255 });
const secrets = octets(1, 64).map((secret) => new SharedSecret(secret));

const plainPlaces = types
  .filter((type) => type !== 26 && (type < 241 || type > 246))
  .map((type) => ({ place: { type }, max: 253 }));
const vendorPlaces = fc
  .record({ type: fc.constant(26), vendor: fc.nat(0xffff_ffff), vendorType: fc.nat(255) })
  .map((place) => ({ place, max: 247 }));
const extendedPlaces = fc
  .record({ type: fc.integer({ min: 241, max: 246 }), extendedType: fc.nat(255).filter((type) => type !== 26) })
  .map((place) => ({ place, max: place.type < 245 ? 252 : 1500 }));
const extendedVendorPlaces = fc
  .record({
    type: fc.integer({ min: 241, max: 246 }),
    extendedType: fc.constant(26),
    vendor: fc.nat(0xffff_ffff),
    vendorType: fc.nat(255),
  })
  .map((place) => ({ place, max: place.type < 245 ? 247 : 1500 }));
const placedValues: fc.Arbitrary<PlacedValue> = fc
  .oneof(plainPlaces, vendorPlaces, extendedPlaces, extendedVendorPlaces)
  .chain(({ place, max }) => fc.record({ place: fc.constant(place), value: octets(1, max) }));

describe("decode(encode(x)) = x", () => {
  it("for packets, and the octets are the same when encoded again", () => {
    fc.assert(
      fc.property(types, identifiers, authenticators, lists, (code, identifier, authenticator, list) => {
        const wire = encodePacket(code, identifier, authenticator, list);
        const packet = decodePacket(wire);
        expect(packet).toMatchObject({ code, identifier, authenticator, attributes: list });
        expect(encodePacket(packet.code, packet.identifier, packet.authenticator, packet.attributes)).toEqual(wire);
      }),
    );
  });

  it("for a stream of packets in chunks of any size", () => {
    const wires = fc.array(
      fc.tuple(types, lists).map(([code, list]) => encodePacket(code, 1, Buffer.alloc(16), list)),
      { maxLength: 5 },
    );
    fc.assert(
      fc.property(
        wires,
        fc.array(fc.integer({ min: 1, max: 3000 }), { minLength: 1, maxLength: 20 }),
        (sent, sizes) => {
          const stream = Buffer.concat(sent);
          const framer = new PacketFramer();
          const received: Buffer[] = [];
          for (let offset = 0, turn = 0; offset < stream.length; turn++) {
            const size = sizes[turn % sizes.length] as number;
            framer.push(stream.subarray(offset, offset + size), (wire) => received.push(Buffer.from(wire)));
            offset += size;
          }
          expect(received).toEqual(sent);
          expect(framer.pendingBytes).toBe(0);
        },
      ),
    );
  });

  it("PKT-10 PKT-12 for values in every kind of place", () => {
    fc.assert(
      fc.property(fc.array(placedValues, { maxLength: 6 }), (values) => {
        const list = values.flatMap((each) => encodePlaced(each, formatOf));
        expect(decodePlaced(list, formatOf)).toEqual(values);
      }),
    );
  });

  it("for the text of every data type", () => {
    const samples: Record<Exclude<DataType, "text" | "octets">, number> = {
      integer: 4,
      signed: 4,
      short: 2,
      byte: 1,
      integer64: 8,
      date: 4,
      ipaddr: 4,
      ipv4prefix: 6,
      ipv6addr: 16,
      ipv6prefix: 18,
      ifid: 8,
      ether: 6,
    };
    for (const [dataType, length] of Object.entries(samples)) {
      const codec = VALUE_CODECS[dataType as DataType];
      fc.assert(
        fc.property(octets(length, length), (value) => {
          const shown = codec.decode(value);
          if (shown === undefined) return; // a prefix with bits beyond its length
          const again = codec.decode(codec.encode(shown) as Buffer);
          expect(again, dataType).toBe(shown);
        }),
      );
    }
    fc.assert(
      fc.property(fc.string({ unit: "binary", minLength: 1 }), (text) => {
        const wire = VALUE_CODECS.text.encode(text) as Buffer;
        expect(VALUE_CODECS.text.decode(wire)).toBe(wire.toString("utf8"));
      }),
    );
  });
});

describe("properties of signed packets", () => {
  it("CRY-01 CRY-02 CRY-05..CRY-10 what is signed verifies, with any attributes and any secret", () => {
    const requests = fc.constantFrom(1, 4, 12, 40, 43);
    const replies = fc.constantFrom(2, 3, 5, 11, 41, 42, 44, 45, 52);
    fc.assert(
      fc.property(requests, replies, authenticators, ordinaryLists, secrets, (code, reply, seed, list, secret) => {
        const request = decodePacket(encodeRequest(code, 1, list, seed, secret));
        expect(verifyRequest(request, secret)).toBe("ok");
        const response = decodePacket(encodeResponse(request, reply, list, secret));
        expect(verifyResponse(response, request.authenticator, secret)).toBe("ok");
      }),
    );
  });
});

describe("Dictionary.decode()", () => {
  it("PKT-07 PKT-08 never throws and loses no octets, whatever the attributes", () => {
    fc.assert(
      fc.property(lists, (list) => {
        const decoded = dictionary.decode(list);
        expect(JSON.stringify(decoded)).toBeTypeOf("string");
        for (const attribute of list) dictionary.attributeName(attribute);
      }),
    );
  });

  it("yields values that Dictionary.encode() takes back to the same octets", () => {
    const readable = [...dictionary.definitions()].filter(({ hidden, secret }) => !hidden && !secret);
    fc.assert(
      fc.property(fc.constantFrom(...readable), octets(1, 100), ({ place, dataType, name }, value) => {
        const list = encodePlaced({ place, value }, formatOf);
        const [decoded] = dictionary.decode(list);
        if (decoded === undefined || decoded.name !== name || isHex(decoded.value, dataType)) return;
        if (dataType === "ipv6prefix" || dataType === "ipv4prefix" || decoded.value === "") return;
        const tagged = decoded.tag === undefined ? name : `${name}:${decoded.tag}`;
        expect(dictionary.encode(tagged, decoded.value)).toEqual(list);
      }),
    );
  });
});

/** Whether a value is shown in hex although its type has a form of its own: then only octets lead back. */
function isHex(value: string | number, dataType: DataType): boolean {
  return dataType !== "octets" && typeof value === "string" && value.startsWith("0x");
}
