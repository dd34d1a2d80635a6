import { z } from "zod";
import type { Fields } from "../parameters.ts";
import { type Answer, badRequest, empty } from "./answers.ts";
import type { CompatDeps, CompatSettings } from "./deps.ts";
import { charField, checkedFields, filledField, optional } from "./fields.ts";

const postAuthFields = z.object({
  username: filledField(253),
  /** Taken and never kept: what was mistyped is often a password of somewhere else (invariant 10). */
  password: optional(z.union([z.string(), z.number()], "Not a valid string.")),
  reply: filledField(32),
  called_station_id: optional(charField(253)),
  calling_station_id: optional(charField(253)),
});

/** What is kept of a login that FreeRADIUS has answered. */
export interface PostAuth {
  readonly api: string;
  readonly organization?: string | undefined;
  readonly username: string;
  /** "Access-Accept", "Access-Reject". */
  readonly reply: string;
  readonly calledStationId?: string | undefined;
  readonly callingStationId?: string | undefined;
}

const KEY_BYTES = 12;

/** POST postauth/: 201 without a body once it is stored. @throws {HubError} ERR_STORE */
export async function postAuthPosted(
  fields: Fields,
  caller: Pick<PostAuth, "api" | "organization">,
  deps: CompatDeps,
  { compat }: CompatSettings,
): Promise<Answer> {
  const checked = checkedFields(postAuthFields, fields);
  if (!checked.ok) return badRequest(checked.errors);
  const { username, reply, called_station_id, calling_station_id } = checked.values;
  const { api, organization } = caller;
  const kept: PostAuth = {
    api,
    organization,
    username,
    reply,
    calledStationId: called_station_id,
    callingStationId: calling_station_id,
  };
  const atMs = deps.clock.wallMs();
  const key = Buffer.from(deps.random.bytes(KEY_BYTES)).toString("base64url");
  const value = JSON.stringify(kept);
  await deps.records.put([{ kind: "post-auth", key, atMs, expiresAtMs: atMs + compat.postAuthMs, value }]);
  return empty(201);
}
