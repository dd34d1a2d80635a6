import type { ContentfulStatusCode, StatusCode } from "hono/utils/http-status";
import type { ApiContext, Endpoint } from "../api-context.ts";
import { PROBLEMS, problemOf } from "../problem.ts";

/** An answer in the shape of Django REST framework, which FreeRADIUS's rlm_rest reads: JSON, or a body of no octets. */
export interface Answer {
  readonly status: number;
  /** Undefined: an empty body without Content-Type. */
  readonly body?: unknown;
  readonly headers?: Readonly<Record<string, string>>;
}

/** Mistakes by field, as Django REST framework reports them. */
export type FieldErrors = Readonly<Record<string, readonly string[]>>;

export const NOT_FOUND: Answer = { status: 404, body: { detail: "Not found." } };
export const TOKEN_FAILED: Answer = { status: 403, body: { detail: "Token authentication failed" } };
export const INVALID_TOKEN: Answer = { status: 400, body: { detail: "Invalid token" } };

export function empty(status: number): Answer {
  return { status };
}

export function badRequest(errors: FieldErrors): Answer {
  return { status: 400, body: errors };
}

/** Nobody can say now, and the caller should ask again or elsewhere: rlm_rest makes `fail` of it. */
export function unavailable(detail: string): Answer {
  return { status: 503, body: { detail }, headers: { "Retry-After": "5" } };
}

/** An endpoint without a role of the hub: it checks the token of its own API. What the hub's own API would answer as a problem
 *  comes as `{"detail": …}` with the same status. */
export function compatEndpoint(answer: (context: ApiContext) => Promise<Answer | Response>): Endpoint {
  return {
    role: undefined,
    answer: async (context) => {
      try {
        const given = await answer(context);
        return given instanceof Response ? given : respond(context, given);
      } catch (error) {
        const problem = problemOf(error);
        if (problem === undefined) throw error;
        const [status] = PROBLEMS[problem.code];
        context.set("problem", problem.code);
        // What is left of the body is not worth reading.
        const headers = problem.code === "body-too-large" ? { Connection: "close" } : {};
        return respond(context, { status, body: { detail: problem.detail }, headers });
      }
    },
  };
}

function respond(context: ApiContext, { status, body, headers }: Answer): Response {
  // Said aloud, or node:http sends an empty body in chunks, which is not the same to every client.
  if (body === undefined) return context.body(null, status as StatusCode, { ...headers, "Content-Length": "0" });
  return context.body(JSON.stringify(body), status as ContentfulStatusCode, {
    ...headers,
    "Content-Type": "application/json",
  });
}
