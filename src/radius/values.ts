import { isUtf8 } from "node:buffer";
import {
  formatEthernet,
  formatInterfaceId,
  formatIpv4,
  formatIpv4Prefix,
  formatIpv6,
  formatIpv6Prefix,
  parseEthernet,
  parseInterfaceId,
  parseIpv4,
  parseIpv4Prefix,
  parseIpv6,
  parseIpv6Prefix,
} from "./address-values.ts";

/** What a caller may give for a value; text is read by the attribute's data type, octets are taken as they are. */
export type AttributeInput = string | number | bigint | boolean | Buffer;

/** Data types of RFC 8044 Section 3 that the hub reads and writes; structured ones count as octets. */
export type DataType =
  | "text"
  | "octets"
  | "integer"
  | "signed"
  | "short"
  | "byte"
  | "integer64"
  | "date"
  | "ipaddr"
  | "ipv4prefix"
  | "ipv6addr"
  | "ipv6prefix"
  | "ifid"
  | "ether";

const DATA_TYPES: ReadonlyMap<string, DataType> = new Map([
  ["text", "text"],
  ["string", "text"], // what dictionaries call "string" holds UTF-8; RFC 8044 calls that "text"
  ["octets", "octets"],
  ["abinary", "octets"],
  ["tlv", "octets"],
  ["vsa", "octets"],
  ["evs", "octets"],
  ["extended", "octets"],
  ["long-extended", "octets"],
  ["integer", "integer"],
  ["uint32", "integer"],
  ["time", "integer"],
  ["signed", "signed"],
  ["int32", "signed"],
  ["short", "short"],
  ["uint16", "short"],
  ["byte", "byte"],
  ["uint8", "byte"],
  ["bool", "byte"],
  ["integer64", "integer64"],
  ["uint64", "integer64"],
  ["date", "date"],
  ["ipaddr", "ipaddr"],
  ["ipv4addr", "ipaddr"],
  ["ipv4prefix", "ipv4prefix"],
  ["ipv6addr", "ipv6addr"],
  ["ipv6prefix", "ipv6prefix"],
  ["ifid", "ifid"],
  ["ether", "ether"],
]);

/** Parses the type column of a dictionary ("string", "octets[16]", "uint32"); undefined for an unknown type. */
export function parseDataType(text: string): DataType | undefined {
  return DATA_TYPES.get(text.toLowerCase().replace(/\[\d+\]$/, ""));
}

/** How one data type looks on the wire. */
export interface ValueCodec {
  /** Completes "Session-Timeout takes ...". */
  readonly takes: string;
  /** Undefined when the input is no value of this type. */
  encode(input: Exclude<AttributeInput, Buffer>): Buffer | undefined;
  /** Undefined when the octets are no value of this type (PKT-07). */
  decode(value: Buffer): string | number | undefined;
}

/** A whole number, from a number, a bigint, a boolean or decimal text. */
function wholeNumber(input: Exclude<AttributeInput, Buffer>): bigint | undefined {
  if (typeof input === "string") return /^-?\d{1,20}$/.test(input) ? BigInt(input) : undefined;
  if (typeof input === "number" && !Number.isSafeInteger(input)) return undefined;
  return BigInt(input);
}

function unsigned(bytes: 1 | 2 | 4): ValueCodec {
  const max = 2 ** (8 * bytes) - 1;
  return {
    takes: `an integer 0..${max}`,
    encode(input) {
      const number = wholeNumber(input);
      if (number === undefined || number < 0n || number > BigInt(max)) return undefined;
      const value = Buffer.alloc(bytes);
      value.writeUIntBE(Number(number), 0, bytes);
      return value;
    },
    decode: (value) => (value.length === bytes ? value.readUIntBE(0, bytes) : undefined),
  };
}

function textForm(
  takes: string,
  parse: (text: string) => Buffer | undefined,
  format: (value: Buffer) => string | undefined,
): ValueCodec {
  return { takes, encode: (input) => (typeof input === "string" ? parse(input) : undefined), decode: format };
}

const text: ValueCodec = {
  takes: "UTF-8 text that is not empty",
  // PKT-09: no NUL terminator is added, NULs inside stay, empty text is never sent.
  encode: (input) => (input === "" ? undefined : Buffer.from(String(input), "utf8")),
  decode: (value) => (isUtf8(value) ? value.toString("utf8") : undefined),
};

const octets: ValueCodec = {
  takes: 'octets as "0x" and hex digits, or text',
  encode(input) {
    if (typeof input !== "string") return undefined;
    if (!input.startsWith("0x")) return input === "" ? undefined : Buffer.from(input, "utf8");
    return /^0x([0-9a-f]{2})*$/i.test(input) ? Buffer.from(input.slice(2), "hex") : undefined;
  },
  decode: hexText,
};

const signed: ValueCodec = {
  takes: "an integer -2147483648..2147483647",
  encode(input) {
    const number = wholeNumber(input);
    if (number === undefined || BigInt.asIntN(32, number) !== number) return undefined;
    const value = Buffer.alloc(4);
    value.writeInt32BE(Number(number));
    return value;
  },
  decode: (value) => (value.length === 4 ? value.readInt32BE() : undefined),
};

const integer64: ValueCodec = {
  takes: "an integer 0..18446744073709551615",
  encode(input) {
    const number = wholeNumber(input);
    if (number === undefined || BigInt.asUintN(64, number) !== number) return undefined;
    const value = Buffer.alloc(8);
    value.writeBigUInt64BE(number);
    return value;
  },
  // Decimal text: a JSON number would lose the low digits.
  decode: (value) => (value.length === 8 ? value.readBigUInt64BE().toString() : undefined),
};

const integer = unsigned(4);

const date: ValueCodec = {
  takes: 'a time such as "2026-01-31T12:00:00Z", or seconds since 1970',
  encode(input) {
    if (typeof input !== "string" || !/^\d{4}-\d\d-\d\dT/.test(input)) return integer.encode(input);
    const wallMs = Date.parse(input);
    return Number.isNaN(wallMs) ? undefined : integer.encode(Math.floor(wallMs / 1000));
  },
  decode: (value) => (value.length === 4 ? new Date(value.readUInt32BE() * 1000).toISOString() : undefined),
};

/** The codec of every data type. */
export const VALUE_CODECS: Readonly<Record<DataType, ValueCodec>> = {
  text,
  octets,
  integer,
  signed,
  short: unsigned(2),
  byte: unsigned(1),
  integer64,
  date,
  ipaddr: textForm("an IPv4 address", parseIpv4, formatIpv4),
  ipv4prefix: textForm('an IPv4 prefix such as "192.0.2.0/24"', parseIpv4Prefix, formatIpv4Prefix),
  ipv6addr: textForm("an IPv6 address", parseIpv6, formatIpv6),
  ipv6prefix: textForm('an IPv6 prefix such as "2001:db8::/32"', parseIpv6Prefix, formatIpv6Prefix),
  ifid: textForm('an interface id such as "0:0:0:1"', parseInterfaceId, formatInterfaceId),
  ether: textForm("an Ethernet address", parseEthernet, formatEthernet),
};

/** Octets as text that {@link VALUE_CODECS}.octets reads back. */
export function hexText(value: Buffer): string {
  return `0x${value.toString("hex")}`;
}
