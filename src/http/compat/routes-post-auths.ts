import { z } from "zod";
import type { ApiRecord, ApiRecordStore } from "../../store/api-record-types.ts";
import type { Routes } from "../api-context.ts";
import { checkFields, textField, wholeField } from "../field-schema.ts";
import { decodeCursor, encodeCursor, PAGE_SIZE_DEFAULT, PAGE_SIZE_MAX } from "../page.ts";
import { readQuery } from "../parameters.ts";
import type { PostAuth } from "./post-auth.ts";

const postAuthQuery = z.strictObject({
  limit: wholeField(1, PAGE_SIZE_MAX).optional(),
  cursor: textField.optional(),
});

/** GET /v1/post-auths: how logins at a FreeRADIUS in front of the hub ended, newest first. */
export function postAuthRoutes({ records }: { readonly records: Pick<ApiRecordStore, "list"> }): Routes {
  return {
    "/v1/post-auths": {
      GET: {
        role: "monitor",
        answer: async (context) => {
          const { limit = PAGE_SIZE_DEFAULT, cursor } = checkFields(postAuthQuery, readQuery(context.env.incoming));
          const after = cursor === undefined ? undefined : decodeCursor(cursor);
          const { items, next } = await records.list("post-auth", { limit, after });
          const nextCursor = next === undefined ? null : encodeCursor(next);
          return context.json({ post_auths: items.map(postAuthJson), next_cursor: nextCursor });
        },
      },
    },
  };
}

/** Always all members, null where there is nothing to say. */
function postAuthJson({ atMs, value }: ApiRecord): Record<string, unknown> {
  const { api, organization, username, reply, calledStationId, callingStationId } = JSON.parse(value) as PostAuth;
  return {
    at: new Date(atMs).toISOString(),
    api,
    organization: organization ?? null,
    username,
    reply,
    called_station_id: calledStationId ?? null,
    calling_station_id: callingStationId ?? null,
  };
}
