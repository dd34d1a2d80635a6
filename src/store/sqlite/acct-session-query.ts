import { canonicalAddress } from "../../transport/networks.ts";
import { callingStationKey } from "../calling-station.ts";
import { prefixesAround } from "../framed-addresses.ts";
import type { AcctSessionQuery, PageRequest } from "../types.ts";
import type { SqlValue } from "./database.ts";

/** Columns with an index, the one that leaves the fewest rows first: it leads the search, the others only filter. */
const INDEXED = [
  ["acct_session_id", "acct_session_id"],
  ["framed_ip", "acct_session_framed_ip"],
  ["calling_station", "acct_session_calling_station"],
  ["username", "acct_session_username"],
  ["nas_key", "acct_session_nas_key"],
  ["nas_identifier", "acct_session_nas_identifier"],
] as const;

/** Rows by what an expression index of schema.ts holds; the second condition makes SQLite see that it does. */
const OF_FACT = (index: string, fact: string): string =>
  `SELECT session_row FROM acct_session INDEXED BY acct_session_${index}
    WHERE facts ->> '$.${fact}' IS NOT NULL AND facts ->> '$.${fact}'`;

/** Rows of an IPv6 address: bound is a JSON list, the address and then every prefix that it lies in. */
const FRAMED_IPV6 = `session_row IN (
  WITH around AS MATERIALIZED (SELECT value FROM json_each(?))
  SELECT session_row FROM acct_session INDEXED BY acct_session_framed_ip
    WHERE framed_ip IS NOT NULL AND framed_ip IN (SELECT value FROM around LIMIT 1)
  UNION ${OF_FACT("framed_ipv6", "framedIpv6Address")} IN (SELECT value FROM around LIMIT 1)
  UNION ${OF_FACT("framed_prefix", "framedIpv6Prefix")} IN (SELECT value FROM around)
  UNION ${OF_FACT("delegated_prefix", "delegatedIpv6Prefix")} IN (SELECT value FROM around))`;

export interface BoundQuery {
  readonly sql: string;
  readonly values: readonly SqlValue[];
}

/** The statement for a query, newest acct sessions first. What callers wrote is bound, never part of the statement, so there are
 *  few different statements. It asks for one row more than the page holds. */
export function acctSessionQuery(query: AcctSessionQuery, page: PageRequest): BoundQuery {
  const given = givenValues(query);
  const { multiSessionId } = query;
  const lead = multiSessionId === undefined ? INDEXED.find(([column]) => given.has(column)) : undefined;
  // The plus keeps SQLite from another index: a NAS has many acct sessions, one that is part of several has few.
  const conditions = [...given.keys()].map((column) => `${lead === undefined ? "+" : ""}${column} = ?`);
  const values: SqlValue[] = [...given.values()];
  const where = (condition: string, value: SqlValue | undefined): void => {
    if (value === undefined) return;
    conditions.push(condition);
    values.push(value);
  };
  where(FRAMED_IPV6, ipv6Of(query));
  where(`session_row IN (${OF_FACT("framed_prefix", "framedIpv6Prefix")} = ?)`, query.framedIpv6Prefix);
  where(`session_row IN (${OF_FACT("delegated_prefix", "delegatedIpv6Prefix")} = ?)`, query.delegatedIpv6Prefix);
  where(`session_row IN (${OF_FACT("multi_session", "multiSessionId")} = ?)`, multiSessionId);
  where("facts ->> '$.nasAddress' = ?", query.nasAddress);
  where("open = ?", query.open === undefined ? undefined : Number(query.open));
  where("started_at_ms >= ?", query.startedFromMs);
  where("started_at_ms < ?", query.startedBeforeMs);
  where("session_row < ?", page.after === undefined ? undefined : rowOf(page.after));
  const index = lead?.[1] ?? (query.open === true ? "acct_session_open" : undefined);
  const from = index === undefined ? "acct_session" : `acct_session INDEXED BY ${index}`;
  const condition = conditions.length === 0 ? "" : `WHERE ${conditions.join(" AND ")}`;
  // INDEXED BY acct_session_open needs the condition of that partial index as a constant.
  const constant = index === "acct_session_open" ? condition.replace("open = ?", "open = 1 AND open = ?") : condition;
  return {
    sql: `SELECT * FROM ${from} ${constant} ORDER BY session_row DESC LIMIT ?`,
    values: [...values, page.limit + 1],
  };
}

function givenValues(query: AcctSessionQuery): Map<string, string> {
  const { callingStationId, framedIp } = query;
  const columns: readonly (readonly [string, string | undefined])[] = [
    ["acct_session_id", query.acctSessionId],
    [
      "framed_ip",
      framedIp === undefined || ipv6Of(query) !== undefined ? undefined : (canonicalAddress(framedIp) ?? framedIp),
    ],
    ["calling_station", callingStationId === undefined ? undefined : callingStationKey(callingStationId)],
    ["username", query.username],
    ["nas_key", query.nasKey],
    ["nas_identifier", query.nasIdentifier],
  ];
  return new Map(columns.filter((column): column is readonly [string, string] => column[1] !== undefined));
}

/** The JSON list of FRAMED_IPV6; undefined where no IPv6 address is asked for. */
function ipv6Of({ framedIp }: AcctSessionQuery): string | undefined {
  const address = framedIp === undefined ? undefined : canonicalAddress(framedIp);
  return address?.includes(":") ? JSON.stringify([address, ...prefixesAround(address)]) : undefined;
}

/** Nothing comes after a mark that this store did not write. */
function rowOf(after: string): number {
  return /^\d{1,15}$/.test(after) ? Number(after) : 0;
}
