import { z } from "zod";
import { INTERIM_SECONDS_ADVISED, INTERIM_SECONDS_MIN } from "../aaa/users/options.ts";
import { parsePhc } from "../aaa/users/phc.ts";
import { PASSWORD_KINDS, type PlanValues } from "../store/user-types.ts";
import { flagField, textField, timeField, wholeField } from "./field-schema.ts";

/** RFC 2865 Section 5.2 */
const PASSWORD_BYTES_MAX = 128;
const RATE_BPS_MAX = 1e12;
const SECONDS_MAX = 0x7fff_ffff;
const RATE_ERROR = 'must be bits per second, or text such as "10M" or "512k"';
const RATE_UNITS: Readonly<Record<string, number>> = { "": 1, k: 1e3, M: 1e6, G: 1e9 };

/** Bits per second, 1000 of them a kilobit; 1 at least. */
const rateField = z
  .union([z.number(), z.string().transform(parseRate)], RATE_ERROR)
  .refine((bps) => Number.isInteger(bps) && bps >= 1 && bps <= RATE_BPS_MAX, RATE_ERROR);

function parseRate(text: string): number {
  const [, amount, unit] = /^(\d{1,13}(?:\.\d{1,6})?)([kMG]?)$/.exec(text) ?? [];
  return amount === undefined || unit === undefined
    ? Number.NaN
    : Math.round(Number(amount) * (RATE_UNITS[unit] ?? Number.NaN));
}

const INTERIM_ERROR = `must be ${INTERIM_SECONDS_MIN} seconds or more (RFC 2869 Section 5.16)`;

/** PlanValues as the API names them. */
export const valueFields = {
  rate_down: rateField.nullish(),
  rate_up: rateField.nullish(),
  session_timeout: wholeField(1, SECONDS_MAX).nullish(),
  idle_timeout: wholeField(1, SECONDS_MAX).nullish(),
  interim_interval: wholeField(0, SECONDS_MAX)
    .refine((seconds) => seconds >= INTERIM_SECONDS_MIN, INTERIM_ERROR)
    .nullish(),
  simultaneous_use: wholeField(1, 100_000).nullish(),
  port_limit: wholeField(1, SECONDS_MAX).nullish(),
  group: textField.nullish(),
} as const;
const valuesObject = z.strictObject(valueFields);
export const VALUE_NAMES = Object.keys(valueFields) as (keyof typeof valueFields)[];

const passwordField = z
  .string("must be text")
  .min(1, "must not be empty")
  .refine((text) => Buffer.byteLength(text) <= PASSWORD_BYTES_MAX, "must not be longer than 128 octets")
  .refine((text) => !text.includes("\u0000"), "must not hold a NUL character");

const HASH_ERROR = "must be argon2id or scrypt in PHC string format, or an NT hash of 32 hex digits";

/** One user, without its name. */
export const userFields = {
  password: passwordField.nullish(),
  password_kind: z.enum(PASSWORD_KINDS, `must be one of ${PASSWORD_KINDS.join(", ")}`).nullish(),
  password_hash: z
    .string(HASH_ERROR)
    .refine((text) => NT_HASH.test(text) || parsePhc(text) !== undefined, HASH_ERROR)
    .nullish(),
  valid_from: timeField.nullish(),
  valid_until: timeField.nullish(),
  disabled: flagField.nullish(),
  plan: textField.nullish(),
  overrides: valuesObject.nullish(),
  note: textField.nullish(),
} as const;

export const NT_HASH = /^[0-9a-f]{32}$/i;

const ruleNames = z.array(textField, "must be a list of rules").max(100, "must be at most 100");

/** One plan, without its name. */
export const planFields = { ...valueFields, quota: ruleNames.nullish(), note: textField.nullish() } as const;

export type ValuesInput = z.output<typeof valuesObject>;

export function planValues(given: ValuesInput): PlanValues {
  const { rate_down, rate_up, session_timeout, idle_timeout, interim_interval } = given;
  const values = {
    rateDownBps: rate_down,
    rateUpBps: rate_up,
    sessionTimeoutSeconds: session_timeout,
    idleTimeoutSeconds: idle_timeout,
    interimSeconds: interim_interval,
    simultaneousUse: given.simultaneous_use,
    portLimit: given.port_limit,
    group: given.group,
  };
  return Object.fromEntries(Object.entries(values).filter(([, value]) => value !== undefined && value !== null));
}

export function valuesJson(values: PlanValues) {
  return {
    rate_down: values.rateDownBps ?? null,
    rate_up: values.rateUpBps ?? null,
    session_timeout: values.sessionTimeoutSeconds ?? null,
    idle_timeout: values.idleTimeoutSeconds ?? null,
    interim_interval: values.interimSeconds ?? null,
    simultaneous_use: values.simultaneousUse ?? null,
    port_limit: values.portLimit ?? null,
    group: values.group ?? null,
  } satisfies Record<keyof typeof valueFields, string | number | null>;
}

/** What is allowed and probably not meant. */
export function valueWarnings({ interimSeconds }: PlanValues): readonly string[] {
  if (interimSeconds === undefined || interimSeconds >= INTERIM_SECONDS_ADVISED) return [];
  return [`interim_interval: below the ${INTERIM_SECONDS_ADVISED} seconds that RFC 2869 Section 5.16 advises`];
}
