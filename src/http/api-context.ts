import type { HttpBindings } from "@hono/node-server";
import type { Context } from "hono";
import type { ContentfulStatusCode } from "hono/utils/http-status";
import type { Caller } from "./credentials.ts";
import type { HttpOptions, Role } from "./options.ts";
import { PROBLEMS, type Problem, type ProblemCode, problemJson } from "./problem.ts";

interface ApiVariables {
  readonly requestId: string;
  /** Undefined on paths that need no role, when nobody proved anything. */
  readonly caller: Caller | undefined;
  /** Why it was not done, for the log. */
  readonly problem: ProblemCode | undefined;
}
export type ApiEnv = { Bindings: HttpBindings; Variables: ApiVariables };
export type ApiContext = Context<ApiEnv>;

export type Method = "GET" | "POST" | "PUT" | "DELETE";

export interface Endpoint {
  /** The least role that may call; undefined is everybody who may connect. */
  readonly role: Role | undefined;
  readonly answer: (context: ApiContext) => Response | Promise<Response>;
}

/** Endpoints by path and method: app.ts adds roles, 405 and Allow. */
export type Routes = Readonly<Record<string, Readonly<Partial<Record<Method, Endpoint>>>>>;

/** The options as they are now: apply() replaces them. */
export type Settings = () => HttpOptions;

/** An answer of application/problem+json. */
export function problemAnswer(context: ApiContext, problem: Problem, headers: Record<string, string> = {}): Response {
  context.set("problem", problem.code);
  const body = JSON.stringify(problemJson(problem, context.get("requestId")));
  return context.body(body, PROBLEMS[problem.code][0] as ContentfulStatusCode, {
    ...headers,
    "Content-Type": "application/problem+json",
  });
}
