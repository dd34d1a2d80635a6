import ipaddr from "ipaddr.js";
import type { Clock, Random } from "../../clock.ts";
import { apiPeerKey, linksOfApiNas } from "../../dynauth/api-nas.ts";
import { ATTRIBUTE, type Attribute, attribute, firstValue, textAttribute } from "../../radius/attribute.ts";
import { encodeRequest, SharedSecret } from "../../radius/authenticator.ts";
import { CODE } from "../../radius/codes.ts";
import { hideUserPassword } from "../../radius/hidden.ts";
import { AUTHENTICATOR_BYTES, decodePacket } from "../../radius/packet.ts";
import type { Registry } from "../../registry/registry.ts";
import { Cancellable, type Cancellation } from "../../transport/cancellation.ts";
import type { Reply, RequestContext, RequestHandler } from "../../transport/link.ts";
import type { Pipeline } from "../pipeline/pipeline.ts";
import { ApiLink, type ApiOrigin } from "./api-link.ts";

export interface ApiRequestsDeps {
  readonly clock: Clock;
  readonly random: Random;
  readonly registry: Pick<Registry, "byNasIdentifier" | "byNasAddress" | "find">;
  readonly pipeline: Pick<Pipeline, "login">;
  /** What answers an Accounting-Request of a router. */
  readonly account: RequestHandler;
}

export interface ApiLogin {
  readonly origin: ApiOrigin;
  readonly username: string;
  readonly password: string;
  readonly callingStationId?: string | undefined;
  /** Who the user is was proven otherwise; `password` is not looked at. */
  readonly isProven: boolean;
  /** Vendor of the NAS where it has no link that says. */
  readonly vendor: string | undefined;
}

/** accept: the attributes of the Access-Accept. reject: `reason` is for the API. unanswered: nobody can say now, the store is down
 *  or too many wait. */
export type LoginVerdict =
  | { readonly kind: "accept"; readonly attributes: readonly Attribute[] }
  | { readonly kind: "reject"; readonly reason: string | undefined; readonly message: string | undefined }
  | { readonly kind: "unanswered"; readonly reason: string };

export interface ApiAccounting {
  readonly origin: ApiOrigin;
  /** Of the Accounting-Request, without Message-Authenticator. */
  readonly attributes: readonly Attribute[];
  /** Kept with the acct session as AcctSessionFacts.told. */
  readonly told: string;
  /** apiNasKey() of what the API tells acct sessions apart by. */
  readonly nasKey: string;
  /** An interim opens the acct session again, also after its Stop. */
  readonly reopens: boolean;
  /** The acct session is there already. */
  readonly isKnown: boolean;
}

export type AccountingVerdict =
  /** isNew: the acct session was not known before. */
  { readonly kind: "stored"; readonly isNew: boolean } | { readonly kind: "not-stored"; readonly reason: string };

/** RFC 2865 Section 5.2. */
const PASSWORD_BYTES_MAX = 128;
const SECRET_BYTES = 16;
/** Effects of a record whose acct session was not there before. */
const NEW: ReadonlySet<string> = new Set(["created", "new-generation"]);
const NOBODY_LISTENS: Cancellation = new Cancellable();

/** Logins and accounting of HTTP APIs: each becomes the RADIUS request that a router would have sent, and goes the same way, so
 *  that modules, quota, guess limits, plans and the store make no difference between the two. */
export class ApiRequests {
  readonly #deps: ApiRequestsDeps;
  readonly #secret: SharedSecret;

  constructor(deps: ApiRequestsDeps) {
    this.#deps = deps;
    this.#secret = new SharedSecret(deps.random.bytes(SECRET_BYTES));
  }

