import { z } from "zod";
import type { Target } from "../dynauth/exchange-request.ts";
import { namesAcctSession } from "../dynauth/session-resolver.ts";
import {
  ATTRIBUTE,
  type Attribute,
  attribute,
  firstValue,
  integerAttribute,
  textAttribute,
} from "../radius/attribute.ts";
import { parseCode } from "../radius/codes.ts";
import { addressOctets, nasAddressIn } from "./address-octets.ts";
import { parseAttributes } from "./attribute-input.ts";
import { addressField, checkFields, durationField, flagField, textField, wholeField } from "./field-schema.ts";
import { nasName, parseNasName, parseOctets } from "../registry/nas-name.ts";
import type { AttributeNames } from "./options.ts";
import { type Fields, type InputError, refuseIfAny } from "./parameters.ts";
import { refusal } from "./problem.ts";

/** What a caller asks for, checked and in RADIUS terms. */
export interface ExchangeInput {
  readonly code: number;
  readonly target: Target;
  readonly attributes: readonly Attribute[];
  readonly force: boolean;
  /** Undefined where the caller leaves it to the configuration. */
  readonly timeoutMs: number | undefined;
}

const triggerFields = z.strictObject({
  nas_identifier: textField.optional(),
  nas_ip_address: addressField.optional(),
  link_id: textField.optional(),
  username: textField.optional(),
  session_id: textField.optional(),
  calling_station_id: textField.optional(),
  called_station_id: textField.optional(),
  framed_ip: addressField.optional(),
  acct_multi_session_id: textField.optional(),
  chargeable_user_identity: textField.optional(),
  nas_port: wholeField(0, 0xffff_ffff).optional(),
  nas_port_id: textField.optional(),
  class: textField.optional(),
  attributes: z.unknown().optional(),
  force: flagField.optional(),
  timeout: durationField.optional(),
});
type TriggerFields = z.output<typeof triggerFields>;

const exchangeFields = triggerFields.extend({
  code: z.union([z.number(), z.string()], "must be a code or its name").transform((code, context) => {
    const number = parseCode(String(code));
    if (number !== undefined) return number;
    context.addIssue({ code: "custom", message: 'must be a code from 1 to 255 or its name, such as "CoA-Request"' });
    return z.NEVER;
  }),
});

const TEXT_FIELDS = {
  username: ATTRIBUTE.userName,
  session_id: ATTRIBUTE.acctSessionId,
  calling_station_id: ATTRIBUTE.callingStationId,
  called_station_id: ATTRIBUTE.calledStationId,
  acct_multi_session_id: ATTRIBUTE.acctMultiSessionId,
  nas_port_id: ATTRIBUTE.nasPortId,
} as const;

export interface InputRules {
  readonly dictionary: AttributeNames;
  readonly timeoutMaxMs: number;
  /** Whether there is a session index to find the NAS by the user. */
  readonly indexed: boolean;
}

/** Reads the fields of POST /disconnect and POST /coa.
 *  @throws {HubError} ERR_INPUT: bad-input, no-target */
export function triggerInput(code: number, fields: Fields, rules: InputRules): ExchangeInput {
  return assemble(code, checkFields(triggerFields, fields), rules);
}

/** Reads the fields of POST /v1/exchanges: the same and `code`.
 *  @throws {HubError} ERR_INPUT: bad-input, no-target */
export function exchangeInput(fields: Fields, rules: InputRules): ExchangeInput {
  const { code, ...rest } = checkFields(exchangeFields, fields);
  return assemble(code, rest, rules);
}

