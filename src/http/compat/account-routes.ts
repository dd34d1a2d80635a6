import { z } from "zod";
import { standingOf } from "../../aaa/users/standing.ts";
import type { ApiContext, Routes } from "../api-context.ts";
import type { Fields } from "../parameters.ts";
import { type Answer, badRequest, compatEndpoint, NOT_FOUND, unavailable } from "./answers.ts";
import type { CompatDeps, CompatSettings } from "./deps.ts";
import { checkedFields, filledField } from "./fields.ts";
import { readFields } from "./request-fields.ts";
import { issueTokens, validatedKey } from "./user-tokens.ts";

const loginFields = z.object({
  username: filledField(253),
  password: z.string("Not a valid string.").refine((text) => text !== "", "This field may not be blank."),
});
const keyFields = z.object({ token: filledField(253) });

const LOGIN_FAILED = { non_field_errors: ["Unable to log in with provided credentials."] };

/** account/token/ and account/token/validate/ of django-freeradius: for the users themselves, or the portal that they log in at;
 *  without the token of the API. */
export function accountRoutes(deps: CompatDeps, settings: () => CompatSettings): Routes {
  const posted = (answer: (fields: Fields, lifetimeMs: number, address: string) => Promise<Answer>) =>
    compatEndpoint(async ({ env: { incoming } }: ApiContext) => {
      const { compat, bodyBytesMax } = settings();
      if (compat.djangoFreeradius === undefined || compat.userTokens === undefined) return NOT_FOUND;
      const { fields } = await readFields(incoming, bodyBytesMax);
      return answer(fields, compat.userTokens.lifetimeMs, incoming.socket.remoteAddress ?? "");
    });
  return {
    "/api/v1/account/token/": { POST: posted((...values) => tokensFor(...values, deps)) },
    "/api/v1/account/token/validate/": { POST: posted((fields, lifetimeMs) => validated(fields, lifetimeMs, deps)) },
  };
}

/** Whatever is wrong with the user or the password looks the same and takes as long. */
async function tokensFor(fields: Fields, lifetimeMs: number, address: string, deps: CompatDeps): Promise<Answer> {
  const checked = checkedFields(loginFields, fields);
  if (!checked.ok) return badRequest(checked.errors);
  const { username, password } = checked.values;
  const { directory, guesses, passwords } = deps.accounts;
  const attempt = { username, callingStationId: undefined, source: address };
  if (!guesses.admit(attempt).ok) return badRequest(LOGIN_FAILED);
  const known = await directory.find(username);
  const verdict = await passwords.verify(attempt, known, Buffer.from(password, "utf8"));
  if (verdict === "busy") return unavailable("too many log in");
  if (verdict === "match") guesses.succeeded(attempt);
  else guesses.failed(attempt);
  const isValid = known !== undefined && standingOf(known.user, deps.clock.wallMs()) === "valid";
  if (verdict !== "match" || !isValid) return badRequest(LOGIN_FAILED);
  const { userToken, apiKey } = await issueTokens(username, lifetimeMs, deps);
  return { status: 200, body: { radius_user_token: userToken, key: apiKey } };
}

async function validated(fields: Fields, lifetimeMs: number, deps: CompatDeps): Promise<Answer> {
  const checked = checkedFields(keyFields, fields);
  const issued = checked.ok ? await validatedKey(checked.values.token, lifetimeMs, deps) : undefined;
  if (issued === undefined) return { status: 401, body: { response_code: "BLANK_OR_INVALID_TOKEN" } };
  const { userToken, apiKey } = issued;
  const body = {
    response_code: "AUTH_TOKEN_VALIDATION_SUCCESSFUL",
    auth_token: apiKey,
    radius_user_token: userToken,
  };
  return { status: 200, body };
}
