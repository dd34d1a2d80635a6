import ipaddr from "ipaddr.js";

// Text forms of addresses and prefixes (RFC 8044 Sections 3.8 to 3.11, RFC 3162 Section 2). Parsing yields the octets of
// the attribute's value, or undefined for text that is none; formatting yields undefined for octets that are none.

const IPV4_BYTES = 4;
const IPV6_BYTES = 16;
const PREFIX_HEAD_BYTES = 2;

export function parseIpv4(text: string): Buffer | undefined {
  return ipaddr.IPv4.isValidFourPartDecimal(text) ? Buffer.from(ipaddr.IPv4.parse(text).toByteArray()) : undefined;
}

export function formatIpv4(value: Buffer): string | undefined {
  return value.length === IPV4_BYTES ? value.join(".") : undefined;
}

export function parseIpv6(text: string): Buffer | undefined {
  // A zone means something on one host only.
  if (text.includes("%") || !ipaddr.IPv6.isValid(text)) return undefined;
  return Buffer.from(ipaddr.IPv6.parse(text).toByteArray());
}

export function formatIpv6(value: Buffer): string | undefined {
  return value.length === IPV6_BYTES ? new ipaddr.IPv6([...value]).toRFC5952String() : undefined;
}

interface Prefix {
  readonly bits: number;
  readonly address: Buffer;
}

function parsePrefix(text: string, parseAddress: (text: string) => Buffer | undefined): Prefix | undefined {
  const [, addressText, bitsText] = /^([^/]+)\/(\d{1,3})$/.exec(text) ?? [];
  const address = addressText === undefined ? undefined : parseAddress(addressText);
  const bits = Number(bitsText);
  if (address === undefined || bits > address.length * 8) return undefined;
  return hasBitsBeyond(address, bits) ? undefined : { bits, address };
}

/** RFC 8044 Sections 3.10 and 3.11: bits outside of the prefix must be zero. */
function hasBitsBeyond(address: Buffer, bits: number): boolean {
  return address.some((octet, index) => {
    const inside = Math.min(8, Math.max(0, bits - index * 8));
    return (octet & (0xff >> inside)) !== 0;
  });
}

/** Reserved octet, Prefix-Length, then only the octets that the prefix needs (RFC 3162 Section 2.3). */
export function parseIpv6Prefix(text: string): Buffer | undefined {
  const prefix = parsePrefix(text, parseIpv6);
  if (prefix === undefined) return undefined;
  const { bits, address } = prefix;
  return Buffer.concat([Buffer.of(0, bits), address.subarray(0, Math.ceil(bits / 8))]);
}

export function formatIpv6Prefix(value: Buffer): string | undefined {
  if (value.length < PREFIX_HEAD_BYTES || value.length > PREFIX_HEAD_BYTES + IPV6_BYTES) return undefined;
  const bits = value[1] as number;
  if (bits > (value.length - PREFIX_HEAD_BYTES) * 8) return undefined;
  const address = Buffer.alloc(IPV6_BYTES);
  value.copy(address, 0, PREFIX_HEAD_BYTES);
  return hasBitsBeyond(address, bits) ? undefined : `${formatIpv6(address)}/${bits}`;
}

/** Reserved octet, Prefix-Length, four octets of address (RFC 8044 Section 3.11). */
export function parseIpv4Prefix(text: string): Buffer | undefined {
  const prefix = parsePrefix(text, parseIpv4);
  return prefix === undefined ? undefined : Buffer.concat([Buffer.of(0, prefix.bits), prefix.address]);
}

export function formatIpv4Prefix(value: Buffer): string | undefined {
  if (value.length !== PREFIX_HEAD_BYTES + IPV4_BYTES) return undefined;
  const bits = (value[1] as number) & 0x3f;
  const address = value.subarray(PREFIX_HEAD_BYTES);
  return bits > 32 || hasBitsBeyond(address, bits) ? undefined : `${formatIpv4(address)}/${bits}`;
}

/** An interface id as four groups of hex digits (RFC 3162 Section 2.2). */
export function parseInterfaceId(text: string): Buffer | undefined {
  if (!/^([0-9a-f]{1,4}:){3}[0-9a-f]{1,4}$/i.test(text)) return undefined;
  return Buffer.from(text.replaceAll(/[0-9a-f]+/gi, (group) => group.padStart(4, "0")).replaceAll(":", ""), "hex");
}

export function formatInterfaceId(value: Buffer): string | undefined {
  return value.length === 8 ? value.toString("hex").replaceAll(/(.{4})(?!$)/g, "$1:") : undefined;
}

export function parseEthernet(text: string): Buffer | undefined {
  return /^([0-9a-f]{2}[:-]){5}[0-9a-f]{2}$/i.test(text) ? Buffer.from(text.replaceAll(/[:-]/g, ""), "hex") : undefined;
}

export function formatEthernet(value: Buffer): string | undefined {
  return value.length === 6 ? value.toString("hex").replaceAll(/(..)(?!$)/g, "$1:") : undefined;
}
