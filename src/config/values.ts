import ipaddr from "ipaddr.js";
import { z } from "zod";
import { HubError } from "../errors.ts";
import { SharedSecret } from "../radius/authenticator.ts";

const DURATION_MS = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 } as const;
const SIZE_BYTES = { B: 1, KiB: 1_024, MiB: 1_048_576, GiB: 1_073_741_824 } as const;

/** "500ms", "10s", "1.5h" -> milliseconds. Bounds are inclusive and written like the value. */
export function duration(description: string, bounds: { min?: string; max?: string } = {}) {
  return quantity(DURATION_MS, 'must be a duration such as "500ms", "10s", "5m", "24h" or "7d"', description, bounds);
}

/** "512B", "64KiB", "1MiB" -> octets. */
export function size(description: string, bounds: { min?: string; max?: string } = {}) {
  return quantity(SIZE_BYTES, 'must be a size such as "512B", "64KiB" or "1MiB"', description, bounds);
}

function quantity(
  units: Readonly<Record<string, number>>,
  expected: string,
  description: string,
  bounds: { min?: string; max?: string },
) {
  const pattern = `^\\d+(\\.\\d+)?(${Object.keys(units).join("|")})$`;
  const parse = (text: string): number | undefined => {
    if (!new RegExp(pattern).test(text)) return undefined;
    const [, number, unit] = /^([\d.]+)(\D+)$/.exec(text) as unknown as [string, string, string];
    return Math.round(Number(number) * (units[unit] as number));
  };
  const least = bounds.min === undefined ? 0 : (parse(bounds.min) as number);
  const most = bounds.max === undefined ? Number.MAX_SAFE_INTEGER : (parse(bounds.max) as number);
  return text(description, { pattern }, expected).transform((value, context) => {
    const amount = parse(value);
    if (amount === undefined) return refuse(context, expected);
    if (amount < least) return refuse(context, `must be at least ${bounds.min}`);
    if (amount > most) return refuse(context, `must be at most ${bounds.max}`);
    return amount;
  });
}

/** A whole number with inclusive bounds. */
export function count(description: string, min: number, max: number) {
  return z
    .int(`must be a whole number from ${min} to ${max}`)
    .min(min, `must be at least ${min}`)
    .max(max, `must be at most ${max}`)
    .meta({ description });
}

export function flag(description: string) {
  return z.boolean("must be true or false").meta({ description });
}

/** One of a few words. */
export function choice<const Words extends readonly [string, ...string[]]>(description: string, words: Words) {
  return z.enum(words, `must be one of ${words.join(", ")}`).meta({ description });
}

/** Text that is not empty. */
export function text(description: string, meta: Record<string, unknown> = {}, expected = "must be text") {
  return z
    .string(expected)
    .min(1, "must not be empty")
    .meta({ description, ...meta });
}

/** A name of the operator's choice, as it appears in logs, labels and references. */
export function name(description: string) {
  const pattern = "^[A-Za-z0-9][A-Za-z0-9_-]{0,62}$";
  return text(description, { pattern }).regex(
    new RegExp(pattern),
    "must be 1 to 63 letters, digits, - or _, the first a letter or digit",
  );
}

export function port(description: string) {
  const expected = "must be a port number from 1 to 65535, or 0 for any free port";
  return z.int(expected).min(0, expected).max(65_535, expected).meta({ description });
}

/** An IP address, or "localhost". */
export function address(description: string) {
  const expected = 'must be an IP address such as "127.0.0.1" or "::", or "localhost"';
  return text(description, {}, expected).refine((value) => value === "localhost" || isIpAddress(value), expected);
}

/** A network "10.0.0.0/8" or one address; canonical "10.0.0.0/8", "10.1.2.3/32". */
export function network(description: string) {
  return text(description, {}, NOT_A_NETWORK).transform((value, context) => {
    const parsed = parseNetwork(value);
    return "problem" in parsed ? refuse(context, parsed.problem) : parsed.network;
  });
}

const NOT_A_NETWORK = 'must be a network such as "10.0.0.0/8" or "2001:db8::/32", or an IP address';

/** A network in its canonical form, or what is wrong with the text. */
export function parseNetwork(value: string): { readonly network: string } | { readonly problem: string } {
  const [base, prefix, ...rest] = value.split("/") as [string, string?, ...string[]];
  if (!isIpAddress(base) || rest.length > 0) return { problem: NOT_A_NETWORK };
  const parsed = ipaddr.parse(base);
  const bitsMax = parsed.kind() === "ipv4" ? 32 : 128;
  const bits = prefix === undefined ? bitsMax : /^\d{1,3}$/.test(prefix) ? Number(prefix) : bitsMax + 1;
  if (bits > bitsMax) return { problem: `must be a network: after "/" stands a number from 0 to ${bitsMax}` };
  const beyond = parsed.toByteArray().some((octet, index) => {
    const bitsOfOctet = Math.min(8, Math.max(0, bits - index * 8));
    return (octet & (0xff >> bitsOfOctet)) !== 0;
  });
  if (beyond) return { problem: `must be a network: the address has bits set beyond /${bits}` };
  return { network: `${parsed.toString()}/${bits}` };
}

/** A list, or a single item that stands for a list of one. */
export function oneOrMany<Item extends z.ZodType>(description: string, item: Item) {
  return z
    .preprocess(
      (value) => (value === undefined || value === null || Array.isArray(value) ? value : [value]),
      z.array(item, "must be a list").min(1, "must not be an empty list"),
    )
    .meta({ description, oneOrMany: true });
}

/** A list that may be empty, as it is without the key or without anything after the key. */
export function list<Item extends z.ZodType>(description: string, item: Item) {
  return z
    .preprocess((value) => value ?? [], z.array(item, "must be a list"))
    .prefault([])
    .meta({ description });
}

/** A RADIUS shared secret (CRY-17: never empty). */
export function secret(description: string) {
  return text(description).transform((value, context) => {
    try {
      return new SharedSecret(value);
    } catch (error) {
      return refuse(context, error instanceof HubError ? error.message : "can not be used as a secret");
    }
  });
}

export function isIpAddress(text: string): boolean {
  // ipaddr.js also reads "10.1" and "0x7f.1"; a zone ("%eth0") names an interface, which is no identity.
  return (
    ipaddr.IPv4.isValidFourPartDecimal(text) || (text.includes(":") && !text.includes("%") && ipaddr.IPv6.isValid(text))
  );
}

/** Ends a transform with a mistake. */
export function refuse(context: z.RefinementCtx, message: string): never {
  context.addIssue({ code: "custom", message });
  return z.NEVER;
}
