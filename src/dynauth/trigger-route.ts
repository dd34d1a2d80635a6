import ipaddr from "ipaddr.js";
import { ATTRIBUTE, type Attribute, firstValue } from "../radius/attribute.ts";
import { operatorNasIdentifier } from "../radius/operator.ts";
import { ERROR_CAUSE } from "./error-cause.ts";
import type { Target } from "./exchange-request.ts";
import { identifiesAnything } from "./request-rules.ts";

/** Realms that this hub is the visited network of (RFC 8559 Section 3). */
export interface TriggerRealms {
  /** Realms of Operator-Name that are ours, lower case (DP-13). */
  readonly ours: ReadonlySet<string>;
  /** Nothing is routed without Operator-Name, as at a proxy that goes by realms alone (DP-11). */
  readonly required: boolean;
  /** Which NAS an Operator-NAS-Identifier stands for: its octets as lower-case hexadecimal (DP-14). */
  readonly operatorNas: ReadonlyMap<string, Target>;
}

export type Route =
  | { readonly kind: "target"; readonly target: Target }
  | { readonly kind: "nak"; readonly errorCause: number };

/** Namespace of Operator-Name for a realm (RFC 5580 Section 4.1). */
const NAMESPACE_REALM = "1";

/** Which NAS a request of a DAC means. Routing goes by Operator-Name and by NAS identification, never by the realm of
 *  User-Name (DP-10, DP-11; RFC 8559 Sections 3.2 and 4.3.2). */
export function routeOf(attributes: readonly Attribute[], realms: TriggerRealms): Route {
  // DP-20: the first counts; further ones are invalid attributes.
  const operator = firstValue(attributes, ATTRIBUTE.operatorName);
  if (operator !== undefined) {
    const realm = realmOf(operator);
    if (realm === undefined || !realms.ours.has(realm)) return refused(ERROR_CAUSE.requestNotRoutable);
    const opaque = operatorNasIdentifier(attributes);
    if (opaque !== undefined) {
      const target = realms.operatorNas.get(opaque.toString("hex"));
      return target === undefined ? refused(ERROR_CAUSE.nasIdentificationMismatch) : { kind: "target", target };
    }
  }
  if (operator === undefined && realms.required) return refused(ERROR_CAUSE.requestNotRoutable); // DP-11
  const target = namedNas(attributes);
  if (target !== undefined) return { kind: "target", target };
  if (!identifiesAnything(attributes)) return refused(ERROR_CAUSE.missingAttribute);
  return { kind: "target", target: {} };
}

function refused(errorCause: number): Route {
  return { kind: "nak", errorCause };
}

function realmOf(operatorName: Buffer): string | undefined {
  const text = operatorName.toString("utf8");
  return text.startsWith(NAMESPACE_REALM) && text.length > 1 ? text.slice(1).toLowerCase() : undefined;
}

function namedNas(attributes: readonly Attribute[]): Target | undefined {
  const name = firstValue(attributes, ATTRIBUTE.nasIdentifier);
  const address = firstValue(attributes, ATTRIBUTE.nasIpAddress) ?? firstValue(attributes, ATTRIBUTE.nasIpv6Address);
  const nasIdentifier = name !== undefined && name.length > 0 ? name.toString("latin1") : undefined;
  if (address === undefined || !isAddress(address)) return nasIdentifier === undefined ? undefined : { nasIdentifier };
  const nasAddress = ipaddr.fromByteArray([...address]).toString();
  return nasIdentifier === undefined ? { nasAddress } : { nasIdentifier, nasAddress };
}

function isAddress(octets: Buffer): boolean {
  return octets.length === 4 || octets.length === 16;
}
