import { ApiRequests, type ApiRequestsDeps } from "./aaa/by-api/api-requests.ts";
import type { Bookkeeping } from "./bookkeeping.ts";
import type { Config } from "./config.ts";
import type { CompatParts } from "./http/compat/deps.ts";
import type { AcctSession } from "./store/acct-session.ts";

/** What the HTTP API shows of the books, and what it changes in them.
 *  @param deps of the logins and accounting that come by the APIs of other systems
 *  @param config what holds now */
export function apiBooksOf(books: Bookkeeping, deps: ApiRequestsDeps, config: () => Config) {
  const { store, quota, accounts } = books;
  const rules = () => config().quota.rules;
  return {
    users: store.users,
    plans: store.plans,
    accounts,
    compat: compatPartsOf(books, deps),
    books: () => books.figures,
    outbox: store.outbox,
    backup: (name: string) => books.backup(name),
    acctSessions: store.acctSessions,
    usage: store.usage,
    audit: store.audit,
    quotaStore: store.quota,
    quota: {
      userChanged: (username: string) => books.quotaChanged(username),
      standingsOf: (username: string) => quota.standingsOf(username),
      ruleNames: () => rules().map(({ name }) => name),
      countsOf: (rule: string) => rules().find(({ name }) => name === rule)?.counts,
    },
  };
}

function compatPartsOf(books: Bookkeeping, deps: ApiRequestsDeps): CompatParts {
  const { accounts, store } = books;
  const { acctSessions, users, apiRecords: records } = store;
  const closed = (acctSession: AcctSession) => books.closed(acctSession);
  return { requests: new ApiRequests(deps), records, acctSessions, users, accounts, closed };
}
