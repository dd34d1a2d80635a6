import type { IncomingMessage } from "node:http";
import type { ApiContext, Routes } from "../api-context.ts";
import type { Fields } from "../parameters.ts";
import { djangoItem } from "./accounting-item.ts";
import { accountingList } from "./accounting-list.ts";
import { accountingPosted } from "./accounting-post.ts";
import { accountRoutes } from "./account-routes.ts";
import { type Answer, compatEndpoint, empty, INVALID_TOKEN, NOT_FOUND, TOKEN_FAILED, unavailable } from "./answers.ts";
import { isToken, presentedWords } from "./api-token.ts";
import { authorized } from "./authorize.ts";
import { batchRoutes } from "./batch-routes.ts";
import type { CompatDeps, CompatSettings } from "./deps.ts";
import { postAuthPosted } from "./post-auth.ts";
import { replyAttributes } from "./reply-attributes.ts";
import { queryOf, readFields } from "./request-fields.ts";

const API = "django-freeradius";
const REJECT = { "control:Auth-Type": "Reject" };

/** The API of django-freeradius, for a FreeRADIUS whose rlm_rest is configured as its documentation says. */
export function djangoFreeradiusRoutes(deps: CompatDeps, settings: () => CompatSettings): Routes {
  /** The answer to who has the token of the API. */
  const guarded = (
    answer: (incoming: IncomingMessage, now: CompatSettings, context: ApiContext) => Promise<Answer | Response>,
  ) =>
    compatEndpoint(async (context) => {
      const { incoming } = context.env;
      const now = settings();
      return refusalOf(incoming, now) ?? answer(incoming, now, context);
    });
  const posted = (answer: (fields: Fields, incoming: IncomingMessage, now: CompatSettings) => Promise<Answer>) =>
    guarded(async (incoming, now) => answer((await readFields(incoming, now.bodyBytesMax)).fields, incoming, now));
  return {
    "/api/v1/authorize/": { POST: posted((fields, incoming, now) => authorize(fields, incoming, deps, now)) },
    "/api/v1/postauth/": { POST: posted((fields, _incoming, now) => postAuthPosted(fields, { api: API }, deps, now)) },
    "/api/v1/accounting/": {
      GET: guarded((incoming, now) =>
        accountingList(incoming, { api: API, item: (each) => djangoItem(each, deps.dictionary), now }, deps),
      ),
      POST: posted((fields, incoming) =>
        accountingPosted(fields, { api: API, incoming, reopens: false, nasRestarted }, deps),
      ),
    },
    ...batchRoutes(deps, guarded),
    ...accountRoutes(deps, settings),
  };
}

/** Accounting-On and -Off mean nothing to django-freeradius. */
function nasRestarted(): Promise<void> {
  return Promise.resolve();
}

async function authorize(
  fields: Fields,
  incoming: IncomingMessage,
  deps: CompatDeps,
  now: CompatSettings,
): Promise<Answer> {
  const refused: Answer = now.compat.authorizeReject ? { status: 401, body: REJECT } : empty(200);
  const verdict = await authorized(fields, { api: API, incoming }, deps, now);
  if (verdict.kind === "unanswered") return unavailable("nobody can say now");
  // Also what can not be a login: the original looks for a user of no name and finds none.
  if (verdict.kind !== "accept") return refused;
  const more = now.compat.replyAttributes ? replyAttributes(verdict.attributes, deps.dictionary) : {};
  return { status: 200, body: { "control:Auth-Type": "Accept", ...more } };
}

/** Undefined for who has the token: in one of the credentials of the header, or in the query. */
function refusalOf(incoming: IncomingMessage, { compat }: CompatSettings): Answer | undefined {
  const token = compat.djangoFreeradius?.token;
  if (token === undefined) return NOT_FOUND;
  const header = presentedWords(incoming);
  if (header?.kind === "malformed") return INVALID_TOKEN;
  const presented = [queryOf(incoming).get("token") ?? "", ...(header?.words.map(([word]) => word ?? "") ?? [])];
  // No early exit: the time says nothing of which one was right.
  const right = presented.filter((each) => isToken(each, token));
  return right.length > 0 ? undefined : TOKEN_FAILED;
}
