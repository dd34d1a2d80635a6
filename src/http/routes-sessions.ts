import { z } from "zod";
import type { AcctSessionQuery } from "../store/types.ts";
import type { ApiContext, Routes } from "./api-context.ts";
import { addressField, checkFields, flagField, textField, timeField, wholeField } from "./field-schema.ts";
import type { HttpDeps } from "./options.ts";
import { decodeCursor, encodeCursor, PAGE_SIZE_DEFAULT, PAGE_SIZE_MAX } from "./page.ts";
import { readQuery, refuseIfAny } from "./parameters.ts";
import { refusal } from "./problem.ts";
import { type ExportFormat, EXPORTS, exportStream } from "./session-export.ts";
import { sessionJson } from "./session-json.ts";

const FORMATS = ["json", "ndjson", "csv"] as const;

const sessionQuery = z.strictObject({
  username: textField.optional(),
  session_id: textField.optional(),
  calling_station_id: textField.optional(),
  framed_ip: addressField.optional(),
  nas_identifier: textField.optional(),
  open: flagField.optional(),
  started_from: timeField.optional(),
  started_before: timeField.optional(),
  format: z.enum(FORMATS, `must be one of ${FORMATS.join(", ")}`).optional(),
  limit: wholeField(1, PAGE_SIZE_MAX).optional(),
  cursor: textField.optional(),
});
type SessionQuery = z.output<typeof sessionQuery>;

type SessionDeps = Pick<HttpDeps, "log"> & { readonly acctSessions: NonNullable<HttpDeps["acctSessions"]> };

/** GET /v1/sessions and /v1/sessions/{key}: acct sessions, open and closed. */
export function sessionRoutes({ acctSessions, log }: SessionDeps): Routes {
  return {
    "/v1/sessions": {
      GET: {
        role: "monitor",
        answer: async (context) => {
          const query = checkFields(sessionQuery, readQuery(context.env.incoming));
          const wanted = storeQuery(query);
          const format = query.format ?? accepted(context);
          if (format !== "json") {
            refusePaging(query);
            const pageAfter = (after: string | undefined) => acctSessions.find(wanted, { limit: PAGE_SIZE_MAX, after });
            const broken = (error: unknown): void => {
              log.error({ err: error, requestId: context.get("requestId") }, "an export broke off");
              context.env.outgoing.destroy();
            };
            return context.body(await exportStream(format, pageAfter, broken), 200, {
              "Content-Type": EXPORTS[format].contentType,
              "Content-Disposition": `attachment; filename="sessions.${format}"`,
              Vary: "Accept",
            });
          }
          const { cursor, limit = PAGE_SIZE_DEFAULT } = query;
          const after = cursor === undefined ? undefined : decodeCursor(cursor);
          const { items, next } = await acctSessions.find(wanted, { limit, after });
          const nextCursor = next === undefined ? null : encodeCursor(next);
          return context.json({ sessions: items.map(sessionJson), next_cursor: nextCursor });
        },
      },
    },
    "/v1/sessions/:key": {
      GET: {
        role: "monitor",
        answer: async (context) => {
          const key = context.req.param("key") ?? "";
          const acctSession = await acctSessions.one(key);
          if (acctSession !== undefined) return context.json(sessionJson(acctSession));
          throw refusal("not-found", "there is no acct session of that key", { session_key: key });
        },
      },
    },
  };
}

function storeQuery(query: SessionQuery): AcctSessionQuery {
  return {
    username: query.username,
    acctSessionId: query.session_id,
    callingStationId: query.calling_station_id,
    framedIp: query.framed_ip,
    nasIdentifier: query.nas_identifier,
    open: query.open,
    startedFromMs: query.started_from,
    startedBeforeMs: query.started_before,
  };
}

/** The format that Accept names first; JSON for whoever takes anything. */
function accepted(context: ApiContext): "json" | ExportFormat {
  for (const range of (context.req.header("Accept") ?? "").split(",")) {
    const type = range.split(";", 1)[0]?.trim().toLowerCase();
    if (type === EXPORTS.csv.mediaType) return "csv";
    if (type === EXPORTS.ndjson.mediaType) return "ndjson";
    if (type === "application/json") return "json";
  }
  return "json";
}

/** An export is always whole.
 *  @throws {HubError} ERR_INPUT: bad-input */
function refusePaging(query: SessionQuery): void {
  const given = (["limit", "cursor"] as const).filter((field) => query[field] !== undefined);
  refuseIfAny(given.map((field) => ({ field, detail: "has no meaning for csv and ndjson, which are never in pages" })));
}
