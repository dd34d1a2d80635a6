import { strictEqual } from "node:assert/strict";
import { HubError } from "../../src/errors.ts";
import { type Attribute, attributesLength } from "../../src/radius/attribute.ts";
import { decodePlaced, encodePlaced } from "../../src/radius/attribute-place.ts";
import { RADSEC_SECRET, verifyRequest, verifyResponse } from "../../src/radius/authenticator.ts";
import { Dictionary } from "../../src/radius/dictionary.ts";
import { parseDictionaryFile } from "../../src/radius/dictionary-file.ts";
import { PacketFramer } from "../../src/radius/framing.ts";
import {
  revealMppeKey,
  revealTunnelPassword,
  revealUserPassword,
  verifyChapPassword,
} from "../../src/radius/hidden.ts";
import { decodeDatagram, decodePacket, encodePacket, PACKET_BYTES_MAX, type Packet } from "../../src/radius/packet.ts";
import type { VendorFormat } from "../../src/radius/vendor.ts";
import type { SeededNumbers } from "./mutation.ts";

/** What one input led to, to see that the fuzzer reaches the code behind the first check. */
export interface Reached {
  packets: number;
  values: number;
  errors: number;
}

const FORMATS: readonly VendorFormat[] = ([1, 2, 4] as const).flatMap((typeBytes) =>
  ([0, 1, 2] as const).map((lengthBytes) => ({ typeBytes, lengthBytes })),
);

/** The promise of src/radius: for any octets a packet or a HubError, in bounded time and memory. Throws what breaks it. */
export function checkCodec(octets: Buffer, dictionary: Dictionary, numbers: SeededNumbers, reached: Reached): void {
  orHubError(reached, () =>
    checkStream(octets, numbers, (packet) => checkPacket(packet, dictionary, numbers, reached)),
  );
  orHubError(reached, () => checkPacket(decodeDatagram(octets), dictionary, numbers, reached));
  orHubError(reached, () => parseDictionaryFile(octets.toString("latin1"), "fuzz"));
  orHubError(reached, () => dictionary.encode(octets.toString("utf8", 0, 12), octets.toString("utf8", 12)));
}

function orHubError(reached: Reached, action: () => void): void {
  try {
    action();
  } catch (error) {
    if (!(error instanceof HubError)) throw error;
    reached.errors += 1;
  }
}

/** Cuts the octets as a link does; stops at the first HubError, as a link does. */
function checkStream(octets: Buffer, numbers: SeededNumbers, onPacket: (packet: Packet) => void): void {
  const framer = new PacketFramer();
  let yielded = 0;
  for (let offset = 0; offset < octets.length; ) {
    const size = 1 + numbers.below(numbers.pick([1, 4, 100, 5000]));
    const chunk = octets.subarray(offset, offset + size);
    framer.push(chunk, (wire) => {
      yielded += wire.length;
      onPacket(decodePacket(wire));
    });
    offset += chunk.length;
    strictEqual(framer.pendingBytes < PACKET_BYTES_MAX, true, "the framer holds less than one packet");
    strictEqual(yielded + framer.pendingBytes, offset, "no octet is lost or invented");
  }
}

function checkPacket(packet: Packet, dictionary: Dictionary, numbers: SeededNumbers, reached: Reached): void {
  const { code, identifier, authenticator, attributes, octets } = packet;
  reached.packets += 1;
  strictEqual(encodePacket(code, identifier, authenticator, attributes).equals(octets), true, "encodes to the same");
  const decoded = dictionary.decode(attributes);
  reached.values += decoded.length;
  // A value takes two octets at least, and the forms of all values together a few times the octets of the packet.
  strictEqual(decoded.length * 2 <= octets.length, true, "no more values than octets allow");
  const shownLength = decoded.reduce((sum, { value, raw }) => sum + String(value).length + raw.length, 0);
  strictEqual(shownLength <= 64 * octets.length, true, "values of bounded size");
  for (const attribute of attributes) checkAttribute(attribute, authenticator, dictionary);
  checkEnvelopes(attributes, numbers.pick(FORMATS));
  verifyRequest(packet, RADSEC_SECRET);
  verifyResponse(packet, authenticator, RADSEC_SECRET);
  verifyChapPassword(packet, octets);
}

function checkAttribute(attribute: Attribute, authenticator: Buffer, dictionary: Dictionary): void {
  dictionary.attributeName(attribute);
  revealUserPassword(attribute.value, RADSEC_SECRET, authenticator);
  revealTunnelPassword(attribute.value, RADSEC_SECRET, authenticator);
  revealMppeKey(attribute.value, RADSEC_SECRET, authenticator);
}

/** Values taken out of their envelopes can be put back, whatever format the vendor has. */
function checkEnvelopes(attributes: readonly Attribute[], format: VendorFormat): void {
  const formatOf = () => format;
  const placed = decodePlaced(attributes, formatOf);
  strictEqual(
    placed.reduce((sum, { value }) => sum + value.length, 0) <= attributesLength(attributes),
    true,
    "only views",
  );
  const again = placed
    .filter(({ place, value }) => value.length > 0 && (place.vendor !== undefined || place.extendedType !== undefined))
    .flatMap((each) => encodePlaced(each, formatOf));
  const values = decodePlaced(again, formatOf).map(({ value }) => value.toString("hex"));
  const expected = placed
    .filter(({ place, value }) => value.length > 0 && (place.vendor !== undefined || place.extendedType !== undefined))
    .map(({ value }) => value.toString("hex"));
  strictEqual(values.join(), expected.join(), "values survive their envelope");
}
