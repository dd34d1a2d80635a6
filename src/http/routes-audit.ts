import { z } from "zod";
import { errorCauseName } from "../dynauth/error-cause.ts";
import { OUTCOME_KINDS } from "../dynauth/outcome.ts";
import { codeName } from "../radius/codes.ts";
import type { AuditEntry } from "../store/audit-types.ts";
import type { Endpoint, Routes } from "./api-context.ts";
import { checkFields, textField, timeField, wholeField } from "./field-schema.ts";
import type { HttpDeps } from "./options.ts";
import { decodeCursor, encodeCursor, PAGE_SIZE_DEFAULT, PAGE_SIZE_MAX } from "./page.ts";
import { readQuery } from "./parameters.ts";
import { refusal } from "./problem.ts";

/** "refused": the request did not fit into a packet. */
const ENDINGS = [...OUTCOME_KINDS, "refused"] as const;

const auditQuery = z.strictObject({
  username: textField.optional(),
  nas: textField.optional(),
  outcome: z.enum(ENDINGS, `must be one of ${ENDINGS.join(", ")}`).optional(),
  ended_from: timeField.optional(),
  ended_before: timeField.optional(),
  limit: wholeField(1, PAGE_SIZE_MAX).optional(),
  cursor: textField.optional(),
});

type AuditView = NonNullable<HttpDeps["audit"]>;

/** GET /v1/exchanges: who asked for what, and how it ended; newest first. */
export function auditList(audit: AuditView): Endpoint {
  return {
    role: "monitor",
    answer: async (context) => {
      const query = checkFields(auditQuery, readQuery(context.env.incoming));
      const { username, nas, outcome, ended_from: fromMs, ended_before: beforeMs } = query;
      const after = query.cursor === undefined ? undefined : decodeCursor(query.cursor);
      const wanted = { username, nas, outcome, fromMs, beforeMs };
      const { items, next } = await audit.find(wanted, { limit: query.limit ?? PAGE_SIZE_DEFAULT, after });
      const nextCursor = next === undefined ? null : encodeCursor(next);
      return context.json({ exchanges: items.map(entryJson), next_cursor: nextCursor });
    },
  };
}

/** GET /v1/exchanges/{exchange_id}. */
export function auditRoutes(audit: AuditView): Routes {
  return {
    "/v1/exchanges/:exchangeId": {
      GET: {
        role: "monitor",
        answer: async (context) => {
          const exchangeId = context.req.param("exchangeId") ?? "";
          const [entry] = (await audit.find({ exchangeId }, { limit: 1 })).items;
          if (entry !== undefined) return context.json(entryJson(entry));
          throw refusal("not-found", "no exchange of that id has ended, or it is forgotten", {
            exchange_id: exchangeId,
          });
        },
      },
    },
  };
}

/** Always all members, null where there is nothing to say. */
function entryJson(entry: AuditEntry): Record<string, unknown> {
  const { replyCode, errorCause } = entry;
  return {
    exchange_id: entry.exchangeId,
    ended_at: new Date(entry.atMs).toISOString(),
    code: entry.code,
    name: codeName(entry.code),
    trigger: entry.trigger,
    caller: entry.caller ?? null,
    request_id: entry.requestId ?? null,
    nas: entry.nas ?? null,
    link_id: entry.linkId ?? null,
    username: entry.username ?? null,
    session_key: entry.acctSessionKey ?? null,
    outcome: entry.outcome,
    why: entry.why ?? null,
    may_have_acted: entry.mayHaveActed ?? null,
    reply: replyCode === undefined ? null : { code: replyCode, name: codeName(replyCode) },
    error_cause: errorCause === undefined ? null : { number: errorCause, name: errorCauseName(errorCause) },
    attempts: entry.attempts,
    duration_ms: entry.durationMs,
  };
}
