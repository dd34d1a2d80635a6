import ipaddr from "ipaddr.js";

const BITS_MAX = 128;
const PREFIX_HEAD_BYTES = 2;

/** Canonical text of Framed-IPv6-Prefix or Delegated-IPv6-Prefix: a reserved octet, the length in bits, as many octets as are
 *  needed (RFC 3162 Section 2.3). Bits beyond the length count as zero, which they must be. Undefined for anything else. */
export function prefixText(value: Buffer | undefined): string | undefined {
  const bits = value?.[1];
  if (value === undefined || bits === undefined || bits > BITS_MAX || value.length > PREFIX_HEAD_BYTES + 16) {
    return undefined;
  }
  const octets = Buffer.alloc(16);
  value.copy(octets, 0, PREFIX_HEAD_BYTES);
  return `${ipaddr.fromByteArray([...withoutHost(octets, bits)]).toString()}/${bits}`;
}

/** Canonical text of an address of four or sixteen octets; undefined for other octets. */
export function addressText(value: Buffer | undefined, bytes: 4 | 16): string | undefined {
  if (value?.length !== bytes) return undefined;
  // The same text five times as fast: each accounting record has one.
  return bytes === 4 ? `${value[0]}.${value[1]}.${value[2]}.${value[3]}` : ipaddr.fromByteArray([...value]).toString();
}

/** Every prefix that an IPv6 address lies in, the longest first; empty for anything else. Who has a prefix is found by any
 *  address of it with one look for each length. */
export function prefixesAround(address: string): readonly string[] {
  if (!ipaddr.IPv6.isValid(address)) return [];
  const octets = Buffer.from(ipaddr.IPv6.parse(address).toByteArray());
  const texts: string[] = [];
  for (let bits = BITS_MAX; bits > 0; bits -= 1) {
    texts.push(`${ipaddr.fromByteArray([...withoutHost(octets, bits)]).toString()}/${bits}`);
  }
  return texts;
}

function withoutHost(octets: Buffer, bits: number): Buffer {
  return octets.map((octet, index) => {
    const inside = Math.min(8, Math.max(0, bits - index * 8));
    return octet & (0xff << (8 - inside));
  }) as Buffer;
}
