import type { IncomingMessage } from "node:http";
import { apiPeerKey } from "../../dynauth/api-nas.ts";
import type { AcctSession } from "../../store/acct-session.ts";
import { NetworkSet } from "../../transport/networks.ts";
import type { Fields } from "../parameters.ts";
import { type Answer, INVALID_TOKEN, TOKEN_FAILED } from "./answers.ts";
import { isToken, presentedWords } from "./api-token.ts";
import type { CompatDeps, CompatSettings } from "./deps.ts";
import type { CompatOptions, Organization } from "./options.ts";
import { queryOf } from "./request-fields.ts";
import { toldOf } from "./told.ts";
import { holdsToken } from "./user-tokens.ts";

export const API = "openwisp-radius";

/** Who calls openwisp-radius's API.
 *
 *  organization: who has its token, or speaks for a user of it. hosts: who has none and tells of a NAS: the organizations that name
 *  its address among their allowed hosts. roaming: of a device that has an open acct session the user, who has proven itself at
 *  another hotspot. stranger: a device without one; it is told nothing, and no error fills the log of FreeRADIUS. */
export type Caller =
  | { readonly kind: "organization"; readonly organization: Organization }
  | { readonly kind: "hosts"; readonly organizations: readonly Organization[] }
  | { readonly kind: "roaming"; readonly organization: Organization; readonly username: string }
  | { readonly kind: "stranger" }
  | { readonly kind: "refused"; readonly answer: Answer };

/** @throws {HubError} ERR_STORE */
export async function callerOf(
  incoming: IncomingMessage,
  fields: Fields,
  deps: CompatDeps,
  { compat }: CompatSettings,
): Promise<Caller> {
  if (Object.hasOwn(fields, "organization")) {
    return refused("setting the organization parameter explicitly is not allowed");
  }
  const query = queryOf(incoming);
  const header = presentedWords(incoming);
  const words = header?.kind === "words" ? header.words[0] : undefined;
  // The header of the original is "Bearer <uuid> <token>".
  if (header?.kind === "malformed" || (words !== undefined && words.length < 2)) {
    return { kind: "refused", answer: INVALID_TOKEN };
  }
  const [uuid = "", token = ""] = words ?? [query.get("uuid") ?? "", query.get("token") ?? ""];
  const address = incoming.socket.remoteAddress ?? "";
  if (uuid !== "" || token !== "") {
    const organization = named(uuid, token, compat);
    return organization === undefined ? { kind: "refused", answer: TOKEN_FAILED } : admitted({ organization }, address);
  }
  if (fields["status_type"] === "Accounting-On" || fields["status_type"] === "Accounting-Off") {
    const organizations = compat.organizations.filter(({ allowedHosts }) => new NetworkSet(allowedHosts).has(address));
    return organizations.length > 0 ? { kind: "hosts", organizations } : notAllowed(address);
  }
  const username = textOf(fields["username"]) || (query.get("username") ?? "");
  const mac = MAC.exec(username)?.[0];
  return mac === undefined ? ofUser(username, address, deps, compat) : ofDevice(mac, address, deps, compat);
}

function named(uuid: string, token: string, { organizations }: CompatOptions): Organization | undefined {
  // Every token is compared: how long it takes does not say whether there is such an organization.
  return organizations.filter((each) => isToken(`${uuid.toLowerCase()} ${token}`, `${each.uuid} ${each.token}`))[0];
}

/** Without a token of the API, who was given a user token speaks for the one organization that there is. */
async function ofUser(username: string, address: string, deps: CompatDeps, compat: CompatOptions): Promise<Caller> {
  if (username === "") return refused("username field is required.");
  const { userTokens, organizations } = compat;
  const [only, ...others] = organizations;
  const isHolder = userTokens !== undefined && others.length === 0 && (await holdsToken(username, deps));
  if (only !== undefined && isHolder) return admitted({ organization: only }, address);
  return refused(
    "Radius token does not exist. Obtain a new radius token or provide the organization UUID and API token.",
  );
}

const MAC = /^[0-9a-f]{2}(?:[:-][0-9a-f]{2}){5}/i;
/** Open acct sessions of one device that are looked at. */
const SESSIONS_MAX = 100;

/** The user of the device's open acct session that began last, where its organization lets devices roam. */
async function ofDevice(
  callingStationId: string,
  address: string,
  { acctSessions }: CompatDeps,
  { organizations }: CompatOptions,
): Promise<Caller> {
  const { items } = await acctSessions.find({ callingStationId, open: true }, { limit: SESSIONS_MAX });
  const [latest] = items
    .filter(({ facts }) => facts.peerKey === apiPeerKey(API))
    .toSorted((one: AcctSession, other: AcctSession) => other.startedAtMs - one.startedAtMs);
  const organization = organizations.find(({ uuid }) => uuid === toldOf(latest?.facts.told)?.organization);
  if (latest?.username === undefined || organization?.macRoaming !== true) return { kind: "stranger" };
  return admitted({ organization, username: latest.username }, address);
}

function admitted(
  { organization, username }: { readonly organization: Organization; readonly username?: string },
  address: string,
): Caller {
  const { allowedHosts } = organization;
  if (allowedHosts.length > 0 && !new NetworkSet(allowedHosts).has(address)) return notAllowed(address);
  return username === undefined ? { kind: "organization", organization } : { kind: "roaming", organization, username };
}

function notAllowed(address: string): Caller {
  return refused(
    `Request rejected: Client IP address (${address}) is not in the list of IP addresses allowed to consume the freeradius API.`,
  );
}

function refused(detail: string): Caller {
  return { kind: "refused", answer: { status: 403, body: { detail } } };
}

function textOf(value: unknown): string {
  return typeof value === "string" ? value : "";
}
