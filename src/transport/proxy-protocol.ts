import { HubError } from "../errors.ts";
import { canonicalAddress } from "./networks.ts";

/** A PROXY protocol header, version 1 or 2 (haproxy, doc/proxy-protocol.txt). */
export interface ProxyHeader {
  /** Octets of the header; what follows belongs to TLS. */
  readonly headerBytes: number;
  /** Where the connection came from; undefined where the header does not say (LOCAL, UNKNOWN, UNSPEC, UNIX). */
  readonly source: { readonly address: string; readonly port: number } | undefined;
  readonly tlvs: readonly { readonly type: number; readonly value: Buffer }[];
}

/** Section 2.1: the longest version 1 line, with its CR LF. */
const V1_BYTES_MAX = 107;
const V1_PREFIX = Buffer.from("PROXY ");
const V2_SIGNATURE = Buffer.from("\r\n\r\n\0\r\nQUIT\n", "latin1");
const V2_FIXED_BYTES = 16;
/** Our choice: addresses of 216 octets (UNIX) and every TLV that a balancer is known to send leave room to spare. */
const V2_BODY_BYTES_MAX = 2_048;

const COMMAND = { local: 0x20, proxy: 0x21 };
const TLV_CRC32C = 0x03;
const TLV_CRC32C_BYTES = 4;
/** Octets of the address block by the family and transport octet (Section 2.2). */
const ADDRESS_BYTES: ReadonlyMap<number, number> = new Map([
  [0x00, 0], // UNSPEC
  [0x11, 12], // TCP over IPv4
  [0x21, 36], // TCP over IPv6
  [0x31, 216], // UNIX stream
]);

/** Reads the header at the start of a connection. It is asked again, with everything so far, when more octets have come.
 *  @returns undefined while the header is not complete
 *  @throws {HubError} ERR_PROXY_HEADER as soon as the octets can not become a header. */
export function decodeProxyHeader(octets: Buffer): ProxyHeader | undefined {
  if (startsLike(octets, V2_SIGNATURE)) return decodeV2(octets);
  if (startsLike(octets, V1_PREFIX)) return decodeV1(octets);
  throw fault("the connection does not start with a PROXY header");
}

function startsLike(octets: Buffer, expected: Buffer): boolean {
  const count = Math.min(octets.length, expected.length);
  return octets.compare(expected, 0, count, 0, count) === 0;
}

function decodeV1(octets: Buffer): ProxyHeader | undefined {
  const end = octets.subarray(0, V1_BYTES_MAX).indexOf("\r\n");
  if (end < 0) {
    if (octets.length >= V1_BYTES_MAX) throw fault(`a version 1 line has at most ${V1_BYTES_MAX} octets`);
    return undefined;
  }
  const headerBytes = end + 2;
  const line = octets.toString("latin1", V1_PREFIX.length, end);
  // Section 2.1: what follows UNKNOWN is to be ignored.
  if (line === "UNKNOWN" || line.startsWith("UNKNOWN ")) return { headerBytes, source: undefined, tlvs: [] };
  const [family, source = "", destination = "", sourcePort = "", destinationPort = "", ...more] = line.split(" ");
  const known = family === "TCP4" || family === "TCP6";
  const addresses = [source, destination].every((text) => text.includes(":") === (family === "TCP6"));
  const address = canonicalAddress(source);
  const port = portNumber(sourcePort);
  if (
    !known ||
    !addresses ||
    more.length > 0 ||
    address === undefined ||
    port === undefined ||
    canonicalAddress(destination) === undefined ||
    portNumber(destinationPort) === undefined
  ) {
    throw fault("the version 1 line is malformed");
  }
  return { headerBytes, source: { address, port }, tlvs: [] };
}

function portNumber(text: string): number | undefined {
  return /^(0|[1-9]\d{0,4})$/.test(text) && Number(text) <= 0xffff ? Number(text) : undefined;
}

function decodeV2(octets: Buffer): ProxyHeader | undefined {
  if (octets.length < V2_FIXED_BYTES) return undefined;
  const command = octets.readUInt8(12);
  const family = octets.readUInt8(13);
  const bodyBytes = octets.readUInt16BE(14);
  if (command !== COMMAND.local && command !== COMMAND.proxy) throw fault(`unknown version or command ${command}`);
  if (bodyBytes > V2_BODY_BYTES_MAX) throw fault(`a header of ${bodyBytes} octets is longer than ${V2_BODY_BYTES_MAX}`);
  const headerBytes = V2_FIXED_BYTES + bodyBytes;
  if (octets.length < headerBytes) return undefined;
  // Section 2.2: with LOCAL the receiver must ignore the whole address block, TLVs with it.
  if (command === COMMAND.local) return { headerBytes, source: undefined, tlvs: [] };
  const addressBytes = ADDRESS_BYTES.get(family);
  if (addressBytes === undefined) throw fault(`family and transport 0x${family.toString(16)} is not a TCP connection`);
  if (bodyBytes < addressBytes) throw fault("the address block is truncated");
  const tlvs = decodeTlvs(octets, V2_FIXED_BYTES + addressBytes, headerBytes);
  return { headerBytes, source: sourceOf(octets, addressBytes), tlvs };
}

function sourceOf(octets: Buffer, addressBytes: number): ProxyHeader["source"] {
  if (addressBytes === 12) {
    return { address: octets.subarray(16, 20).join("."), port: octets.readUInt16BE(24) };
  }
  if (addressBytes === 36) {
    const groups = Array.from({ length: 8 }, (_, index) => octets.readUInt16BE(16 + 2 * index).toString(16));
    return { address: canonicalAddress(groups.join(":")) as string, port: octets.readUInt16BE(48) };
  }
  return undefined;
}

function decodeTlvs(octets: Buffer, start: number, end: number): ProxyHeader["tlvs"] {
  const tlvs: { type: number; value: Buffer }[] = [];
  let offset = start;
  while (offset < end) {
    const valueStart = offset + 3;
    const valueEnd = valueStart <= end ? valueStart + octets.readUInt16BE(offset + 1) : Infinity;
    if (valueEnd > end) throw fault("a TLV is truncated");
    const type = octets.readUInt8(offset);
    if (type === TLV_CRC32C) verifyChecksum(octets.subarray(0, end), valueStart, valueEnd);
    // A copy: the octets belong to the socket's read buffer.
    tlvs.push({ type, value: Buffer.from(octets.subarray(valueStart, valueEnd)) });
    offset = valueEnd;
  }
  return tlvs;
}

/** Section 2.2.4: the checksum covers the whole header with its own four octets as zero. */
function verifyChecksum(header: Buffer, valueStart: number, valueEnd: number): void {
  if (valueEnd - valueStart !== TLV_CRC32C_BYTES) throw fault("the checksum TLV has not four octets");
  const zeroed = Buffer.from(header).fill(0, valueStart, valueEnd);
  if (crc32c(zeroed) !== header.readUInt32BE(valueStart)) throw fault("the checksum does not fit");
}

/** RFC 3309 (Castagnoli). A header is short and comes once a connection: no table. */
export function crc32c(octets: Uint8Array): number {
  let crc = 0xffff_ffff;
  for (const octet of octets) {
    crc ^= octet;
    for (let bit = 0; bit < 8; bit += 1) crc = (crc >>> 1) ^ (crc & 1 ? 0x82f6_3b78 : 0);
  }
  return ~crc >>> 0;
}

function fault(message: string): HubError {
  return new HubError("ERR_PROXY_HEADER", message);
}
