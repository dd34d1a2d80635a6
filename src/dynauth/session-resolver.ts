import ipaddr from "ipaddr.js";
import type { Clock } from "../clock.ts";
import { HubError } from "../errors.ts";
import { ATTRIBUTE, type Attribute, attribute, firstValue } from "../radius/attribute.ts";
import { inPreferenceOrder } from "../registry/preference.ts";
import type { Registry } from "../registry/registry.ts";
import type { LinkRecord } from "../registry/types.ts";
import type { AcctSession } from "../store/acct-session.ts";
import { addressText, prefixText } from "../store/framed-addresses.ts";
import { octetText, textOctets } from "../store/octet-text.ts";
import type { AcctSessionQuery, AcctSessionStore } from "../store/types.ts";
import { isApiPeer, linksOfApiNas } from "./api-nas.ts";
import type { ExchangeRequest } from "./exchange-request.ts";
import { withNasIdentity } from "./nas-identity.ts";
import { operatorAttributes } from "./trigger-attributes.ts";
import type { Resolution, ResolvedTarget, Resolver } from "./resolver.ts";
import { SessionCheck, type SessionCheckResult } from "./session-check.ts";
import { isOfAnotherOperator } from "./session-facts.ts";

/** Acct sessions that one request may mean; one that means more is refused, or nobody would know whom it left out. */
const TARGETS_MAX = 1_000;

export interface SessionResolverDeps {
  readonly clock: Clock;
  readonly acctSessions: Pick<AcctSessionStore, "find" | "one">;
  readonly registry: Registry;
  /** For requests that name a NAS or a link. */
  readonly named: Resolver;
}

export interface SessionResolverOptions {
  /** Whether what a DAC asks of a NAS that it names is compared with the acct sessions on record (DP-30): a query each. */
  readonly checkSessions: boolean;
}

/** Finds the NAS from what is known of the user: the open acct sessions that fit the request, each on its own router.
 *
 *  A request that names a NAS or a link goes there, whatever the index knows unless it is to be compared: that is the next
 *  resolver's business. */
export class SessionResolver implements Resolver {
  readonly #acctSessions: SessionResolverDeps["acctSessions"];
  readonly #registry: Registry;
  readonly #named: Resolver;
  readonly #check: SessionCheck;
  #checkSessions: boolean;

  constructor({ clock, acctSessions, registry, named }: SessionResolverDeps, options: SessionResolverOptions) {
    this.#acctSessions = acctSessions;
    this.#registry = registry;
    this.#named = named;
    this.#check = new SessionCheck({ clock, acctSessions, linksOf: (acctSession) => this.#records(acctSession) });
    this.#checkSessions = options.checkSessions;
  }

  /** How many comparisons ended how. */
  get checks(): Readonly<Record<SessionCheckResult, number>> {
    return this.#check.counts;
  }

  apply({ checkSessions }: SessionResolverOptions): void {
    this.#checkSessions = checkSessions;
  }

  /** @throws {HubError} ERR_STORE, and what the next resolver throws */
  resolve(request: ExchangeRequest): Resolution | Promise<Resolution> {
    if (request.acctSessionKey !== undefined) return this.#byKey(request.acctSessionKey, request);
    const { linkId, nasIdentifier, nasAddress } = request.target;
    const namesNone = linkId === undefined && nasIdentifier === undefined && nasAddress === undefined;
    const query = namesNone ? queryOf(request.attributes) : undefined;
    if (query !== undefined) return this.#byQuery(query, request);
    return this.#checkSessions ? this.#compared(request) : this.#named.resolve(request);
  }

