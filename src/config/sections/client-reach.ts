import ipaddr from "ipaddr.js";
import type { z } from "zod";
import type { AttributeFilter, Reach } from "../../transport/client-entry.ts";
import type { AttributePlace } from "../../radius/attribute-place.ts";
import { dnsName } from "../identities.ts";
import type { Report } from "../problem.ts";
import { requestCode } from "../radius-codes.ts";
import { section, valueAt } from "../section.ts";
import { isIpAddress, oneOrMany, refuse, text } from "../values.ts";

/** A NAS-Identifier, or an address as the registry writes it. */
const nasPattern = text('NAS-Identifier or address; "*" at the end stands for any rest.').transform(
  (value, context) => {
    if (isIpAddress(value)) return ipaddr.parse(value).toString();
    return value.slice(0, -1).includes("*") ? refuse(context, 'can have a "*" only at its end') : value;
  },
);

/** DP-09, DP-13 */
export const reachSection = section(
  {
    nas: oneOrMany("NASes that it may reach, by what they have proven.", nasPattern).optional(),
    realms: oneOrMany("Realms of the users that it may speak of.", dnsName("A realm.")).optional(),
    codes: oneOrMany("Codes that it may send.", requestCode).optional(),
  },
  atLeastOne,
).meta({ description: "What a trigger of this peer may reach; without it everything. All keys must hold." });

/** DP-18 */
export const filterSection = section(
  {
    remove: oneOrMany("Attributes that are left out.", text("Name or number of an attribute.")).optional(),
    select: oneOrMany("The only attributes that are passed on.", text("Name or number of an attribute.")).optional(),
  },
  atLeastOne,
).meta({ description: "What of a trigger of this peer is passed on; without it everything." });

/** An empty map would mean everything, which nobody expects of a limit. */
function atLeastOne(values: unknown, report: Report): void {
  if (typeof values !== "object" || values === null || Array.isArray(values)) return;
  const keys = Object.keys(values).filter((key) => valueAt(values, key) !== undefined);
  if (keys.length === 0) report([], "must have at least one key: an empty one would limit nothing");
}

export function reachOf(values: z.output<typeof reachSection> | undefined): Reach | undefined {
  if (values === undefined) return undefined;
  const { nas, realms, codes } = values;
  return {
    ...(nas && { nas }),
    ...(realms && { realms }),
    ...(codes && { codes: new Set(codes) }),
  };
}

/** @param placeOf finds an attribute by its name; all names are known to exist */
export function filterOf(
  values: z.output<typeof filterSection> | undefined,
  placeOf: (name: string) => AttributePlace,
): AttributeFilter | undefined {
  if (values === undefined) return undefined;
  const { remove, select } = values;
  return { ...(remove && { remove: remove.map(placeOf) }), ...(select && { select: select.map(placeOf) }) };
}
