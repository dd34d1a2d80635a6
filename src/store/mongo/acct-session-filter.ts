import type { Filter } from "mongodb";
import { canonicalAddress } from "../../transport/networks.ts";
import { callingStationKey } from "../calling-station.ts";
import { prefixesAround } from "../framed-addresses.ts";
import { assertQuery } from "../limits.ts";
import type { AcctSessionQuery } from "../types.ts";
import type { SessionDocument, StubDocument } from "./documents.ts";

type SessionFilter = Filter<SessionDocument | StubDocument>;

/** The filter of a query from a mark on, newest first. What callers wrote stands behind $eq, where it is a value whatever it
 *  looks like. @throws TypeError for what is no plain value. @returns undefined for a mark that this store did not write */
export function acctSessionFilter(query: AcctSessionQuery, after: string | undefined): SessionFilter | undefined {
  assertQuery(query);
  const { callingStationId, framedIp, startedFromMs, startedBeforeMs } = query;
  const address = framedIp === undefined ? undefined : (canonicalAddress(framedIp) ?? framedIp);
  const equal: Readonly<Record<string, string | boolean | undefined>> = {
    username: query.username,
    acctSessionId: query.acctSessionId,
    callingStation: callingStationId === undefined ? undefined : callingStationKey(callingStationId),
    "facts.framedIp": address?.includes(":") ? undefined : address,
    "facts.framedIpv6Prefix": query.framedIpv6Prefix,
    "facts.delegatedIpv6Prefix": query.delegatedIpv6Prefix,
    "facts.multiSessionId": query.multiSessionId,
    nasKey: query.nasKey,
    "facts.nasIdentifier": query.nasIdentifier,
    "facts.nasAddress": query.nasAddress,
    open: query.open,
  };
  const given = Object.entries(equal).filter(([, value]) => value !== undefined);
  const mark = after === undefined ? undefined : /^(\d{1,15})\/(.*)$/s.exec(after);
  if (mark === null) return undefined;
  const either = [
    ...(address?.includes(":") ? [fitsIpv6(address)] : []),
    ...(mark === undefined
      ? []
      : [{ $or: [{ firstHeardAtMs: { $lt: Number(mark[1]) } }, { _id: { $lt: mark[2] as string } }] }]),
  ];
  return {
    ...Object.fromEntries(given.map(([name, value]) => [name, { $eq: value }])),
    ...(startedFromMs === undefined && startedBeforeMs === undefined
      ? {}
      : { startedAtMs: { $gte: startedFromMs ?? 0, $lt: startedBeforeMs ?? Number.MAX_SAFE_INTEGER } }),
    // Leaves out stubs, and lets the index begin where the page begins.
    firstHeardAtMs: { $lte: mark === undefined ? Number.MAX_SAFE_INTEGER : Number(mark[1]) },
    ...(either.length === 0 ? {} : { $and: either }),
  };
}

/** The address itself, or a prefix it lies in. */
function fitsIpv6(address: string): SessionFilter {
  const around = prefixesAround(address);
  return {
    $or: [
      { "facts.framedIp": { $eq: address } },
      { "facts.framedIpv6Address": { $eq: address } },
      { "facts.framedIpv6Prefix": { $in: [...around] } },
      { "facts.delegatedIpv6Prefix": { $in: [...around] } },
    ],
  };
}

export function markOf({ firstHeardAtMs, _id }: SessionDocument): string {
  return `${firstHeardAtMs}/${_id}`;
}
