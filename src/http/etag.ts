import type { ApiContext } from "./api-context.ts";
import { refusal } from "./problem.ts";

/** What a request allows to be changed. "any": whatever is there; undefined: it says nothing. */
export type Precondition = { readonly revision: string } | "absent" | "any" | undefined;

/** A revision as entity tag: strong, because every state has another one (RFC 9110 Section 8.8.3). */
export function etag(revision: string): string {
  return `"${revision}"`;
}

/** If-Match and If-None-Match of a request that changes something (RFC 9110 Section 13.1).
 *  @throws {HubError} ERR_INPUT: malformed-request for what is no entity tag */
export function precondition(context: ApiContext): Precondition {
  const match = context.req.header("If-Match")?.trim();
  const noneMatch = context.req.header("If-None-Match")?.trim();
  if (match !== undefined && noneMatch !== undefined) {
    throw refusal("malformed-request", "If-Match and If-None-Match ask for the opposite of each other");
  }
  if (noneMatch === "*") return "absent";
  if (noneMatch !== undefined) throw refusal("malformed-request", "If-None-Match can only be * here");
  if (match === undefined || match === "*") return match && "any";
  // RFC 9110 Section 13.1.1: a weak tag never matches; a list of tags is nothing that an editor of one state sends.
  const [, revision] = /^"([\x21\x23-\x7e]{1,64})"$/.exec(match) ?? [];
  if (revision === undefined) throw refusal("malformed-request", 'If-Match must be one entity tag such as "x7Yk" or *');
  return { revision };
}

/** Whether the caller has the present state already (RFC 9110 Section 13.1.2). */
export function hasPresent(context: ApiContext, revision: string): boolean {
  const known = context.req.header("If-None-Match");
  if (known === undefined) return false;
  return known.split(",").some((tag) => ["*", etag(revision), `W/${etag(revision)}`].includes(tag.trim()));
}

export function changedMeanwhile(): Error {
  return refusal("precondition-failed", "it is not in the state that the request was made for: read it again");
}

export function preconditionRequired(): Error {
  return refusal(
    "precondition-required",
    "it is there already: say with If-Match which state is to be changed, or * for any",
  );
}
