import ipaddr from "ipaddr.js";
import { z } from "zod";
import { canonicalAddress } from "../../transport/networks.ts";
import type { FieldErrors } from "./answers.ts";

/** Text as Django REST framework takes it: numbers are text too, space around it goes. */
export function charField(max: number) {
  return z
    .union([z.string(), z.number()], "Not a valid string.")
    .transform((value) => String(value).trim())
    .refine((text) => text.length <= max, `Ensure this field has no more than ${max} characters.`)
    .refine((text) => !text.includes("\u0000"), "Null characters are not allowed.");
}

/** As charField(), and not empty. */
export function filledField(max: number) {
  return charField(max).refine((text) => text !== "", "This field may not be blank.");
}

/** What is not there, null or "" is undefined. */
export function optional<Schema extends z.ZodType>(field: Schema) {
  return z.preprocess((value) => (value === "" || value === null ? undefined : value), field.optional());
}

/** A whole number, from 0 or `min`. */
export function integerField(max: number, min = 0) {
  const error = "A valid integer is required.";
  const digits = z
    .string()
    .trim()
    .regex(/^-?\d{1,16}(?:\.0*)?$/, error)
    .transform(Number);
  return z
    .union([z.number(), digits], error)
    .refine(Number.isInteger, error)
    .refine((number) => number >= min, `Ensure this value is greater than or equal to ${min}.`)
    .refine((number) => number <= max, `Ensure this value is less than or equal to ${max}.`);
}

/** Canonical afterwards; with "IPv6", one that is mapped from IPv4 stays IPv6. */
export function addressField(kinds: "IPv4 or IPv6" | "IPv6" = "IPv4 or IPv6") {
  const error = `Enter a valid ${kinds} address.`;
  return z.string(error).transform((given, context) => {
    const text = given.trim();
    const address = canonicalAddress(text);
    if (address !== undefined && (kinds !== "IPv6" || text.includes(":"))) {
      return kinds === "IPv6" && !address.includes(":") ? `::ffff:${address}` : address;
    }
    context.addIssue({ code: "custom", message: error });
    return z.NEVER;
  });
}

/** A network of IPv6 addresses; an address alone is one of 128 bits. */
export function prefixField(max: number) {
  return charField(max).transform((text, context) => {
    const network = text.includes("/") ? text : `${text}/128`;
    if (ipaddr.IPv6.isValidCIDR(network)) {
      const [address] = ipaddr.IPv6.parseCIDR(network);
      const isWhole = ipaddr.IPv6.networkAddressFromCIDR(network).toString() === address.toString();
      if (isWhole) return network;
      context.addIssue({ code: "custom", message: `Invalid ipv6 prefix: ${text} has host bits set` });
      return z.NEVER;
    }
    const isV4 = ipaddr.IPv4.isValidCIDR(text.includes("/") ? text : `${text}/32`);
    const message = `Invalid ipv6 prefix: '${text}' does not appear to be an IPv4 or IPv6 network`;
    context.addIssue({ code: "custom", message: isV4 ? `${text} is not an IPv6 prefix` : message });
    return z.NEVER;
  });
}

export function choiceField<const Choices extends readonly [string, ...string[]]>(choices: Choices) {
  return z.unknown().transform((value, context): Choices[number] => {
    const found = choices.find((choice) => choice === value);
    if (found !== undefined) return found;
    context.addIssue({ code: "custom", message: `"${shown(value)}" is not a valid choice.` });
    return z.NEVER;
  });
}

/** Milliseconds afterwards. */
export const dateTimeField = z.string(dateTimeError()).transform((text, context) => {
  const atMs = parseDateTime(text);
  if (atMs !== undefined) return atMs;
  context.addIssue({ code: "custom", message: dateTimeError() });
  return z.NEVER;
});

const DATE_TIME = /^\d{4}-\d\d-\d\d[T ]\d\d:\d\d(?::\d\d(?:\.\d{1,9})?)?(Z|[+-]\d\d:?\d\d)?$/i;

/** ISO 8601; without an offset it is UTC. A date alone is its midnight. */
export function parseDateTime(text: string): number | undefined {
  const isDate = /^\d{4}-\d\d-\d\d$/.test(text);
  const [, offset] = DATE_TIME.exec(text) ?? [];
  if (!isDate && !DATE_TIME.test(text)) return undefined;
  const atMs = Date.parse(isDate || offset !== undefined ? text : `${text}Z`);
  return Number.isNaN(atMs) ? undefined : atMs;
}

function dateTimeError(): string {
  return "Datetime has wrong format. Use one of these formats instead: YYYY-MM-DDThh:mm[:ss[.uuuuuu]][+HH:MM|-HH:MM|Z].";
}

/** Unknown fields are passed over, as Django REST framework does.
 *  @returns the values, or every mistake by field */
export function checkedFields<Schema extends z.ZodType>(
  schema: Schema,
  fields: object,
): { readonly ok: true; readonly values: z.output<Schema> } | { readonly ok: false; readonly errors: FieldErrors } {
  const result = schema.safeParse(fields, {
    error: (issue) => (issue.input === undefined ? "This field is required." : undefined),
  });
  if (result.success) return { ok: true, values: result.data };
  const errors: Record<string, string[]> = {};
  for (const { path, message } of result.error.issues) {
    const field = String(path[0] ?? "non_field_errors");
    (errors[field] ??= []).push(absence(fields, field) ?? message);
  }
  return {
    ok: false,
    errors: Object.fromEntries(Object.entries(errors).map(([name, texts]) => [name, [...new Set(texts)]])),
  };
}

/** What is wrong with a field that is not there; undefined for one that is. */
function absence(fields: object, field: string): string | undefined {
  if (!Object.hasOwn(fields, field)) return "This field is required.";
  return Reflect.get(fields, field) === null ? "This field may not be null." : undefined;
}

const SHOWN_MAX = 64;

function shown(value: unknown): string {
  const text = typeof value === "string" ? value : (JSON.stringify(value) ?? "");
  return text.slice(0, SHOWN_MAX);
}
