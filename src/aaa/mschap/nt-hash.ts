import { md4Of } from "./digests.ts";

/** NtPasswordHash (RFC 2759 Section 8.3): MD4 over the password as UTF-16LE, 16 octets.
 *  @param password octets of UTF-8; other octets become replacement characters and so fit nothing */
export function ntHash(password: Buffer): Buffer {
  return md4Of(Buffer.from(password.toString("utf8"), "utf16le"));
}
