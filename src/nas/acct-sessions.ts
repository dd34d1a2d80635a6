import ipaddr from "ipaddr.js";
import { HubError } from "../errors.ts";
import { ATTRIBUTE, type Attribute, textAttribute } from "../radius/attribute.ts";

/** Our choice: what one simulator holds; add() refuses more. */
const ACCT_SESSIONS_MAX = 100_000;
/** Our choice: what CoAs can pile up in one acct session; change() refuses more. */
export const ACCT_SESSION_ATTRIBUTES_MAX = 256;

/** Attributes that say which acct session is meant (RFC 5176 Section 3). A Vendor-Specific identifies only in a
 *  Disconnect-Request: in a CoA-Request it is a change (RC-13; Section 3.6 note 7). */
export const SESSION_IDENTIFICATION: ReadonlySet<number> = new Set([
  ATTRIBUTE.userName,
  ATTRIBUTE.nasPort,
  ATTRIBUTE.framedIpAddress,
  ATTRIBUTE.calledStationId,
  ATTRIBUTE.callingStationId,
  ATTRIBUTE.acctSessionId,
  ATTRIBUTE.acctMultiSessionId,
  ATTRIBUTE.nasPortId,
  ATTRIBUTE.chargeableUserIdentity,
  ATTRIBUTE.framedInterfaceId,
  ATTRIBUTE.framedIpv6Prefix,
]);

export interface AcctSessionFacts {
  readonly username: string;
  readonly acctSessionId: string;
  readonly callingStationId?: string | undefined;
  /** IPv4 text. */
  readonly framedIp?: string | undefined;
  /** What else identifies or describes it. */
  readonly attributes?: readonly Attribute[];
}

/** One user's session at the simulated router. */
export interface AcctSession {
  readonly username: string;
  readonly acctSessionId: string;
  /** Identification and authorization, as octets; a CoA replaces what it names. */
  readonly attributes: readonly Attribute[];
  /** Wall clock. */
  readonly startedAtMs: number;
}

/** The acct sessions of one router, found by octets: no case folding, no trimming.
 *  (1) A session is here from add() until end(). (2) Acct-Session-Id is unique among them. */
export class AcctSessions implements Iterable<AcctSession> {
  readonly #sessions = new Map<string, AcctSession>();

  get size(): number {
    return this.#sessions.size;
  }

  [Symbol.iterator](): IterableIterator<AcctSession> {
    return this.#sessions.values();
  }

  /** @throws {HubError} ERR_INPUT for a second session of the same Acct-Session-Id, a bad address, or too many. */
  add(facts: AcctSessionFacts, startedAtMs: number): AcctSession {
    if (this.#sessions.size >= ACCT_SESSIONS_MAX) {
      throw new HubError("ERR_INPUT", `a simulated router has at most ${ACCT_SESSIONS_MAX} acct sessions`);
    }
    if (this.#sessions.has(facts.acctSessionId)) {
      throw new HubError("ERR_INPUT", `the acct session "${facts.acctSessionId}" exists already`);
    }
    const attributes = [
      textAttribute(ATTRIBUTE.userName, facts.username),
      textAttribute(ATTRIBUTE.acctSessionId, facts.acctSessionId),
    ];
    if (facts.callingStationId !== undefined) {
      attributes.push(textAttribute(ATTRIBUTE.callingStationId, facts.callingStationId));
    }
    if (facts.framedIp !== undefined) attributes.push(ipv4Attribute(ATTRIBUTE.framedIpAddress, facts.framedIp));
    attributes.push(...(facts.attributes ?? []));
    const { username, acctSessionId } = facts;
    const acctSession: AcctSession = { username, acctSessionId, attributes, startedAtMs };
    this.#sessions.set(acctSessionId, acctSession);
    return acctSession;
  }

  byAcctSessionId(acctSessionId: string): AcctSession | undefined {
    return this.#sessions.get(acctSessionId);
  }

  /** Every session that has each of the given attributes with the same octets (RFC 5176 Section 3: all must match). */
  match(identification: readonly Attribute[]): readonly AcctSession[] {
    const named = identification.find((each) => each.type === ATTRIBUTE.acctSessionId);
    const one = named && this.#sessions.get(named.value.toString("utf8"));
    const candidates = named === undefined ? [...this.#sessions.values()] : one === undefined ? [] : [one];
    return candidates.filter((each) => identification.every((wanted) => has(each.attributes, wanted)));
  }

  /** @returns whether it was there */
  end(acctSession: AcctSession): boolean {
    return this.#sessions.delete(acctSession.acctSessionId);
  }

  /** Each attribute replaces those of the same kind that the session has.
   *  @returns the session as it is now, or undefined when it would outgrow its bound */
  change(acctSession: AcctSession, changes: readonly Attribute[]): AcctSession | undefined {
    const replaced = new Set(changes.map(kindOf));
    const kept = acctSession.attributes.filter((each) => !replaced.has(kindOf(each)));
    if (kept.length + changes.length > ACCT_SESSION_ATTRIBUTES_MAX) return undefined;
    const copies = changes.map(({ type, value }) => ({ type, value: Buffer.from(value) }));
    const changed: AcctSession = { ...acctSession, attributes: [...kept, ...copies] };
    this.#sessions.set(changed.acctSessionId, changed);
    return changed;
  }

  /** Puts a session back as it was before change(). */
  restore(earlier: AcctSession): void {
    if (this.#sessions.has(earlier.acctSessionId)) this.#sessions.set(earlier.acctSessionId, earlier);
  }
}

/** @throws {HubError} ERR_INPUT when the text is no IPv4 address */
export function ipv4Attribute(type: number, text: string): Attribute {
  if (!ipaddr.IPv4.isValidFourPartDecimal(text)) {
    throw new HubError("ERR_INPUT", `"${text}" is not an IPv4 address`, { text });
  }
  return { type, value: Buffer.from(ipaddr.IPv4.parse(text).toByteArray()) };
}

function has(attributes: readonly Attribute[], wanted: Attribute): boolean {
  return attributes.some((each) => each.type === wanted.type && each.value.equals(wanted.value));
}

/** Vendor-Specific attributes are as many kinds as they have vendors and vendor types (RFC 2865 Section 5.26). */
function kindOf({ type, value }: Attribute): string {
  return type === ATTRIBUTE.vendorSpecific ? `${type}.${value.toString("hex", 0, 5)}` : String(type);
}
