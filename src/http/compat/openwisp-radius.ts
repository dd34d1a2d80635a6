import type { IncomingMessage } from "node:http";
import { apiPeerKey } from "../../dynauth/api-nas.ts";
import { nasKeyOf } from "../../store/acct-session-key.ts";
import { NetworkSet } from "../../transport/networks.ts";
import { PAGE_ITEMS_MAX } from "../../store/types.ts";
import type { ApiContext, Routes } from "../api-context.ts";
import type { Fields } from "../parameters.ts";
import { type AccountingFields, toldOf } from "./accounting-fields.ts";
import { openwispItem } from "./accounting-item.ts";
import { accountingList } from "./accounting-list.ts";
import { accountingPosted } from "./accounting-post.ts";
import {
  type Answer,
  badRequest,
  compatEndpoint,
  empty,
  INVALID_TOKEN,
  NOT_FOUND,
  TOKEN_FAILED,
  unavailable,
} from "./answers.ts";
import { isToken, presentedWords } from "./api-token.ts";
import { authorized } from "./authorize.ts";
import type { CompatDeps, CompatSettings } from "./deps.ts";
import type { Organization } from "./options.ts";
import { postAuthPosted } from "./post-auth.ts";
import { replyAttributes } from "./reply-attributes.ts";
import { addressField } from "./fields.ts";
import { queryOf, readFields } from "./request-fields.ts";
import { holdsToken } from "./user-tokens.ts";

const API = "openwisp-radius";
const REJECT = { "control:Auth-Type": "Reject" };

/** The API of openwisp-radius that FreeRADIUS calls. */
export function openwispRadiusRoutes(deps: CompatDeps, settings: () => CompatSettings): Routes {
  type Told = {
    readonly fields: Fields;
    readonly incoming: IncomingMessage;
    readonly now: CompatSettings;
    readonly organization: Organization;
  };
  const guarded = (answer: (told: Told) => Promise<Answer>) =>
    compatEndpoint(async ({ env: { incoming } }: ApiContext) => {
      const now = settings();
      if (now.compat.organizations.length === 0) return NOT_FOUND;
      const { fields } = await readFields(incoming, now.bodyBytesMax);
      const caller = await callerOf(incoming, fields, deps, now);
      return "status" in caller ? caller : answer({ fields, incoming, now, organization: caller });
    });
  return {
    "/api/v1/freeradius/authorize/": {
      POST: guarded(({ fields, incoming, now }) => authorize(fields, incoming, deps, now)),
    },
    "/api/v1/freeradius/postauth/": {
      POST: guarded(({ fields, now, organization: { uuid } }) =>
        postAuthPosted(fields, { api: API, organization: uuid }, deps, now),
      ),
    },
    "/api/v1/freeradius/accounting/": {
      GET: guarded(({ incoming, organization: { uuid } }) =>
        accountingList(
          incoming,
          { api: API, organization: uuid, item: (each) => openwispItem(each, deps.dictionary) },
          deps,
        ),
      ),
      POST: guarded(({ fields, incoming, now, organization: { uuid } }) => {
        const nasRestarted = (sent: Fields, isOn: boolean) => (isOn ? closeOf(sent, uuid, deps) : Promise.resolve());
        const isAlone = now.compat.organizations.length === 1;
        const isOthers = isAlone ? undefined : (sent: AccountingFields) => isOfAnother(sent, uuid, deps);
        return accountingPosted(fields, { api: API, organization: uuid, incoming, isOthers, nasRestarted }, deps);
      }),
    },
  };
}

async function authorize(
  fields: Fields,
  incoming: IncomingMessage,
  deps: CompatDeps,
  now: CompatSettings,
): Promise<Answer> {
  const verdict = await authorized(fields, { api: API, incoming }, deps, now);
  switch (verdict.kind) {
    case "errors":
      return badRequest(verdict.errors);
    case "unanswered":
      return unavailable("nobody can say now");
    case "accept": {
      const reply = replyAttributes(verdict.attributes, deps.dictionary);
      return { status: 200, body: { "control:Auth-Type": "Accept", ...reply } };
    }
    case "reject": {
      const { reason = "", message } = verdict;
      const told = message === undefined ? {} : { "Reply-Message": message };
      if (reason === "too many acct sessions") return { status: 401, body: { ...REJECT, ...told } };
      // Not 401 and not 403: pfSense takes those for a wrong password.
      if (reason.startsWith("quota ")) return { status: 200, body: { ...REJECT, ...told } };
      return now.compat.authorizeReject ? { status: 401, body: REJECT } : empty(200);
    }
  }
}

