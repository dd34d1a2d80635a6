import md4 from "js-md4";

/** NtPasswordHash (RFC 2759 Section 8.3): MD4 over the password as UTF-16LE, 16 octets.
 *  @param password octets of UTF-8; other octets become replacement characters and so fit nothing */
export function ntHash(password: Buffer): Buffer {
  return md4Of(Buffer.from(password.toString("utf8"), "utf16le"));
}

/** MD4 (RFC 1320); OpenSSL 3 has it no more. */
export function md4Of(octets: Buffer): Buffer {
  return Buffer.from(md4.arrayBuffer(octets));
}
