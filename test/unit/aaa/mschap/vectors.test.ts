import { describe, expect, it } from "vitest";
import {
  authenticatorResponse,
  challengeHash,
  challengeResponse,
  desBlock,
  ntResponse,
} from "../../../../src/aaa/mschap/challenge-response.ts";
import { masterKey, mppeKeys } from "../../../../src/aaa/mschap/mppe-keys.ts";
import { md4Of } from "../../../../src/aaa/mschap/digests.ts";
import { ntHash } from "../../../../src/aaa/mschap/nt-hash.ts";

const hex = (text: string): Buffer => Buffer.from(text.replaceAll(" ", ""), "hex");

/** RFC 2759 Section 9.2. */
const EXCHANGE = {
  userName: Buffer.from("User"),
  authenticatorChallenge: hex("5B 5D 7C 7D 7B 3F 2F 3E 3C 2C 60 21 32 26 26 28"),
  peerChallenge: hex("21 40 23 24 25 5E 26 2A 28 29 5F 2B 3A 33 7C 7E"),
};
const HASH = ntHash(Buffer.from("clientPass"));
const RESPONSE = hex("82 30 9E CD 8D 70 8B 5E A0 8F AA 39 81 CD 83 54 42 33 11 4A 3D 85 D6 DF");

describe("MS-CHAPv2 by the test vectors of RFC 2759 Section 9.2", () => {
  it("hashes the password", () => {
    expect(HASH).toEqual(hex("44 EB BA 8D 53 12 B8 D6 11 47 44 11 F5 69 89 AE"));
    expect(md4Of(HASH)).toEqual(hex("41 C0 0C 58 4B D2 D9 1C 40 17 A2 A1 2F A5 9F 3F"));
  });

  it("hashes the challenges and the name", () => {
    expect(challengeHash(EXCHANGE)).toEqual(hex("D0 2E 43 86 BC E9 12 26"));
  });

  it("makes the NT-Response", () => {
    expect(ntResponse(EXCHANGE, HASH)).toEqual(RESPONSE);
  });

  it("makes what proves the authenticator to the peer", () => {
    expect(authenticatorResponse(EXCHANGE, HASH, RESPONSE)).toBe("S=407A5589115FD0D6209F510FE9C04566932CDA56");
  });
});

describe("keys of MPPE by the test vectors of RFC 3079 Section 5.3", () => {
  it("makes the master key", () => {
    expect(masterKey(HASH, RESPONSE)).toEqual(hex("FD EC E3 71 7A 8C 83 8C B3 88 E5 27 AE 3C DD 31"));
  });

  it("makes the key that the NAS sends with", () => {
    expect(mppeKeys(HASH, RESPONSE).send).toEqual(hex("8B 7C DC 14 9B 99 3A 1B A1 18 CB 15 3F 56 DC CB"));
  });

  it("receives with another key than it sends with", () => {
    const { send, receive } = mppeKeys(HASH, RESPONSE);
    expect(receive).toHaveLength(16);
    expect(receive).not.toEqual(send);
  });
});

describe("MS-CHAPv1 by the test vectors of RFC 2433 Appendix B.2", () => {
  it("makes the NT response of MyPw", () => {
    const hash = ntHash(Buffer.from("MyPw"));
    expect(hash).toEqual(hex("FC 15 6A F7 ED CD 6C 0E DD E3 33 7D 42 7F 4E AC"));
    expect(challengeResponse(hex("10 2D B5 DF 08 5D 30 41"), hash)).toEqual(
      hex("4E 9D 3C 8F 9C FD 38 5D 5B F4 D3 24 67 91 95 6C A4 C3 51 AB 40 9A 3D 61"),
    );
  });
});

describe("desBlock()", () => {
  it("is DES: the example of FIPS 81, whose key has its parity bits already", () => {
    // 0123456789ABCDEF without its parity bits, as 56 bits
    const key = hex("01 23 45 67 89 AB CD EF");
    let bits = "";
    for (const octet of key) bits += octet.toString(2).padStart(8, "0").slice(0, 7);
    const packed = Buffer.from((bits.match(/.{8}/g) ?? []).map((each) => Number.parseInt(each, 2)));
    expect(desBlock(Buffer.from("Now is t"), packed)).toEqual(hex("3F A4 0E 8A 98 4D 48 15"));
  });
});