/** Which organization calls, or why none does. */
async function callerOf(
  incoming: IncomingMessage,
  fields: Fields,
  deps: CompatDeps,
  { compat }: CompatSettings,
): Promise<Organization | Answer> {
  if (Object.hasOwn(fields, "organization")) {
    return forbidden("setting the organization parameter explicitly is not allowed");
  }
  const query = queryOf(incoming);
  const header = presentedWords(incoming);
  const words = header?.kind === "words" ? header.words[0] : undefined;
  // The header of the original is "Bearer <uuid> <token>".
  if (header?.kind === "malformed" || (words !== undefined && words.length < 2)) return INVALID_TOKEN;
  const [uuid, token] = words ?? [query.get("uuid") ?? "", query.get("token") ?? ""];
  const organization =
    uuid === "" && token === "" ? await ofUser(fields, query, deps, compat) : named(uuid ?? "", token ?? "", compat);
  if ("status" in organization) return organization;
  const address = incoming.socket.remoteAddress ?? "";
  const { allowedHosts } = organization;
  if (allowedHosts.length === 0 || new NetworkSet(allowedHosts).has(address)) return organization;
  return forbidden(
    `Request rejected: Client IP address (${address}) is not in the list of IP addresses allowed to consume the freeradius API.`,
  );
}

function named(uuid: string, token: string, { organizations }: CompatSettings["compat"]): Organization | Answer {
  // Every token is compared: how long it takes does not say whether there is such an organization.
  const found = organizations.filter((each) => isToken(`${uuid.toLowerCase()} ${token}`, `${each.uuid} ${each.token}`));
  return found[0] ?? TOKEN_FAILED;
}

/** Without a token of the API, who was given a user token speaks for the one organization that there is. */
async function ofUser(
  fields: Fields,
  query: URLSearchParams,
  deps: CompatDeps,
  { userTokens, organizations }: CompatSettings["compat"],
): Promise<Organization | Answer> {
  const username = textOf(fields["username"]) || (query.get("username") ?? "");
  if (username === "") return forbidden("username field is required.");
  const [only, ...others] = organizations;
  const isHolder = userTokens !== undefined && others.length === 0 && (await holdsToken(username, deps));
  if (only !== undefined && isHolder) return only;
  return forbidden(
    "Radius token does not exist. Obtain a new radius token or provide the organization UUID and API token.",
  );
}

function forbidden(detail: string): Answer {
  return { status: 403, body: { detail } };
}

/** Whether another organization told of the acct session first. */
async function isOfAnother(
  { session_id: acctSessionId, nas_ip_address: nasAddress }: AccountingFields,
  organization: string,
  { acctSessions }: CompatDeps,
): Promise<boolean> {
  const { items } = await acctSessions.find({ acctSessionId }, { limit: PAGE_ITEMS_MAX });
  const same = items.filter(({ facts }) => facts.peerKey === apiPeerKey(API) && facts.nasAddress === nasAddress);
  return same.length > 0 && same.every(({ facts }) => toldOf(facts.told)?.organization !== organization);
}

/** Accounting-On: the hotspot has restarted, and what was open there is over. */
async function closeOf(
  fields: Fields,
  organization: string,
  { acctSessions, clock, closed }: CompatDeps,
): Promise<void> {
  const calledStationId = textOf(fields["called_station_id"]);
  if (calledStationId === "") return;
  const address = addressField().safeParse(fields["nas_ip_address"]);
  const shared = false;
  const nasKey = address.success
    ? nasKeyOf({ nasIdentifier: undefined, nasAddress: address.data, peerKey: apiPeerKey(API), shared })
    : undefined;
  const keys: string[] = [];
  let after: string | undefined;
  do {
    const { items, next } = await acctSessions.find({ nasKey, open: true }, { limit: PAGE_ITEMS_MAX, after });
    const own = items.filter(
      ({ facts }) => facts.calledStationId === calledStationId && toldOf(facts.told)?.organization === organization,
    );
    keys.push(...own.map(({ key }) => key));
    after = next;
  } while (after !== undefined);
  for (const key of keys) {
    const acctSession = await acctSessions.close(key, clock.wallMs(), "nas-on");
    if (acctSession !== undefined) closed(acctSession);
  }
}

function textOf(value: unknown): string {
  return typeof value === "string" ? value : "";
}
