import { LRUCache } from "lru-cache";
import { type Attribute, integerAttribute } from "../../radius/attribute.ts";
import type { Dictionary } from "../../radius/dictionary.ts";
import type { PlanValues } from "../../store/user-types.ts";
import type { KnownUser, PlanRenderer, SessionBounds } from "../users/types.ts";
import { type NamedValue, renderRates } from "./render-rates.ts";
import { type VendorProfile, vendorProfile } from "./vendor-table.ts";

/** What an open acct session is to be told. */
export type SessionChange =
  | { readonly kind: "coa"; readonly attributes: readonly Attribute[] }
  /** Its router can not be told: it is disconnected, and gets its new values at the next login. */
  | { readonly kind: "disconnect" };

export interface ChangeBounds extends SessionBounds {
  readonly startedAtMs: number;
  /** A throttle of the quota is in force: its rate stays. */
  readonly throttled: boolean;
}

/** Lists of encoded attributes that are remembered, by vendor and values; some 500 octets each. */
const ENCODED_MAX = 10_000;
/** RFC 2865 Section 5.27 */
const SESSION_TIMEOUT = 27;
/** RADIUS integers are 32 bits; a router may take them as signed. */
const SECONDS_MAX = 0x7fff_ffff;

/** Plan values as attributes, for an Access-Accept and for a CoA-Request. */
export class PlanAttributes implements PlanRenderer {
  readonly #dictionary: Pick<Dictionary, "encode">;
  /** What an accept of these values begins with. A KnownUser keeps its values as long as it lives. */
  #accepts = new WeakMap<PlanValues, { readonly profile: VendorProfile; readonly steady: readonly Attribute[] }>();
  readonly #encoded = new LRUCache<string, readonly Attribute[]>({ max: ENCODED_MAX });
  #interimSeconds: number;

  /** @param interimSeconds Acct-Interim-Interval for plans that have none of their own */
  constructor(dictionary: Pick<Dictionary, "encode">, interimSeconds: number) {
    this.#dictionary = dictionary;
    this.#interimSeconds = interimSeconds;
  }

  apply(interimSeconds: number): void {
    this.#interimSeconds = interimSeconds;
    this.#accepts = new WeakMap();
  }

  accept({ values, user }: KnownUser, vendor: string | undefined, bounds: SessionBounds): readonly Attribute[] {
    const steady = this.#acceptOf(values, vendorProfile(vendor));
    const validSeconds = secondsUntil(user.validUntilMs, bounds.nowMs);
    return withTimeout(steady, [values.sessionTimeoutSeconds, validSeconds, bounds.secondsLeft]);
  }

  /** For an open acct session, whose values may be other ones than those that hold now. */
  change({ values, user }: KnownUser, vendor: string | undefined, bounds: ChangeBounds): SessionChange {
    const profile = vendorProfile(vendor);
    if (profile.change === "disconnect") return { kind: "disconnect" };
    const rates = bounds.throttled ? { attributes: [], unsaid: false } : renderRates(profile, values, "change");
    if (rates.unsaid) return { kind: "disconnect" };
    const steady = this.#encode([...rates.attributes, ...this.#group(profile.group, values), ...this.#steady(values)]);
    // RFC 2865 Section 5.27: seconds of the whole session, so what has passed of it is added to what is left.
    const passed = Math.max(0, Math.floor((bounds.nowMs - bounds.startedAtMs) / 1_000));
    const left = [secondsUntil(user.validUntilMs, bounds.nowMs), bounds.secondsLeft];
    const ends = left.map((seconds) => (seconds === undefined ? undefined : passed + seconds));
    return { kind: "coa", attributes: withTimeout(steady, [values.sessionTimeoutSeconds, ...ends]) };
  }

  #acceptOf(values: PlanValues, profile: VendorProfile): readonly Attribute[] {
    const made = this.#accepts.get(values);
    if (made?.profile === profile) return made.steady;
    const { attributes } = renderRates(profile, values, "accept");
    const steady = this.#encode([...attributes, ...this.#group(profile.group, values), ...this.#steady(values)]);
    this.#accepts.set(values, { profile, steady });
    return steady;
  }

  #steady({ idleTimeoutSeconds, interimSeconds, portLimit }: PlanValues): NamedValue[] {
    const named: NamedValue[] = [{ name: "Acct-Interim-Interval", value: interimSeconds ?? this.#interimSeconds }];
    if (idleTimeoutSeconds !== undefined) named.push({ name: "Idle-Timeout", value: idleTimeoutSeconds });
    if (portLimit !== undefined) named.push({ name: "Port-Limit", value: portLimit });
    return named;
  }

  #group(attribute: string, { group }: PlanValues): NamedValue[] {
    return group === undefined ? [] : [{ name: attribute, value: group }];
  }

  #encode(named: readonly NamedValue[]): readonly Attribute[] {
    const key = JSON.stringify(named);
    let encoded = this.#encoded.get(key);
    if (encoded === undefined) {
      encoded = named.flatMap(({ name, value }) => this.#dictionary.encode(name, value));
      this.#encoded.set(key, encoded);
    }
    return encoded;
  }
}

function withTimeout(steady: readonly Attribute[], limits: readonly (number | undefined)[]): readonly Attribute[] {
  const given = limits.filter((seconds) => seconds !== undefined);
  if (given.length === 0) return steady;
  // 0 would be no limit for some routers.
  const seconds = Math.max(1, Math.floor(Math.min(...given, SECONDS_MAX)));
  return [...steady, integerAttribute(SESSION_TIMEOUT, seconds)];
}

function secondsUntil(endMs: number | undefined, nowMs: number): number | undefined {
  return endMs === undefined ? undefined : (endMs - nowMs) / 1_000;
}
