import type { IncomingMessage } from "node:http";
import { z } from "zod";
import type { LoginVerdict } from "../../aaa/by-api/api-requests.ts";
import type { Fields } from "../parameters.ts";
import type { CompatDeps, CompatSettings } from "./deps.ts";
import { addressField, charField, checkedFields, filledField, optional } from "./fields.ts";
import { spendUserToken } from "./user-tokens.ts";

const STATION_MAX = 253;
/** A password has no form: nothing of it is cut off. */
const passwordField = z.union([z.string(), z.number()], "Not a valid string.").transform(String);

const authorizeFields = z.object({
  username: filledField(253),
  password: passwordField.refine((text) => text !== "", "This field may not be blank."),
  called_station_id: optional(charField(STATION_MAX)),
  calling_station_id: optional(charField(STATION_MAX)),
  /** Not of the originals: the NAS, so that the attributes are those of its vendor. */
  nas_ip_address: optional(addressField()),
  nas_identifier: optional(charField(STATION_MAX)),
});

/** Logs a user in as the hub's own modules do; with `userTokens`, a token of the user counts once as the password.
 *  @returns the verdict, or every mistake by field. @throws {HubError} ERR_STORE, ERR_RADIUS_VALUE */
export async function authorized(
  fields: Fields,
  caller: {
    readonly api: string;
    readonly incoming: IncomingMessage;
    readonly vendor?: string | undefined;
    /** Who the user is was proven otherwise: the password is not looked at. */
    readonly isProven?: boolean;
  },
  deps: CompatDeps,
  { compat }: CompatSettings,
): Promise<LoginVerdict | { readonly kind: "errors"; readonly errors: Record<string, readonly string[]> }> {
  const checked = checkedFields(authorizeFields, fields);
  if (!checked.ok) return { kind: "errors", errors: checked.errors };
  const { username, password, calling_station_id: callingStationId } = checked.values;
  const address = caller.incoming.socket.remoteAddress ?? "";
  const attempt = { username, callingStationId, source: address };
  const isProven =
    caller.isProven === true ||
    (compat.userTokens !== undefined &&
      deps.accounts.guesses.admit(attempt).ok &&
      (await spendUserToken(username, password, deps)));
  return deps.requests.login({
    origin: {
      api: caller.api,
      address,
      calledStationId: checked.values.called_station_id,
      nasIdentifier: checked.values.nas_identifier,
      nasAddress: checked.values.nas_ip_address,
    },
    username,
    password,
    callingStationId,
    isProven,
    vendor: caller.vendor ?? compat.vendor,
  });
}
