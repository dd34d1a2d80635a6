import ipaddr from "ipaddr.js";
import { ATTRIBUTE, type Attribute, attribute } from "../radius/attribute.ts";
import { CODE } from "../radius/codes.ts";
import type { Registry } from "../registry/registry.ts";
import type { LinkRecord } from "../registry/types.ts";
import type { ExchangeRequest, Target } from "./exchange-request.ts";
import { namesNas } from "./request-rules.ts";

type Names = Pick<Registry, "namesOf">;

/** The NAS identity that was learnt is all that is added: a superfluous identifier earns a NAK. */
export function withNasIdentity(
  attributes: readonly Attribute[],
  identity: () => readonly Attribute[],
): readonly Attribute[] {
  return namesNas(attributes) ? attributes : [...attributes, ...identity()];
}

/** What the NAS of a link is called in a request that does not say so (RC-08, DP-16): as it was asked for; as it has said itself,
 *  on this link or, if its peer has but one name, on another; else as configuration says. Empty where nobody has said it: a
 *  router refuses a name that is not its own (RFC 5176 Section 3.5, 403). */
export function nasIdentityOf(target: Target, record: LinkRecord, names: Names): readonly Attribute[] {
  const { link, nasIdentifiers, nasAddresses } = record;
  const name = target.nasIdentifier ?? (target.nasAddress === undefined ? only(nasIdentifiers) : undefined);
  // An address only where the link stands for one NAS.
  const address = target.nasAddress ?? (nasIdentifiers.size <= 1 ? only(nasAddresses) : undefined);
  const said = named(name, address);
  if (said.length > 0 || nasIdentifiers.size > 0 || link.client.role !== "nas") return said;
  const { client, kind, fallback } = link;
  const earlier = only(names.namesOf(link.peerKey));
  if (earlier !== undefined) return named(earlier, undefined);
  if (client.nasIdentifier !== undefined || client.nasAddress !== undefined) {
    return named(client.nasIdentifier, client.nasAddress);
  }
  // A router over UDP is known by the address that it is at.
  return named(undefined, kind === "udp" && fallback !== true ? link.address : undefined);
}

/** DP-16: whether what is passed on must not reach this link without the name of its NAS. Who passes it on again names the NAS
 *  itself. */
export function mustNameNas({ proxied, code, target, attributes }: ExchangeRequest, { link }: LinkRecord): boolean {
  if (proxied !== true || target.nasIdentifier !== undefined || target.nasAddress !== undefined) return false;
  const isDynauth = code === CODE.disconnectRequest || code === CODE.coaRequest;
  return isDynauth && link.client.role === "nas" && !namesNas(attributes);
}

function named(nasIdentifier: string | undefined, nasAddress: string | undefined): Attribute[] {
  const identity: Attribute[] = [];
  if (nasIdentifier !== undefined) {
    identity.push(attribute(ATTRIBUTE.nasIdentifier, Buffer.from(nasIdentifier, "latin1")));
  }
  if (nasAddress !== undefined) {
    const octets = Buffer.from(ipaddr.parse(nasAddress).toByteArray());
    identity.push(attribute(octets.length === 4 ? ATTRIBUTE.nasIpAddress : ATTRIBUTE.nasIpv6Address, octets));
  }
  return identity;
}

function only(values: ReadonlySet<string> | readonly string[]): string | undefined {
  const [first, second] = values;
  return second === undefined ? first : undefined;
}