  /** @throws {HubError} ERR_RADIUS_VALUE for text that is longer than an attribute */
  async login({ origin, username, password, callingStationId, isProven, vendor }: ApiLogin): Promise<LoginVerdict> {
    const octets = Buffer.from(isProven ? "" : password, "utf8");
    if (octets.length > PASSWORD_BYTES_MAX) return { kind: "reject", reason: "wrong password", message: undefined };
    const authenticator = this.#deps.random.bytes(AUTHENTICATOR_BYTES);
    const attributes = [
      textAttribute(ATTRIBUTE.userName, username),
      attribute(ATTRIBUTE.userPassword, hideUserPassword(octets, this.#secret, authenticator)),
      ...stationAttributes(origin, callingStationId),
      ...nasAttributes(origin),
    ];
    // Many users come from one caller: who guesses is told by it, as by a router.
    const link = this.#link(origin, `${apiPeerKey(origin.api)}@${origin.address}`, vendor);
    const packet = decodePacket(encodeRequest(CODE.accessRequest, 0, attributes, authenticator, this.#secret));
    const { context, ended } = contextOf({ packet, link });
    const { reply, reason } = await this.#deps.pipeline.login(context, isProven);
    ended();
    return verdictOf(reply, reason);
  }

  /** @throws {HubError} ERR_RADIUS_TOO_LONG, ERR_RADIUS_ATTRIBUTE for attributes that are no packet */
  async account({ origin, attributes, told, nasKey, reopens, isKnown }: ApiAccounting): Promise<AccountingVerdict> {
    const all = [...attributes, ...nasAttributes(origin)];
    const authenticator = Buffer.alloc(AUTHENTICATOR_BYTES);
    const packet = decodePacket(encodeRequest(CODE.accountingRequest, 0, all, authenticator, this.#secret));
    const link = this.#link(origin, apiPeerKey(origin.api), undefined);
    let effect: string | undefined;
    const byApi = { told, nasKey, reopens, stored: (stored: string) => void (effect = stored) };
    const { context, ended } = contextOf({ packet, link, byApi });
    const reply = await this.#deps.account(context);
    ended();
    if (reply.kind !== "reply") return { kind: "not-stored", reason: reply.reason };
    // What the store says of a Stop leaves open whether there was anything to close.
    const isNew = effect === "closed" ? !isKnown : effect !== undefined && NEW.has(effect);
    return { kind: "stored", isNew };
  }

  #link(origin: ApiOrigin, peerKey: string, vendor: string | undefined): ApiLink {
    const own = linksOfApiNas(this.#deps.registry, origin)[0]?.link.client.vendor;
    const facts = { secret: this.#secret, vendor: own ?? vendor, nowMs: this.#deps.clock.wallMs() };
    return new ApiLink(origin, peerKey, facts);
  }
}

function stationAttributes({ calledStationId }: ApiOrigin, callingStationId: string | undefined): Attribute[] {
  return [
    ...(calledStationId === undefined ? [] : [textAttribute(ATTRIBUTE.calledStationId, calledStationId)]),
    ...(callingStationId === undefined ? [] : [textAttribute(ATTRIBUTE.callingStationId, callingStationId)]),
  ];
}

function nasAttributes({ nasIdentifier, nasAddress }: ApiOrigin): Attribute[] {
  const octets = nasAddress === undefined ? undefined : Buffer.from(ipaddr.parse(nasAddress).toByteArray());
  const type = octets?.length === 16 ? ATTRIBUTE.nasIpv6Address : ATTRIBUTE.nasIpAddress;
  return [
    ...(nasIdentifier === undefined ? [] : [textAttribute(ATTRIBUTE.nasIdentifier, nasIdentifier)]),
    ...(octets === undefined ? [] : [attribute(type, octets)]),
  ];
}

/** Nobody waits for a reply on a wire: what is to be done after it is done when the verdict is there. */
function contextOf(parts: Pick<RequestContext, "packet" | "link" | "byApi">): {
  context: RequestContext;
  ended: () => void;
} {
  const actions: (() => void)[] = [];
  let isOver = false;
  const afterReply = (action: () => void): void => {
    if (isOver) action();
    else actions.push(action);
  };
  const ended = (): void => {
    isOver = true;
    for (const action of actions) action();
  };
  return { context: { ...parts, signal: NOBODY_LISTENS, afterReply }, ended };
}

function verdictOf(reply: Reply, reason: string | undefined): LoginVerdict {
  if (reply.kind !== "reply") return { kind: "unanswered", reason: reply.reason };
  const { code, attributes } = reply;
  if (code === CODE.accessAccept) return { kind: "accept", attributes };
  // A challenge has nowhere to go.
  const message = firstValue(attributes, ATTRIBUTE.replyMessage)?.toString("utf8");
  return { kind: "reject", reason, message };
}
