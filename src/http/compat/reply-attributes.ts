import type { Attribute } from "../../radius/attribute.ts";
import { REDACTED } from "../../radius/dictionary.ts";
import type { CompatDeps } from "./deps.ts";

/** Numbers that openwisp-radius answers bare, as its counters do. */
const COUNTERS: ReadonlySet<string> = new Set(["Session-Timeout"]);
/** Between the hub and its routers, and nothing for FreeRADIUS. */
const HOP_BY_HOP: ReadonlySet<string> = new Set(["Message-Authenticator", "Proxy-State", "Event-Timestamp"]);

/** Attributes of an Access-Accept as rlm_rest takes them: name, operator, value; of several values a list. */
export function replyAttributes(
  attributes: readonly Attribute[],
  dictionary: CompatDeps["dictionary"],
): Record<string, unknown> {
  const values = new Map<string, string[]>();
  const reply: Record<string, unknown> = {};
  for (const { name, value } of dictionary.decode(attributes)) {
    if (HOP_BY_HOP.has(name) || value === REDACTED) continue;
    if (COUNTERS.has(name)) reply[name] = value;
    else values.set(name, [...(values.get(name) ?? []), String(value)]);
  }
  for (const [name, texts] of values) {
    reply[name] = texts.length === 1 ? { op: "=", value: texts[0] } : { op: "+=", value: texts };
  }
  return reply;
}
