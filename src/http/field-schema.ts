import { z } from "zod";
import { ATTRIBUTE_VALUE_BYTES_MAX } from "../radius/attribute.ts";
import { canonicalAddress } from "../transport/networks.ts";
import { closest } from "./closest.ts";
import { type Fields, type InputError, refuseIfAny } from "./parameters.ts";

/** Text that is one attribute. */
export const textField = z
  .string("must be text")
  .min(1, "must not be empty")
  .refine((text) => Buffer.byteLength(text) <= ATTRIBUTE_VALUE_BYTES_MAX, "must not be longer than 253 octets")
  .refine((text) => !text.includes("\u0000"), "must not hold a NUL character");

/** Whole numbers, in digits where the source knows text only. */
export function wholeField(min: number, max: number) {
  const error = `must be a whole number from ${min} to ${max}`;
  return z
    .union(
      [
        z.number(),
        z
          .string()
          .regex(/^\d{1,15}$/)
          .transform(Number),
      ],
      error,
    )
    .refine((number) => Number.isInteger(number) && number >= min && number <= max, error);
}

export const flagField = z.union(
  [z.boolean(), z.enum(["true", "1"]).transform(() => true), z.enum(["false", "0"]).transform(() => false)],
  "must be true or false",
);

/** An IPv4 or IPv6 address, canonical afterwards. */
export const addressField = z.string("must be an IP address").transform((text, context) => {
  const address = canonicalAddress(text);
  if (address !== undefined) return address;
  context.addIssue({ code: "custom", message: "must be an IP address" });
  return z.NEVER;
});

const TIME = /^\d{4}-\d\d-\d\d(?:T\d\d:\d\d(?::\d\d(?:\.\d{1,9})?)?(?:Z|[+-]\d\d:\d\d))?$/;

const TIME_ERROR = 'must be a date or a time with its zone, such as "2026-11-22T08:00:00Z"';

/** A date, which begins at 00:00 UTC, or a time with its zone (RFC 3339); wall clock milliseconds afterwards. */
export const timeField = z.string(TIME_ERROR).transform((text, context) => {
  const ms = TIME.test(text) ? Date.parse(text) : Number.NaN;
  if (!Number.isNaN(ms)) return ms;
  context.addIssue({ code: "custom", message: TIME_ERROR });
  return z.NEVER;
});

const DURATION_ERROR = 'must be more than 0, in seconds or with a unit such as "10s"';

/** Seconds as a number, or text with a unit ("500ms", "10s"), milliseconds afterwards. */
export const durationField = z
  .union([z.number().transform((seconds) => seconds * 1_000), z.string().transform(parseDuration)], DURATION_ERROR)
  .refine((ms) => ms > 0, DURATION_ERROR);

const UNIT_MS: Readonly<Record<string, number>> = { ms: 1, s: 1_000, m: 60_000, "": 1_000 };

function parseDuration(text: string): number {
  const [, amount, unit] = /^(\d{1,9}(?:\.\d{1,6})?)(ms|s|m|)$/.exec(text) ?? [];
  return amount === undefined || unit === undefined ? Number.NaN : Number(amount) * (UNIT_MS[unit] ?? Number.NaN);
}

/** Checks fields against a strict object schema.
 *  @throws {HubError} ERR_INPUT: bad-input with every mistake; an unknown field is one, with the field that may have been meant */
export function checkFields<Schema extends z.ZodObject>(schema: Schema, fields: Fields): z.output<Schema> {
  const checked = schema.safeParse(fields);
  if (checked.success) return checked.data;
  const known = Object.keys(schema.shape);
  const errors: InputError[] = [];
  for (const issue of checked.error.issues) {
    if (issue.code === "unrecognized_keys")
      errors.push(...issue.keys.slice(0, UNKNOWN_TOLD_MAX).map((field) => unknownField(field, known)));
    else errors.push({ field: issue.path.join("."), detail: issue.message });
  }
  refuseIfAny(errors);
  throw new TypeError("zod refused without an issue");
}

/** Unknown fields that are told: to find out what was meant takes its time. */
const UNKNOWN_TOLD_MAX = 100;

function unknownField(field: string, known: readonly string[]): InputError {
  const meant = closest(field, known);
  return { field, detail: meant === undefined ? "unknown field" : `unknown field, did you mean ${meant}?` };
}
