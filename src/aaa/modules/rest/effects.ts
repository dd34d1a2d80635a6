import { HubError } from "../../../errors.ts";
import type { Attribute } from "../../../radius/attribute.ts";
import type { Dictionary } from "../../../radius/dictionary.ts";
import { textOctets } from "../../../store/octet-text.ts";
import type { AaaRequest, Control, KnownPassword } from "../../pipeline/types.ts";
import { type Operator, type Told, UnreadableAnswer } from "./answer-body.ts";

/** Something that an answer does to a request, ready to be done any number of times. */
export type Effect =
  | { readonly kind: "reply"; readonly op: Operator; readonly name: string; readonly attributes: readonly Attribute[] }
  | { readonly kind: "control"; readonly set: (control: Control) => void };

export interface EffectDeps {
  readonly dictionary: Dictionary;
  /** Whether `upstreams.pools` has it. */
  readonly hasPool: (name: string) => boolean;
  /** Told of a name that means nothing here; it is left out, as rlm_rest does. */
  readonly unknown: (name: string) => void;
}

/** Reads everything before anything is done: an answer counts whole or not at all. @throws {UnreadableAnswer} */
export function effectsOf(told: readonly Told[], deps: EffectDeps): readonly Effect[] {
  return told.flatMap((each): Effect[] => {
    const effect = each.list === "reply" ? replyEffect(each, deps) : controlEffect(each, deps);
    if (effect === undefined) deps.unknown(each.list === "reply" ? each.name : `${each.list}:${each.name}`);
    return effect === undefined ? [] : [effect];
  });
}

export function apply(effects: readonly Effect[], { reply, control }: Pick<AaaRequest, "reply" | "control">): void {
  for (const effect of effects) {
    if (effect.kind === "control") effect.set(control);
    else if (effect.op === ":=") {
      reply.remove(effect.name);
      reply.push(effect.attributes);
    } else if (effect.op === "+=" || !reply.has(effect.name)) reply.push(effect.attributes);
  }
}

function replyEffect({ name, op, values }: Told, { dictionary }: EffectDeps): Effect | undefined {
  try {
    return { kind: "reply", op, name, attributes: values.flatMap((value) => dictionary.encode(name, value)) };
  } catch (error) {
    if (!(error instanceof HubError)) throw error;
    if (error.code === "ERR_DICTIONARY") return undefined;
    throw new UnreadableAnswer(error.message, { cause: error });
  }
}

function controlEffect({ list, name, values }: Told, { hasPool }: EffectDeps): Effect | undefined {
  const lower = name.toLowerCase();
  const value = String(values.at(-1));
  if (list === "request") {
    return lower === "user-name" ? { kind: "control", set: (control) => void (control.username = value) } : undefined;
  }
  if (lower === "proxy-to-realm" && !hasPool(value)) return undefined;
  const set = CONTROL_SETTERS.get(lower)?.(value);
  return set === undefined ? undefined : { kind: "control", set };
}

/** What can be told with "control:" before it: each reads a value and makes what sets it. */
const CONTROL_SETTERS: ReadonlyMap<string, (value: string) => (control: Control) => void> = new Map<
  string,
  (value: string) => (control: Control) => void
>([
  ["auth-type", (value) => (control) => void (control.authType = value)],
  ["proxy-to-realm", (value) => (control) => void (control.proxyTo = value)],
  ["cleartext-password", (value) => passwordSetter({ kind: "clear-text", octets: Buffer.from(value, "utf8") })],
  ["nt-password", (value) => passwordSetter({ kind: "nt-hash", octets: ntHashOf(value) })],
  [
    "simultaneous-use",
    (value) => {
      const most = wholeNumber(value, "Simultaneous-Use");
      return (control) => void (control.simultaneousUse = most);
    },
  ],
]);

function passwordSetter(password: KnownPassword): (control: Control) => void {
  return (control) => void (control.password = password);
}

/** Lower case. */
export const CONTROL_NAMES: ReadonlySet<string> = new Set(CONTROL_SETTERS.keys());

/** 16 octets, in hex with or without 0x. */
function ntHashOf(value: string): Buffer {
  const octets = textOctets(value.startsWith("0x") ? value : `0x${value}`);
  if (octets.length === NT_HASH_BYTES) return octets;
  throw new UnreadableAnswer("NT-Password is not 16 octets in hex");
}

const NT_HASH_BYTES = 16;

function wholeNumber(value: string, name: string): number {
  if (/^\d{1,9}$/.test(value)) return Number(value);
  throw new UnreadableAnswer(`${name} is no whole number`);
}
