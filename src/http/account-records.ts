import { z } from "zod";
import { standingOf } from "../aaa/users/standing.ts";
import type { NewPlan, NewUser } from "../aaa/users/user-writer.ts";
import { octetText, textOctets } from "../store/octet-text.ts";
import type { Plan, StoredPassword, User } from "../store/user-types.ts";
import { NT_HASH, planFields, planValues, userFields, valuesJson, valueWarnings } from "./account-fields.ts";
import { closest } from "./closest.ts";
import { checkFields, textField } from "./field-schema.ts";
import type { AccountsView, HttpDeps } from "./options.ts";
import { type Fields, type InputError, refuseIfAny } from "./parameters.ts";
import { refusal } from "./problem.ts";

/** As octetText() writes the User-Name of a login: any other way to write it would be a user who can never log in. */
const usernameField = textField.refine(
  (text) => octetText(textOctets(text)) === text,
  'must be printable text; other octets are written as "0x" and lower case digits, and text that looks like that as well',
);
const userObject = z.strictObject({ username: usernameField, ...userFields });
const planObject = z.strictObject({ name: textField, ...planFields });

/** A user as somebody wants it: what is checked, and the password that is still to be hashed. */
export interface WantedUser {
  readonly user: Omit<NewUser, "password">;
  /** "keep": that of the user who is there. */
  readonly password:
    | "keep"
    | StoredPassword
    | { readonly text: string; readonly as: StoredPassword["kind"] }
    | undefined;
}

/** @throws {HubError} ERR_INPUT: bad-input with every mistake */
export function wantedUser(fields: Fields): WantedUser {
  const given = checkFields(userObject, fields);
  const { username, valid_from, valid_until, disabled, plan, overrides, note } = given;
  const errors: InputError[] = [];
  if (isGiven(valid_from) && isGiven(valid_until) && valid_until <= valid_from) {
    errors.push({ field: "valid_until", detail: "must be after valid_from" });
  }
  const password = wantedPassword(given, errors);
  refuseIfAny(errors);
  const user = {
    username,
    validFromMs: valid_from ?? undefined,
    validUntilMs: valid_until ?? undefined,
    disabled: disabled ?? false,
    plan: plan ?? undefined,
    overrides: planValues(overrides ?? {}),
    note: note ?? undefined,
  };
  return { user, password };
}

function wantedPassword(given: z.output<typeof userObject>, errors: InputError[]): WantedUser["password"] {
  const { password, password_kind: kind, password_hash: hash } = given;
  if (isGiven(hash)) {
    const isNt = NT_HASH.test(hash);
    if (isGiven(password)) errors.push({ field: "password_hash", detail: "has no meaning beside password" });
    if (isGiven(kind) && kind !== (isNt ? "nt-hash" : "hashed")) {
      errors.push({ field: "password_kind", detail: "is another kind than that of password_hash" });
    }
    return isNt ? { kind: "nt-hash", secret: hash.toLowerCase() } : { kind: "hashed", secret: hash };
  }
  if (!isGiven(password)) {
    if (isGiven(kind)) errors.push({ field: "password_kind", detail: "has no meaning without password" });
    return password === null || hash === null ? undefined : "keep";
  }
  return { text: password, as: kind ?? "hashed" };
}

/** @throws {HubError} ERR_INPUT: bad-input with every mistake */
export function wantedPlan(fields: Fields, ruleNames: readonly string[]): NewPlan {
  const { name, quota, note, ...values } = checkFields(planObject, fields);
  const quotaRules = quota ?? [];
  refuseIfAny(
    quotaRules.flatMap((rule, index) => {
      const field = `quota.${index}`;
      if (quotaRules.indexOf(rule) < index) return [{ field, detail: "given twice" }];
      if (ruleNames.includes(rule)) return [];
      const meant = closest(rule, ruleNames);
      return [{ field, detail: `no rule of hub.yaml${meant === undefined ? "" : `, did you mean ${meant}?`}` }];
    }),
  );
  return { name, values: planValues(values), quotaRules, note: note ?? undefined };
}

/** A plan that does not exist would mean no limits at all. @throws {HubError} ERR_STORE */
export async function planMistakes(
  { directory }: Pick<AccountsView, "directory">,
  plan: string | undefined,
): Promise<InputError[]> {
  if (plan === undefined || (await directory.plan(plan)) !== undefined) return [];
  return [{ field: "plan", detail: "there is no such plan" }];
}

/** @param before the user who is there. @throws {HubError} ERR_INPUT: busy when too many passwords wait to be hashed */
export async function newUser(
  { passwords }: Pick<AccountsView, "passwords">,
  { user, password }: WantedUser,
  before: User | undefined,
): Promise<NewUser> {
  if (password === "keep") return { ...user, password: before?.password };
  if (password === undefined || "kind" in password) return { ...user, password };
  const stored = await passwords.stored(password.text, password.as);
  if (stored === undefined) throw refusal("busy", "too many passwords wait to be hashed");
  return { ...user, password: stored };
}

export function userJson(user: User, clock: HttpDeps["clock"]) {
  const { username, password, validFromMs, validUntilMs, disabled, plan, overrides, note, changedAtMs } = user;
  return {
    username,
    password_kind: password?.kind ?? null,
    valid_from: timeText(validFromMs),
    valid_until: timeText(validUntilMs),
    disabled,
    status: standingOf(user, clock.wallMs()),
    plan: plan ?? null,
    overrides: Object.fromEntries(Object.entries(valuesJson(overrides)).filter(([, value]) => value !== null)),
    note: note ?? null,
    changed_at: new Date(changedAtMs).toISOString(),
    ...warnings(overrides),
  };
}

export function planJson({ name, values, quotaRules, note, changedAtMs }: Plan) {
  return {
    name,
    ...valuesJson(values),
    quota: quotaRules,
    note: note ?? null,
    changed_at: new Date(changedAtMs).toISOString(),
    ...warnings(values),
  };
}

function warnings(values: Plan["values"]) {
  const told = valueWarnings(values);
  return told.length === 0 ? {} : { warnings: told };
}

function isGiven<Value>(value: Value | null | undefined): value is Value {
  return value !== undefined && value !== null;
}

function timeText(ms: number | undefined): string | null {
  return ms === undefined ? null : new Date(ms).toISOString();
}
