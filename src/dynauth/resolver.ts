import type { Link } from "../transport/link.ts";
import type { Attribute } from "../radius/attribute.ts";
import type { ExchangeRequest } from "./exchange-request.ts";
import type { NoRoute } from "./outcome.ts";

/** Finds who is meant. Asynchronous, and one request may mean several NASes: the session index asks a store and a user may be
 *  on three routers at once. */
export interface Resolver {
  /** @throws {HubError} ERR_AMBIGUOUS with `details.candidates`, ERR_INPUT when the request names nobody */
  resolve(request: ExchangeRequest): Resolution | Promise<Resolution>;
}

export type Resolution =
  | { readonly kind: "targets"; readonly targets: readonly ResolvedTarget[] }
  | { readonly kind: "no-route"; readonly why: NoRoute["why"]; readonly nas: string | undefined };

/** One NAS that the request goes to. */
export interface ResolvedTarget {
  /** Its name for people. */
  readonly nas: string | undefined;
  /** Of the peer whose links it has; undefined where an acct session says who that is. */
  readonly peerKey?: string;
  /** AcctSession.key, where one acct session is meant. */
  readonly acctSessionKey?: string;
  /** What the caller gave, with the identification that this NAS needs. */
  identify(attributes: readonly Attribute[]): readonly Attribute[];
  /** The best link of this NAS that is open now and not in `tried`. */
  pick(tried: ReadonlySet<string>): Link | undefined;
}
