import type { IncomingMessage } from "node:http";
import type { AcctSession } from "../../store/acct-session.ts";
import { PAGE_ITEMS_MAX } from "../../store/types.ts";
import { startMsOf } from "./accounting-item.ts";
import { type Answer, badRequest } from "./answers.ts";
import type { CompatDeps, CompatSettings } from "./deps.ts";
import { parseDateTime } from "./fields.ts";
import { pageLinks, pageOf } from "./page-links.ts";
import { queryOf } from "./request-fields.ts";
import { toldOf } from "./told.ts";

/** Acct sessions that one list looks at; of more, the newest. A list is for people and programs that look now and then: each one
 *  reads what its filters leave. */
const LOOKED_AT_MAX = 100_000;

export interface ListScope {
  readonly api: string;
  /** Only its own; undefined: an API without organizations. */
  readonly organization?: string | undefined;
  readonly item: (acctSession: AcctSession) => object;
  readonly now: CompatSettings;
}

/** GET accounting/: the acct sessions that came by this API, the latest start first, a page at a time with a Link header.
 *  @throws {HubError} ERR_STORE */
export async function accountingList(incoming: IncomingMessage, scope: ListScope, deps: CompatDeps): Promise<Answer> {
  const query = queryOf(incoming);
  const filters = filtersOf(query);
  if ("errors" in filters) return badRequest(filters.errors);
  const found = await matching(filters, scope, deps);
  const page = pageOf(query, found.length);
  if (page === undefined) return { status: 404, body: { detail: "Invalid page." } };
  const keys = found.slice(page.first, page.first + page.size).map(({ key }) => key);
  const acctSessions = await Promise.all(keys.map((key) => deps.acctSessions.one(key)));
  const links = pageLinks(incoming, query, page, scope.now);
  return {
    status: 200,
    body: acctSessions.filter((each) => each !== undefined).map(scope.item),
    headers: links === "" ? {} : { Link: links },
  };
}

interface Filters {
  readonly username: string | undefined;
  readonly callingStationId: string | undefined;
  readonly calledStationId: string | undefined;
  readonly startedFromMs: number | undefined;
  readonly stoppedUntilMs: number | undefined;
  readonly open: boolean | undefined;
}

/** An empty filter is none, as is an is_open that is neither true nor false. */
function filtersOf(query: URLSearchParams): Filters | { readonly errors: Record<string, string[]> } {
  const errors: Record<string, string[]> = {};
  const text = (name: string): string | undefined => query.get(name) || undefined;
  const time = (name: string): number | undefined => {
    const given = text(name);
    const atMs = given === undefined ? undefined : parseDateTime(given);
    if (given !== undefined && atMs === undefined) errors[name] = ["Enter a valid date/time."];
    return atMs;
  };
  const filters = {
    username: text("username"),
    callingStationId: text("calling_station_id"),
    calledStationId: text("called_station_id"),
    startedFromMs: time("start_time"),
    stoppedUntilMs: time("stop_time"),
    open: OPEN.get(text("is_open")?.toLowerCase() ?? ""),
  };
  return Object.keys(errors).length > 0 ? { errors } : filters;
}

const OPEN: ReadonlyMap<string, boolean> = new Map([
  ["true", true],
  ["1", true],
  ["false", false],
  ["0", false],
]);

interface Found {
  readonly key: string;
  readonly startedAtMs: number;
}

/** Keys alone: what is not on the page need not be held. */
async function matching(filters: Filters, scope: ListScope, { acctSessions }: CompatDeps): Promise<readonly Found[]> {
  const { username, callingStationId, startedFromMs, open } = filters;
  const fromMs = startedFromMs === undefined ? undefined : startedFromMs - START_SLACK_MS;
  const query = { username, callingStationId, startedFromMs: fromMs, open };
  const found: Found[] = [];
  let after: string | undefined;
  for (let looked = 0; looked < LOOKED_AT_MAX; looked += PAGE_ITEMS_MAX) {
    const { items, next } = await acctSessions.find(query, { limit: PAGE_ITEMS_MAX, after });
    const fitting = items.filter((acctSession) => fits(acctSession, filters, scope));
    found.push(...fitting.map((each) => ({ key: each.key, startedAtMs: startMsOf(each) })));
    if (next === undefined) break;
    after = next;
  }
  return found.toSorted((one, other) => other.startedAtMs - one.startedAtMs || (one.key < other.key ? -1 : 1));
}

/** What the API told of a start and what the accounting knows of it differ by less. */
const START_SLACK_MS = 60_000;

function fits(acctSession: AcctSession, filters: Filters, { api, organization }: ListScope): boolean {
  const { facts, closedAtMs } = acctSession;
  const told = toldOf(facts.told);
  if (told?.api !== api || told.organization !== organization) return false;
  const { calledStationId, startedFromMs, stoppedUntilMs } = filters;
  if (startedFromMs !== undefined && startMsOf(acctSession) < startedFromMs) return false;
  if (calledStationId !== undefined && facts.calledStationId !== calledStationId) return false;
  return stoppedUntilMs === undefined || (closedAtMs !== undefined && closedAtMs <= stoppedUntilMs);
}
