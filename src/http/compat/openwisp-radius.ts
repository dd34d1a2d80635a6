import type { IncomingMessage } from "node:http";
import { octetsLeft } from "../../aaa/quota/seconds-left.ts";
import type { ApiContext, Routes } from "../api-context.ts";
import type { Fields } from "../parameters.ts";
import { openwispItem } from "./accounting-item.ts";
import { accountingList } from "./accounting-list.ts";
import { accountingPosted } from "./accounting-post.ts";
import { type Answer, badRequest, compatEndpoint, empty, NOT_FOUND, unavailable } from "./answers.ts";
import { authorized } from "./authorize.ts";
import type { CompatDeps, CompatSettings } from "./deps.ts";
import { NasRestarts } from "./nas-restarts.ts";
import { API, type Caller, callerOf } from "./openwisp-caller.ts";
import type { Organization } from "./options.ts";
import { postAuthPosted } from "./post-auth.ts";
import { replyAttributes } from "./reply-attributes.ts";
import { readFields } from "./request-fields.ts";
import { retireTokens } from "./user-tokens.ts";

const REJECT = { "control:Auth-Type": "Reject" };
/** What openwisp-radius calls the octets that are left, unless told otherwise. */
const OCTETS_LEFT = "CoovaChilli-Max-Total-Octets";

/** A call of an organization. */
interface Call {
  readonly fields: Fields;
  readonly incoming: IncomingMessage;
  readonly now: CompatSettings;
  readonly organization: Organization;
  /** A device is known by its open acct session: no password is needed. */
  readonly isProven: boolean;
}

/** The API of openwisp-radius that FreeRADIUS calls. */
export function openwispRadiusRoutes(deps: CompatDeps, settings: () => CompatSettings): Routes {
  const restarts = new NasRestarts(API, deps);
  const guarded = (
    answer: (call: Call) => Promise<Answer>,
    toStrangers: (now: CompatSettings) => Answer = () => empty(200),
  ) =>
    compatEndpoint(async ({ env: { incoming } }: ApiContext) => {
      const now = settings();
      if (now.compat.organizations.length === 0) return NOT_FOUND;
      const { fields } = await readFields(incoming, now.bodyBytesMax);
      const caller = await callerOf(incoming, fields, deps, now);
      switch (caller.kind) {
        case "refused":
          return caller.answer;
        case "stranger":
          return toStrangers(now);
        case "hosts":
          return restarted(fields, caller, restarts);
        case "organization":
          return answer({ fields, incoming, now, organization: caller.organization, isProven: false });
        case "roaming": {
          const { organization, username } = caller;
          return answer({ fields: { ...fields, username }, incoming, now, organization, isProven: true });
        }
      }
    });
  return {
    "/api/v1/freeradius/authorize/": { POST: guarded((call) => authorize(call, deps), refusedLogin) },
    "/api/v1/freeradius/postauth/": {
      POST: guarded(({ fields, now, organization: { uuid } }) =>
        postAuthPosted(fields, { api: API, organization: uuid }, deps, now),
      ),
    },
    "/api/v1/freeradius/accounting/": {
      GET: guarded(({ incoming, now, organization: { uuid } }) =>
        accountingList(
          incoming,
          { api: API, organization: uuid, item: (each) => openwispItem(each, deps.dictionary), now },
          deps,
        ),
      ),
      POST: guarded((call) => accounting(call, restarts, deps)),
    },
  };
}

async function authorize(call: Call, deps: CompatDeps): Promise<Answer> {
  const { fields, incoming, now, isProven } = call;
  const verdict = await authorized(fields, { api: API, incoming, isProven }, deps, now);
  switch (verdict.kind) {
    case "errors":
      return badRequest(verdict.errors);
    case "unanswered":
      return unavailable("nobody can say now");
    case "accept": {
      const reply = replyAttributes(verdict.attributes, deps.dictionary);
      const left = await octetsLeftOf(String(fields["username"]), deps);
      const counters = left === undefined ? {} : { [OCTETS_LEFT]: left };
      return { status: 200, body: { "control:Auth-Type": "Accept", ...reply, ...counters } };
    }
    case "reject": {
      const { reason = "", message } = verdict;
      const told = message === undefined ? {} : { "Reply-Message": message };
      if (reason === "too many acct sessions") return { status: 401, body: { ...REJECT, ...told } };
      // Not 401 and not 403: pfSense takes those for a wrong password.
      if (reason.startsWith("quota ")) {
        return { status: 200, body: { ...REJECT, "Reply-Message": now.compat.quotaMessage } };
      }
      return refusedLogin(now);
    }
  }
}

function refusedLogin({ compat }: CompatSettings): Answer {
  return compat.authorizeReject ? { status: 401, body: REJECT } : empty(200);
}

async function octetsLeftOf(username: string, { quota }: CompatDeps): Promise<number | undefined> {
  if (quota === undefined || quota.ruleNames().length === 0) return undefined;
  return octetsLeft(await quota.standingsOf(username));
}

function accounting(call: Call, restarts: NasRestarts, deps: CompatDeps): Promise<Answer> {
  const { fields, incoming, now, organization } = call;
  const { uuid } = organization;
  return accountingPosted(
    fields,
    {
      api: API,
      organization: uuid,
      incoming,
      reopens: true,
      nasRestarted: (sent, isOn) => (isOn ? restarts.closeAt(hotspotOf(sent), uuid) : Promise.resolve()),
      stored: async ({ status_type, username }) => {
        if (status_type !== "Stop" || username === undefined || now.compat.userTokens === undefined) return;
        await retireTokens(username, deps);
      },
    },
    deps,
  );
}

/** Accounting-On and -Off of a FreeRADIUS that has no token of the API. */
async function restarted(
  fields: Fields,
  { organizations }: Extract<Caller, { kind: "hosts" }>,
  restarts: NasRestarts,
): Promise<Answer> {
  if (fields["status_type"] === "Accounting-On") {
    await Promise.all(organizations.map(({ uuid }) => restarts.closeAt(hotspotOf(fields), uuid)));
  }
  return empty(200);
}

function hotspotOf({ called_station_id: hotspot }: Fields): string {
  return typeof hotspot === "string" ? hotspot : "";
}