  async #compared(request: ExchangeRequest): Promise<Resolution> {
    const judged = await this.#check.judge(request, await this.#named.resolve(request));
    // Meanwhile its links may have gone, and others come.
    return judged.kind === "targets" ? this.#named.resolve(request) : judged;
  }

  async #byKey(key: string, request: ExchangeRequest): Promise<Resolution> {
    const acctSession = await this.#acctSessions.one(key);
    if (acctSession?.open !== true) return { kind: "no-route", why: "no-session", nas: undefined };
    return { kind: "targets", targets: [this.#target(acctSession, request)] };
  }

  async #byQuery(query: AcctSessionQuery, request: ExchangeRequest): Promise<Resolution> {
    const { items, next } = await this.#acctSessions.find({ ...query, open: true }, { limit: TARGETS_MAX });
    if (next !== undefined) {
      const text = `more than ${TARGETS_MAX} open acct sessions fit, and nothing was sent: name a NAS, or more of the acct session`;
      throw new HubError("ERR_UNDER_SPECIFIED", text, { targetsMax: TARGETS_MAX });
    }
    // DP-30: the realm of a request is no key of the index, and may be that of another network.
    const meant = items.filter((acctSession) => !isOfAnotherOperator(request.attributes, acctSession));
    if (meant.length === 0) return { kind: "no-route", why: "no-session", nas: undefined };
    return { kind: "targets", targets: meant.map((acctSession) => this.#target(acctSession, request)) };
  }

  #target(acctSession: AcctSession, request: ExchangeRequest): ResolvedTarget {
    const { facts, key } = acctSession;
    const nas = {
      ...(facts.nasIdentifier !== undefined && { nasIdentifier: textOctets(facts.nasIdentifier).toString("latin1") }),
      ...(facts.nasAddress !== undefined && { nasAddress: facts.nasAddress }),
    };
    return {
      nas: facts.nasIdentifier ?? facts.nasAddress,
      acctSessionKey: key,
      identify: (attributes) => {
        const named = identified(attributes, acctSession);
        return this.#leavesNetwork(acctSession, request) ? [...named, ...operatorAttributes(facts)] : named;
      },
      pick: (tried) => {
        const usable = this.#records(acctSession).filter(
          ({ link }) =>
            link.open &&
            link.client.reverse.has(request.code) &&
            request.refuses?.(link, nas) !== true &&
            !tried.has(link.linkId),
        );
        // The link that brought its accounting is the surest way, unless that link has been given up.
        const own = usable.find(({ link }) => link.linkId === facts.linkId);
        const best = own ?? inPreferenceOrder(usable, "least-busy")[0];
        if (best !== undefined) this.#registry.chosen(best);
        return best?.link;
      },
    };
  }

  /** Whether the hub is the home network and others lie between it and the NAS: they go by Operator-Name (DP-10). A router gets
   *  none (DP-15), and what a DAC has sent is passed on as it is (DP-17). */
  #leavesNetwork(acctSession: AcctSession, { attributes, proxied }: ExchangeRequest): boolean {
    if (proxied === true || firstValue(attributes, ATTRIBUTE.operatorName) !== undefined) return false;
    const [first] = this.#records(acctSession);
    return first !== undefined && first.link.client.role !== "nas";
  }

  /** Links of the peer that the acct session was heard from: another device never gets the request (RC-20). */
  #records({ facts }: AcctSession): readonly LinkRecord[] {
    const { nasIdentifier, nasAddress, peerKey } = facts;
    if (isApiPeer(peerKey)) return linksOfApiNas(this.#registry, facts);
    const ofPeer = peerKey === undefined ? [] : this.#registry.byPeerKey(peerKey);
    const named = ofPeer.filter(
      (record) =>
        (nasIdentifier !== undefined && record.nasIdentifiers.has(textOctets(nasIdentifier).toString("latin1"))) ||
        (nasAddress !== undefined && record.nasAddresses.has(nasAddress)),
    );
    // A link that has just come back has not named its NAS yet; a peer that stands for one NAS needs no name, and a proxy
    // knows by itself where the NAS is whose accounting it has brought.
    const unnamed = ({ link, nasIdentifiers }: LinkRecord) => nasIdentifiers.size === 0 || link.client.role !== "nas";
    return named.length > 0 ? named : ofPeer.filter(unnamed);
  }
}

/** Whether the session index can look for anything in these attributes. */
export function namesAcctSession(attributes: readonly Attribute[]): boolean {
  return queryOf(attributes) !== undefined;
}

/** What the session index can look for; undefined when the request has nothing of it. */
export function queryOf(attributes: readonly Attribute[]): AcctSessionQuery | undefined {
  const text = (type: number): string | undefined => {
    const value = firstValue(attributes, type);
    return value === undefined ? undefined : octetText(value);
  };
  const query = {
    username: text(ATTRIBUTE.userName),
    acctSessionId: text(ATTRIBUTE.acctSessionId),
    callingStationId: text(ATTRIBUTE.callingStationId),
    framedIp:
      addressText(firstValue(attributes, ATTRIBUTE.framedIpAddress), 4) ??
      addressText(firstValue(attributes, ATTRIBUTE.framedIpv6Address), 16),
    framedIpv6Prefix: prefixText(firstValue(attributes, ATTRIBUTE.framedIpv6Prefix)),
    delegatedIpv6Prefix: prefixText(firstValue(attributes, ATTRIBUTE.delegatedIpv6Prefix)),
  };
  return Object.values(query).some((value) => value !== undefined) ? query : undefined;
}

/** NAS identity, User-Name and Acct-Session-Id are filled in; other identifiers only when the caller gave them, because a
 *  superfluous one earns a NAK. A Calling-Station-Id goes out as this NAS writes it, and an IPv6 address that was found by its
 *  prefix not at all: the NAS knows the prefix alone. */
function identified(attributes: readonly Attribute[], acctSession: AcctSession): readonly Attribute[] {
  const { facts, username, acctSessionId } = acctSession;
  const known = attributes.filter(
    ({ type, value }) => type !== ATTRIBUTE.framedIpv6Address || addressText(value, 16) === facts.framedIpv6Address,
  );
  const written = known.map((each) =>
    each.type === ATTRIBUTE.callingStationId && facts.callingStationId !== undefined
      ? attribute(each.type, textOctets(facts.callingStationId))
      : each,
  );
  const has = (type: number) => written.some((each) => each.type === type);
  if (!has(ATTRIBUTE.userName) && username !== undefined) {
    written.push(attribute(ATTRIBUTE.userName, textOctets(username)));
  }
  if (!has(ATTRIBUTE.acctSessionId)) written.push(attribute(ATTRIBUTE.acctSessionId, textOctets(acctSessionId)));
  return withNasIdentity(written, () => nasIdentity(acctSession));
}

function nasIdentity({ facts: { nasIdentifier, nasAddress } }: AcctSession): Attribute[] {
  const identity: Attribute[] = [];
  if (nasIdentifier !== undefined) identity.push(attribute(ATTRIBUTE.nasIdentifier, textOctets(nasIdentifier)));
  if (nasAddress !== undefined) {
    const octets = Buffer.from(ipaddr.parse(nasAddress).toByteArray());
    identity.push(attribute(octets.length === 4 ? ATTRIBUTE.nasIpAddress : ATTRIBUTE.nasIpv6Address, octets));
  }
  return identity;
}
