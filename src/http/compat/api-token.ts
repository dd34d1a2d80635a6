import { hash, timingSafeEqual } from "node:crypto";
import type { IncomingMessage } from "node:http";

/** Whether a text is the token; takes as long for each wrong one. */
export function isToken(presented: string, token: string): boolean {
  return timingSafeEqual(hash("sha256", presented, "buffer"), hash("sha256", token, "buffer"));
}

/** What a caller shows of the words after the scheme: header first, else the query. "malformed": a header of one word. */
export type Presented =
  | { readonly kind: "words"; readonly words: readonly (readonly string[])[] }
  | { readonly kind: "malformed" };

/** The words of each Authorization, split at commas, as django-freeradius and openwisp-radius read the header. */
export function presentedWords({ headers }: Pick<IncomingMessage, "headers">): Presented | undefined {
  const { authorization } = headers;
  if (authorization === undefined || authorization.trim() === "") return undefined;
  const words = authorization.split(",").map((each) => each.trim().split(" ").slice(1));
  return words.some((each) => each.length === 0) ? { kind: "malformed" } : { kind: "words", words };
}
