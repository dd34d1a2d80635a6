import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { HubError } from "../../../src/errors.ts";
import { ATTRIBUTE, type Attribute, firstValue } from "../../../src/radius/attribute.ts";
import {
  type SharedSecret,
  signRequest,
  signResponse,
  type Verdict,
  verifyRequest,
  verifyResponse,
} from "../../../src/radius/authenticator.ts";
import { CODE, codeName, hasComputedAuthenticator } from "../../../src/radius/codes.ts";
import { Dictionary } from "../../../src/radius/dictionary.ts";
import { PacketFramer } from "../../../src/radius/framing.ts";
import { hideUserPassword, revealUserPassword, verifyChapPassword } from "../../../src/radius/hidden.ts";
import { decodePacket, encodePacket, type Packet } from "../../../src/radius/packet.ts";
import { readVectors, type Vector } from "../../vectors/read-vectors.ts";

const dictionary = Dictionary.load(join(import.meta.dirname, "../../../config/dictionaries"));
const vectors = readVectors();
const packets = vectors.filter((vector) => vector.code !== undefined);
const signed = packets.filter((vector) => vector.secret !== undefined);

function verify(vector: Vector, packet: Packet): Verdict {
  const secret = vector.secret as SharedSecret;
  if (vector.answers === undefined) return verifyRequest(packet, secret);
  return verifyResponse(packet, vector.answers.octets.subarray(4, 20), secret);
}

function shown(attributes: readonly Attribute[]): string[] {
  return dictionary.decode(attributes).map(({ name, value }) => `${name} = ${value}`);
}

function decodeOne(octets: Buffer): Attribute {
  return { type: octets[0] as number, value: octets.subarray(2, octets[1]) };
}

describe("golden vectors of CONFORMANCE section 17", () => {
  it("are all there", () => {
    const computed = Array.from({ length: 21 }, (_, index) => `C${index + 1}`);
    const names = vectors.map(({ name }) => name);
    expect(names).toEqual(expect.arrayContaining([...computed, "N1", "N2", "N3", "V-5176-2", "V-2865-7.3-reject"]));
    expect(names.filter((name) => name.startsWith("V-2865"))).toHaveLength(9);
    expect(names.filter((name) => name.startsWith("V-5997"))).toHaveLength(7);
  });

  it.each(packets)("decodePacket() and Dictionary.decode() read $name ($source)", (vector) => {
    const packet = decodePacket(vector.octets);
    expect(codeName(packet.code)).toBe(vector.code);
    expect(shown(packet.attributes)).toEqual(vector.values);
    expect(encodePacket(packet.code, packet.identifier, packet.authenticator, packet.attributes)).toEqual(
      vector.octets,
    );
  });

  it.each(signed)("CRY-01..CRY-10 $name is $verdict ($source)", (vector) => {
    expect(verify(vector, decodePacket(vector.octets))).toBe(vector.verdict);
  });

  it.each(vectors.filter(({ error }) => error !== undefined))("decodePacket() refuses $name with $error", (vector) => {
    expect(() => decodePacket(vector.octets)).toThrow(expect.objectContaining({ code: vector.error }));
  });

  it.each(vectors.filter(({ code, error }) => code === undefined && error === undefined))(
    "Dictionary reads and writes the attribute $name ($source)",
    ({ octets, values }) => {
      expect(shown([decodeOne(octets)])).toEqual(values);
      const [name = "", value = ""] = (values[0] as string).split(" = ");
      const [attribute] = dictionary.encode(name, value) as [Attribute];
      expect(Buffer.concat([Buffer.of(attribute.type, attribute.value.length + 2), attribute.value])).toEqual(octets);
    },
  );

  it.each(signed.filter(({ verdict }) => verdict === "ok"))(
    "CRY-02 CRY-06 CRY-07 CRY-08 signing $name again yields its octets",
    ({ octets, secret, answers }) => {
      const again = Buffer.from(octets);
      const offset = decodePacket(octets).messageAuthenticatorOffset;
      if (offset > 0) again.fill(0xaa, offset, offset + 16);
      if (answers !== undefined || hasComputedAuthenticator(octets[0] as number)) again.fill(0xaa, 4, 20);
      if (answers === undefined) signRequest(again, offset, secret as SharedSecret);
      else signResponse(again, answers.octets.subarray(4, 20), offset, secret as SharedSecret);
      expect(again).toEqual(octets);
    },
  );

  it.each(signed.filter(({ verdict }) => verdict === "ok"))("CRY-03 CRY-05 no bit of $name can change", (vector) => {
    for (let bit = 8; bit < vector.octets.length * 8; bit++) {
      const flipped = Buffer.from(vector.octets);
      flipped[bit >> 3] = (flipped[bit >> 3] as number) ^ (0x80 >> (bit & 7));
      expect(verdictOrError(vector, flipped), `bit ${bit}`).not.toBe("ok");
    }
  });

  it.each(packets)(
    "T4 every prefix of $name is an error to decodePacket() and pending to PacketFramer",
    ({ octets }) => {
      for (let length = 0; length < octets.length; length++) {
        const prefix = octets.subarray(0, length);
        expect(() => decodePacket(prefix), `${length} octets`).toThrow(HubError);
        const framer = new PacketFramer();
        framer.push(prefix, () => expect.unreachable());
        expect(framer.pendingBytes).toBe(length);
      }
    },
  );

  it.each(packets.filter(({ password }) => password !== undefined))(
    "CRY-15 the User-Password of $name can be revealed and hidden again",
    ({ octets, secret, password }) => {
      const { attributes, authenticator } = decodePacket(octets);
      const hidden = firstValue(attributes, ATTRIBUTE.userPassword) as Buffer;
      const revealed = revealUserPassword(hidden, secret as SharedSecret, authenticator) as Buffer;
      expect(revealed.toString()).toBe(password);
      expect(hideUserPassword(revealed, secret as SharedSecret, authenticator)).toEqual(hidden);
    },
  );

  it.each(packets.filter(({ chap }) => chap !== undefined))(
    "verifyChapPassword() knows the password of $name",
    (vector) => {
      const packet = decodePacket(vector.octets);
      expect(verifyChapPassword(packet, Buffer.from(vector.chap as string))).toBe(true);
      expect(verifyChapPassword(packet, Buffer.from("arctangenT"))).toBe(false);
    },
  );

  it.each(packets.filter(({ token }) => token !== undefined))(
    "R11-06 $name has a Token and zeros in place of the Authenticator",
    ({ octets, token }) => {
      const { authenticator } = decodePacket(octets);
      expect(authenticator.subarray(0, 4).toString("hex")).toBe(token);
      expect(authenticator.subarray(4)).toEqual(Buffer.alloc(12));
    },
  );
});

/** Access-Request without Message-Authenticator is not protected at all, so a changed one counts as found out. */
function verdictOrError(vector: Vector, octets: Buffer): string {
  try {
    const packet = decodePacket(octets);
    const open = packet.code === CODE.accessRequest || packet.code === CODE.statusServer;
    return open && packet.messageAuthenticatorOffset === -1 ? "unprotected" : verify(vector, packet);
  } catch (error) {
    expect(error).toBeInstanceOf(HubError);
    return (error as HubError).code;
  }
}
