import { createHash, createHmac } from "node:crypto";
import type { ConnectionOptions } from "node:tls";
import { systemRandom } from "../../src/clock.ts";
import type { ClientEntry } from "../../src/transport/client-entry.ts";
import { PskKey, type PskVersion } from "../../src/transport/psk.ts";
import { clientEntry } from "./client-entries.ts";

export const PSK = Buffer.alloc(32, 0x5a);

export interface TestPsk {
  readonly identity: string;
  readonly key?: Buffer;
  readonly tls?: PskVersion;
}

/** A `clients` entry for some PSKs. */
export function pskEntry(
  psks: readonly TestPsk[],
  changes: Partial<ClientEntry> = {},
  network?: string[],
): ClientEntry {
  const psk = psks.map(({ identity, key = PSK, tls = "TLSv1.3" }) => ({ identity, key: new PskKey(key), tls }));
  return clientEntry({ name: "psk", match: { psk, ...(network === undefined ? {} : { network }) }, ...changes });
}

/** How a router with a PSK dials, with the suites that Node and OpenSSL offer of their own accord where it can. */
export function pskRouter({ identity, key = PSK, tls = "TLSv1.3" }: TestPsk): ConnectionOptions {
  return {
    minVersion: tls,
    maxVersion: tls,
    ...(tls === "TLSv1.2" ? { ciphers: "ECDHE-PSK-CHACHA20-POLY1305" } : {}),
    checkServerIdentity: () => undefined,
    pskCallback: () => ({ identity, psk: key }),
  };
}

export interface PskHello {
  /** Octets that no TLS library would send. */
  readonly identity: Buffer;
  readonly key?: Buffer;
  /** RFC 8446 Section 4.2.9: 0 is psk_ke, 1 psk_dhe_ke. */
  readonly modes?: readonly number[];
}

/** A TLS record with a ClientHello of TLS 1.3 that offers one external PSK, its binder as it should be (RFC 8446 Section 4.2.11.2).
 *  Its key share is random octets: good enough to see which PSK the hub takes. */
export function pskHello({ identity, key = PSK, modes = [1] }: PskHello): Buffer {
  const extensions = [
    extension(0x2b, block(1, Buffer.from("0304", "hex"))), // supported_versions
    extension(0x0a, block(2, Buffer.from("001d", "hex"))), // supported_groups: x25519
    extension(0x0d, block(2, Buffer.from("04030804", "hex"))), // signature_algorithms
    extension(0x33, block(2, Buffer.from("001d", "hex"), block(2, systemRandom.bytes(32)))), // key_share
    extension(0x2d, block(1, Buffer.from(modes))), // psk_key_exchange_modes
    extension(0x29, block(2, block(2, identity), Buffer.alloc(4)), block(2, block(1, Buffer.alloc(32)))), // pre_shared_key
  ];
  const hello = Buffer.concat([
    Buffer.from("0303", "hex"),
    systemRandom.bytes(32),
    block(1),
    block(2, Buffer.from("1301", "hex")), // TLS_AES_128_GCM_SHA256
    block(1, Buffer.alloc(1)),
    block(2, ...extensions),
  ]);
  const handshake = Buffer.concat([Buffer.from([1]), block(3, hello)]);
  const truncated = handshake.subarray(0, -(2 + 1 + 32));
  binder(key, truncated).copy(handshake, handshake.length - 32);
  return Buffer.concat([Buffer.from("160301", "hex"), block(2, handshake)]);
}

/** Whether the answer to a ClientHello is a ServerHello that takes the PSK; false when it goes on with certificates, undefined
 *  when it is no ServerHello at all. */
export function takesPsk(answer: Buffer): boolean | undefined {
  if (answer[0] !== 0x16 || answer[5] !== 2) return undefined;
  // After record and handshake header: version, random, session id of no octets, suite, compression.
  let at = 9 + 2 + 32 + 1 + 2 + 1;
  const end = at + 2 + answer.readUInt16BE(at);
  for (at += 2; at < end; at += 4 + answer.readUInt16BE(at + 2)) if (answer.readUInt16BE(at) === 0x29) return true;
  return false;
}

function extension(type: number, ...parts: Buffer[]): Buffer {
  return Buffer.concat([Buffer.from([type >> 8, type & 0xff]), block(2, ...parts)]);
}

function block(lengthBytes: number, ...parts: Buffer[]): Buffer {
  const value = Buffer.concat(parts);
  const length = Buffer.alloc(lengthBytes);
  length.writeUIntBE(value.length, 0, lengthBytes);
  return Buffer.concat([length, value]);
}

function binder(key: Buffer, truncatedHello: Buffer): Buffer {
  const sha256 = (octets: Buffer | string) => createHash("sha256").update(octets).digest();
  const earlySecret = createHmac("sha256", Buffer.alloc(32)).update(key).digest();
  const binderKey = expandLabel(earlySecret, "ext binder", sha256(""));
  return createHmac("sha256", expandLabel(binderKey, "finished", Buffer.alloc(0)))
    .update(sha256(truncatedHello))
    .digest();
}

/** HKDF-Expand-Label of RFC 8446 Section 7.1 for one block of output. */
function expandLabel(secret: Buffer, label: string, context: Buffer): Buffer {
  const info = Buffer.concat([Buffer.from([0, 32]), block(1, Buffer.from(`tls13 ${label}`)), block(1, context)]);
  return createHmac("sha256", secret)
    .update(info)
    .update(Buffer.from([1]))
    .digest();
}
