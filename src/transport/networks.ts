import ipaddr from "ipaddr.js";
import { HubError } from "../errors.ts";

/** Canonical text of an address; an IPv4-mapped IPv6 address is its IPv4 address, a zone is dropped. Undefined for anything else. */
export function canonicalAddress(text: string): string | undefined {
  return decodeAddress(text)?.toString();
}

/** An address of a CIDR set, as octets and the bits that count. */
interface Network {
  readonly octets: readonly number[];
  readonly bits: number;
}

/** Which of some networks an address is in. One map look-up for each different prefix length, however many networks there are. */
export class NetworkTable<T> {
  /** By family and prefix length, longest first. */
  readonly #levels: { readonly octetCount: number; readonly bits: number; readonly values: Map<string, T> }[] = [];

  /** The first of two values for the same network counts.
   *  @throws {HubError} ERR_INPUT for text that is neither an address nor address/prefix length. */
  constructor(networks: Iterable<readonly [cidr: string, value: T]>) {
    for (const [cidr, value] of networks) {
      const { octets, bits } = parseNetwork(cidr);
      let level = this.#levels.find((known) => known.octetCount === octets.length && known.bits === bits);
      if (level === undefined) {
        level = { octetCount: octets.length, bits, values: new Map() };
        this.#levels.push(level);
      }
      const key = prefixKey(octets, bits);
      if (!level.values.has(key)) level.values.set(key, value);
    }
    this.#levels.sort((a, b) => b.bits - a.bits);
  }

  /** The value of the longest network that holds the address. */
  find(address: string): T | undefined {
    if (this.#levels.length === 0) return undefined;
    const octets = decodeAddress(address)?.toByteArray();
    if (octets === undefined) return undefined;
    for (const level of this.#levels) {
      if (level.octetCount !== octets.length) continue;
      const value = level.values.get(prefixKey(octets, level.bits));
      if (value !== undefined) return value;
    }
    return undefined;
  }
}

/** Whether an address is in any of some networks; an empty set holds none. */
export class NetworkSet {
  readonly #table: NetworkTable<true>;

  /** @throws {HubError} ERR_INPUT for text that is no network. */
  constructor(networks: Iterable<string>) {
    this.#table = new NetworkTable(Array.from(networks, (cidr) => [cidr, true] as const));
  }

  has(address: string): boolean {
    return this.#table.find(address) === true;
  }
}

/** The key under which unauthenticated connections are counted: an IPv6 host has a whole /64 to choose addresses from. */
export function addressGroup(address: string): string {
  const octets = decodeAddress(address)?.toByteArray();
  return octets?.length === 16 ? `${prefixKey(octets, 64)}/64` : address;
}

function decodeAddress(text: string): ipaddr.IPv4 | ipaddr.IPv6 | undefined {
  const zone = text.indexOf("%");
  const bare = zone < 0 ? text : text.slice(0, zone);
  // isValidFourPartDecimal: ipaddr.js also reads "1.2" and "0x7f000001" as inet_aton() does.
  if (!bare.includes(":") && !ipaddr.IPv4.isValidFourPartDecimal(bare)) return undefined;
  return ipaddr.isValid(bare) ? ipaddr.process(bare) : undefined;
}

function parseNetwork(cidr: string): Network {
  const [, text = "", prefix] = /^([^/]+)(?:\/(\d{1,3}))?$/.exec(cidr) ?? [];
  const mapped = text.includes(":") && !text.includes("%") && ipaddr.isValid(text) ? ipaddr.parse(text) : undefined;
  const octets = decodeAddress(text)?.toByteArray();
  if (octets === undefined || text.includes("%")) throw notNetwork(cidr);
  const wide = mapped === undefined ? octets.length * 8 : 128;
  const given = prefix === undefined ? wide : Number(prefix);
  // ::ffff:10.0.0.0/104 is 10.0.0.0/8: addresses are compared as IPv4 where they are IPv4.
  const bits = given - (wide - octets.length * 8);
  if (given > wide || bits < 0) throw notNetwork(cidr);
  return { octets, bits };
}

function notNetwork(cidr: string): HubError {
  return new HubError("ERR_INPUT", `"${cidr}" is neither an address nor a network such as 10.0.0.0/8 or 2001:db8::/32`);
}

function prefixKey(octets: readonly number[], bits: number): string {
  const whole = bits >> 3;
  let key = String.fromCharCode(...octets.slice(0, whole));
  const rest = bits & 7;
  if (rest > 0) key += String.fromCharCode((octets[whole] as number) & (0xff << (8 - rest)) & 0xff);
  return key;
}
