import type { ApiContext, Routes } from "../api-context.ts";
import {
  type Answer,
  badRequest,
  compatEndpoint,
  INVALID_TOKEN,
  NOT_FOUND,
  TOKEN_FAILED,
  unavailable,
} from "./answers.ts";
import { isToken, presentedWords } from "./api-token.ts";
import { authorized } from "./authorize.ts";
import type { CompatDeps, CompatSettings } from "./deps.ts";
import { queryOf, readFields } from "./request-fields.ts";

const API = "radius-check";
/** Its answer knows one notation of rates. */
const VENDOR = "mikrotik";

/** POST /api/auth/radius-check: whether a user gets in, with the rate in the notation of Mikrotik-Rate-Limit and the seconds that
 *  are left; null is no bound. */
export function radiusCheckRoutes(deps: CompatDeps, settings: () => CompatSettings): Routes {
  const answer = async ({ env: { incoming } }: ApiContext): Promise<Answer> => {
    const now = settings();
    const token = now.compat.radiusCheck?.token;
    if (token === undefined) return NOT_FOUND;
    const words = presentedWords(incoming);
    if (words?.kind === "malformed") return INVALID_TOKEN;
    const presented = words?.words[0]?.[0] ?? queryOf(incoming).get("token") ?? "";
    if (!isToken(presented, token)) return TOKEN_FAILED;
    const { fields } = await readFields(incoming, now.bodyBytesMax);
    const verdict = await authorized(fields, { api: API, incoming, vendor: VENDOR }, deps, now);
    switch (verdict.kind) {
      case "errors":
        return badRequest(verdict.errors);
      case "unanswered":
        return unavailable("nobody can say now");
      case "reject":
        return { status: 401, body: verdict.message === undefined ? {} : { "Reply-Message": verdict.message } };
      case "accept": {
        const values = new Map(deps.dictionary.decode(verdict.attributes).map(({ name, value }) => [name, value]));
        const bandwidth = values.get("Mikrotik-Rate-Limit") ?? null;
        return { status: 200, body: { bandwidth, remaining_time: values.get("Session-Timeout") ?? null } };
      }
    }
  };
  return { "/api/auth/radius-check": { POST: compatEndpoint(answer) } };
}