function assemble(
  code: number,
  fields: TriggerFields,
  { dictionary, timeoutMaxMs, indexed }: InputRules,
): ExchangeInput {
  const errors: InputError[] = [];
  const named = namedAttributes(fields);
  const listed = parseAttributes(fields.attributes, dictionary, errors);
  const added = listed.filter((each) => !repeats(each, named, dictionary, errors));
  const target = targetOf(fields, added, errors);
  if (fields.timeout !== undefined && fields.timeout > timeoutMaxMs) {
    errors.push({ field: "timeout", detail: `must be at most ${timeoutMaxMs / 1_000} s` });
  }
  refuseIfAny(errors);
  const attributes = [...named.values(), ...added];
  if (Object.keys(target).length === 0 && !(indexed && namesAcctSession(attributes))) {
    throw refusal("no-target", indexed ? NO_TARGET_INDEXED : NO_TARGET);
  }
  if (fields.class !== undefined) attributes.push(attribute(ATTRIBUTE.class, parseOctets(fields.class)));
  return { code, target, attributes, force: fields.force ?? false, timeoutMs: fields.timeout };
}

const NO_TARGET = "give nas_identifier, nas_ip_address or link_id: nothing else says which NAS is meant";
const NO_TARGET_INDEXED =
  "give nas_identifier, nas_ip_address or link_id, or what finds acct sessions: username, session_id, calling_station_id or framed_ip";

/** The identification that has fields of its own (RFC 5176 Section 3), by type. */
function namedAttributes(fields: TriggerFields): Map<number, Attribute> {
  const named = new Map<number, Attribute>();
  const add = (each: Attribute): void => void named.set(each.type, each);
  for (const [field, type] of Object.entries(TEXT_FIELDS)) {
    const text = fields[field as keyof typeof TEXT_FIELDS];
    if (text !== undefined) add(textAttribute(type, text));
  }
  const { framed_ip: framedIp, chargeable_user_identity: identity, nas_port: nasPort } = fields;
  if (nasPort !== undefined) add(integerAttribute(ATTRIBUTE.nasPort, nasPort));
  if (identity !== undefined) add(attribute(ATTRIBUTE.chargeableUserIdentity, parseOctets(identity)));
  if (framedIp !== undefined) {
    const octets = addressOctets(framedIp);
    add(attribute(octets.length === 4 ? ATTRIBUTE.framedIpAddress : ATTRIBUTE.framedIpv6Address, octets));
  }
  return named;
}

/** Whether `attributes` says again what a field has said; saying something else is a mistake. */
function repeats(
  each: Attribute,
  named: ReadonlyMap<number, Attribute>,
  dictionary: AttributeNames,
  errors: InputError[],
): boolean {
  const same = named.get(each.type);
  if (same === undefined) return false;
  if (!same.value.equals(each.value)) {
    errors.push({
      field: `attributes.${dictionary.attributeName(each)}`,
      detail: "differs from the field of the same meaning",
    });
  }
  return true;
}

/** The NAS that the fields name, or else the one that the attributes name. */
function targetOf(fields: TriggerFields, attributes: readonly Attribute[], errors: InputError[]): Target {
  const listedName = firstValue(attributes, ATTRIBUTE.nasIdentifier)?.toString("latin1");
  const listedAddress = nasAddressIn(attributes);
  const name = fields.nas_identifier === undefined ? undefined : parseNasName(fields.nas_identifier);
  const address = fields.nas_ip_address;
  // Another NAS inside than outside: a NAS behind a proxy. The link says which proxy is meant without a contradiction.
  const differs = (field: string, other: string): InputError => ({
    field,
    detail: `differs from ${other}; to reach a NAS behind a proxy, give the link_id of the proxy`,
  });
  if (name !== undefined && listedName !== undefined && name !== listedName) {
    errors.push(differs("nas_identifier", `NAS-Identifier ${nasName(listedName)} in attributes`));
  }
  if (address !== undefined && listedAddress !== undefined && address !== listedAddress) {
    errors.push(differs("nas_ip_address", `${listedAddress} in attributes`));
  }
  if (fields.link_id !== undefined) {
    // The named link is meant, whatever NAS the packet names.
    return { linkId: fields.link_id, ...present(name, address) };
  }
  return present(name ?? listedName, address ?? listedAddress);
}

function present(nasIdentifier: string | undefined, nasAddress: string | undefined): Target {
  return {
    ...(nasIdentifier === undefined ? {} : { nasIdentifier }),
    ...(nasAddress === undefined ? {} : { nasAddress }),
  };
}
