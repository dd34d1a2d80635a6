import { createHmac, hash } from "node:crypto";
import { describe, expect, it } from "vitest";
import { MD5_BYTES, Md5 } from "../../../src/radius/md5.ts";

const LONGEST = 4096 + 1024;

function digest(md5: Md5, octets: Buffer): string {
  md5.message.set(octets);
  return md5.digest(octets.length).toString("hex");
}

describe("Md5", () => {
  // RFC 1321 appendix A.5
  it.each([
    ["", "d41d8cd98f00b204e9800998ecf8427e"],
    ["a", "0cc175b9c0f1b6a831c399e269772661"],
    ["abc", "900150983cd24fb0d6963f7d28e17f72"],
    ["message digest", "f96b697d7cb7938d525a2f31aaf161d0"],
    ["abcdefghijklmnopqrstuvwxyz", "c3fcd3d76192e4007dfb496cca67e13b"],
    ["ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789", "d174ab98d277d9f5a5611c2c9f419d9f"],
    [
      "12345678901234567890123456789012345678901234567890123456789012345678901234567890",
      "57edf4a22be3c955ac49da2e2107b67a",
    ],
  ])("digests %j as RFC 1321 appendix A.5 says", (text, expected) => {
    expect(digest(new Md5(100), Buffer.from(text))).toBe(expected);
  });

  it("agrees with OpenSSL at every length that fills a block or does not, one after the other in the same buffer", () => {
    const md5 = new Md5(LONGEST);
    const octets = Buffer.from(Array.from({ length: LONGEST }, (_, index) => (index * 197 + (index >> 5)) & 0xff));
    const lengths = [...Array.from({ length: 300 }, (_, index) => 299 - index), 4095, 4096, LONGEST];
    for (const length of lengths) {
      const message = octets.subarray(LONGEST - length);
      expect(digest(md5, message), `${length} octets`).toBe(hash("md5", message));
    }
  });

  it("goes on after a block that was digested before, as HMAC does with its key (RFC 2104 Section 4)", () => {
    const key = Buffer.from("a key of twenty-four oct");
    const afterKey = (pad: number) => {
      const block = new Md5(64);
      for (let at = 0; at < 64; at += 1) block.message[at] = pad ^ (key[at] ?? 0);
      return block.stateAfterBlock();
    };
    const inner = new Md5(LONGEST);
    const outer = new Md5(MD5_BYTES);
    for (let length = 0; length < 200; length += 1) {
      inner.message.fill(length, 0, length);
      const expected = createHmac("md5", key).update(Buffer.alloc(length, length)).digest("hex");
      outer.message.set(inner.digest(length, afterKey(0x36)));
      expect(outer.digest(MD5_BYTES, afterKey(0x5c)).toString("hex"), `${length} octets`).toBe(expected);
    }
  });
});
