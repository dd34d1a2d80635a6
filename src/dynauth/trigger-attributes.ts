import { ATTRIBUTE, type Attribute } from "../radius/attribute.ts";
import { type AttributePlace, decodePlaced, dottedNumber } from "../radius/attribute-place.ts";
import type { SharedSecret } from "../radius/authenticator.ts";
import type { HidingHop } from "../radius/hidden.ts";
import { ZERO_AUTHENTICATOR } from "../radius/packet.ts";
import { rehide } from "../radius/rehide.ts";
import { VENDOR_FORMAT_DEFAULT } from "../radius/vendor.ts";
import type { AttributeFilter } from "../transport/client-entry.ts";
import type { Link } from "../transport/link.ts";

const MARK_BYTES = 12;
const OPERATOR_NAS_IDENTIFIER = 8;

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
}

/** What of a request is passed on at all: the rest is kept as octets and in order (DP-18). The Message-Authenticator is the
 *  hop's own. */
export function forwarded(attributes: readonly Attribute[], filter: AttributeFilter | undefined): readonly Attribute[] {
  const removed = filter?.remove === undefined ? undefined : new Set(filter.remove.map(dottedNumber));
  const selected = filter?.select === undefined ? undefined : new Set(filter.select.map(dottedNumber));
  return attributes.filter((each) => {
    if (each.type === ATTRIBUTE.messageAuthenticator) return false;
    if (removed === undefined && selected === undefined) return true;
    if (each.type === ATTRIBUTE.proxyState) return true;
    const places = placesOf(each);
    if (removed !== undefined && places.some((place) => removed.has(place))) return false;
    return selected === undefined || places.every((place) => selected.has(place));
  });
}

/** What a link gets of it. A NAS gets neither the Operator attributes (DP-15) nor a Proxy-State, which some refuse (DP-24); a
 *  proxy or a hub gets them unchanged (DP-17, DP-22) and our mark behind them (DP-23). */
export function passOn(
  attributes: readonly Attribute[],
  link: Link,
  { secret, mark }: { readonly secret: SharedSecret; readonly mark: ProxyMark },
): readonly Attribute[] {
  const carried = link.client.secret === secret ? attributes : rehide(attributes, hop(secret), hop(link.client.secret));
  if (link.client.role !== "nas") return [...carried, mark.attribute];
  return carried.filter(({ type, value }) => type !== ATTRIBUTE.proxyState && !isOperator(type, value));
}

/** CRY-16: what a CoA-Request hides is hidden with a zero Authenticator, so a proxy hides it anew for the next secret (CRY-15). */
function hop(secret: SharedSecret): HidingHop {
  return { secret, authenticator: ZERO_AUTHENTICATOR };
}

function isOperator(type: number, value: Buffer): boolean {
  return type === ATTRIBUTE.operatorName || (type === ATTRIBUTE.extended1 && value[0] === OPERATOR_NAS_IDENTIFIER);
}

function placesOf(attribute: Attribute): string[] {
  return decodePlaced([attribute], () => VENDOR_FORMAT_DEFAULT).map(({ place }: { place: AttributePlace }) =>
    dottedNumber(place),
  );
}
