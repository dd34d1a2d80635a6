import { ATTRIBUTE, type Attribute } from "../radius/attribute.ts";
import { decodePlaced, dottedNumber, type VendorFormatOf } from "../radius/attribute-place.ts";
import type { SharedSecret } from "../radius/authenticator.ts";
import { isExtended, readExtended } from "../radius/extended.ts";
import type { HidingHop } from "../radius/hidden.ts";
import { isOperatorNasIdentifier, OPERATOR_NAS_IDENTIFIER } from "../radius/operator.ts";
import { ZERO_AUTHENTICATOR } from "../radius/packet.ts";
import { rehide } from "../radius/rehide.ts";
import type { AcctSessionFacts } from "../store/accounting-record.ts";
import { textOctets } from "../store/octet-text.ts";
import type { AttributeFilter } from "../transport/client-entry.ts";
import type { Link } from "../transport/link.ts";

const MARK_BYTES = 12;

/** The Proxy-State that this hub adds towards proxies and other hubs: octets that nobody else uses. */
export class ProxyMark {
  readonly attribute: Attribute;

  /** @param random at least 12 unpredictable octets */
  constructor(random: Buffer) {
    this.attribute = { type: ATTRIBUTE.proxyState, value: Buffer.from(random.subarray(0, MARK_BYTES)) };
  }

  isOurs(value: Buffer): boolean {
    return value.equals(this.attribute.value);
  }

  /** DP-23, DP-31: who passes requests on gets the mark, behind what is there; a router never does (DP-24). */
  readonly putOn = (attributes: readonly Attribute[], { client }: Link): readonly Attribute[] =>
    client.role === "nas" ? attributes : [...attributes, this.attribute];
}

/** What of a request is passed on at all: the rest is kept as octets and in order (DP-18). The Message-Authenticator is the
 *  hop's own. */
export function forwarded(
  attributes: readonly Attribute[],
  filter: AttributeFilter | undefined,
  formatOf: VendorFormatOf,
): readonly Attribute[] {
  const own = attributes.filter(({ type }) => type !== ATTRIBUTE.messageAuthenticator);
  if (filter === undefined) return own;
  const removed = filter.remove && new Set(filter.remove.map(dottedNumber));
  const selected = filter.select && new Set(filter.select.map(dottedNumber));
  return wholes(own).flatMap((whole) => {
    if (whole[0]?.type === ATTRIBUTE.proxyState) return whole;
    const places = decodePlaced(whole, formatOf).map(({ place }) => dottedNumber(place));
    if (removed !== undefined && places.some((place) => removed.has(place))) return [];
    return selected === undefined || places.every((place) => selected.has(place)) ? whole : [];
  });
}

/** A long extended attribute is one value in several attributes (RFC 6929 Section 2.2): it goes as a whole, or not at all. */
function wholes(attributes: readonly Attribute[]): readonly (readonly Attribute[])[] {
  const found: (readonly Attribute[])[] = [];
  for (let index = 0; index < attributes.length; index += found.at(-1)?.length ?? 1) {
    const { type } = attributes[index] as Attribute;
    const count = isExtended(type) ? readExtended(attributes, index).count : 1;
    found.push(attributes.slice(index, index + count));
  }
  return found;
}

/** What a link gets of a Disconnect- or CoA-Request. */
export function passOn(
  attributes: readonly Attribute[],
  link: Link,
  { secret, mark }: { readonly secret: SharedSecret; readonly mark: ProxyMark },
): readonly Attribute[] {
  const carried = link.client.secret === secret ? attributes : rehide(attributes, hop(secret), hop(link.client.secret));
  return ofLink(carried, link, mark);
}

/** A NAS gets neither the Operator attributes (DP-15) nor a Proxy-State, which some refuse (DP-24); a proxy or a hub gets them
 *  unchanged (DP-17, DP-22) and our mark. */
export function ofLink(attributes: readonly Attribute[], link: Link, mark: ProxyMark): readonly Attribute[] {
  if (link.client.role !== "nas") return mark.putOn(attributes, link);
  return attributes.filter((each) => each.type !== ATTRIBUTE.proxyState && !isOperator(each));
}

/** CRY-16: what a CoA-Request hides is hidden with a zero Authenticator, so a proxy hides it anew for the next secret (CRY-15). */
function hop(secret: SharedSecret): HidingHop {
  return { secret, authenticator: ZERO_AUTHENTICATOR };
}

/** The Operator attributes of an acct session as its accounting had them, for the way back: the one without change and the other,
 *  whose octets mean something to the visited network alone, octet by octet (DP-21; RFC 8559 Sections 3.2 and 4.1). */
export function operatorAttributes({
  operatorName,
  operatorNasIdentifier,
}: Pick<AcctSessionFacts, "operatorName" | "operatorNasIdentifier">): readonly Attribute[] {
  if (operatorName === undefined) return [];
  const name = { type: ATTRIBUTE.operatorName, value: textOctets(operatorName) };
  if (operatorNasIdentifier === undefined) return [name];
  const value = Buffer.concat([Buffer.of(OPERATOR_NAS_IDENTIFIER), Buffer.from(operatorNasIdentifier, "hex")]);
  return [name, { type: ATTRIBUTE.extended1, value }];
}

function isOperator(each: Attribute): boolean {
  return each.type === ATTRIBUTE.operatorName || isOperatorNasIdentifier(each);
}
