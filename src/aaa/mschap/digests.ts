import { createHash } from "node:crypto";
import md4 from "js-md4";

/** MD4 (RFC 1320); OpenSSL 3 has it no more. */
export function md4Of(octets: Buffer): Buffer {
  return Buffer.from(md4.arrayBuffer(octets));
}

/** SHA-1 over the parts, one after the other. */
export function sha1Of(...parts: readonly Buffer[]): Buffer {
  const hash = createHash("sha1");
  for (const part of parts) hash.update(part);
  return hash.digest();
}
