import type { ContentfulStatusCode, StatusCode } from "hono/utils/http-status";
import type { ApiContext, Endpoint } from "../api-context.ts";
import { PROBLEMS, type Problem, problemOf } from "../problem.ts";

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
        // What is left of the body is not worth reading.
        const headers = problem.code === "body-too-large" ? { Connection: "close" } : {};
        return detailAnswer(context, problem, headers);
      }
    },
  };
}

/** A problem in the shape that these APIs have. No page of HTML: rlm_rest reads whatever comes. */
export function detailAnswer(context: ApiContext, problem: Problem, headers: Record<string, string> = {}): Response {
  const { code, detail, facts } = problem;
  context.set("problem", code);
  const [status] = PROBLEMS[code];
  const body = facts["nonField"] === true ? { non_field_errors: [detail] } : { detail: wording(context, problem) };
  return respond(context, { status, body, headers });
}

function wording(context: ApiContext, { code, detail }: Problem): string {
  switch (code) {
    case "not-found":
      return "Not found.";
    case "method-not-allowed":
      return `Method "${context.req.method}" not allowed.`;
    case "unsupported-media-type":
      return `Unsupported media type "${context.req.header("Content-Type") ?? ""}" in request.`;
    default:
      return detail;
  }
}

function respond(context: ApiContext, { status, body, headers }: Answer): Response {
  // Said aloud, or node:http sends an empty body in chunks, which is not the same to every client.
  if (body === undefined) return context.body(null, status as StatusCode, { ...headers, "Content-Length": "0" });
  return context.body(JSON.stringify(body), status as ContentfulStatusCode, {
    ...headers,
    "Content-Type": "application/json",
  });
}
