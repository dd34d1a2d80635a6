import { Hono } from "hono";
import { routePath } from "hono/route";
import type { Access } from "./access.ts";
import { type ApiContext, type ApiEnv, type Endpoint, type Method, problemAnswer, type Routes } from "./api-context.ts";
import { detailAnswer } from "./compat/answers.ts";
import { isCompatPath } from "./compat/compat-routes.ts";
import { includesRole } from "./credentials.ts";
import { LogGate } from "./log-gate.ts";
import type { HttpDeps } from "./options.ts";
import { type Problem, type ProblemCode, problemOf } from "./problem.ts";
import type { RequestIds } from "./request-id.ts";

export interface AppDeps extends Pick<HttpDeps, "clock" | "log"> {
  readonly requestIds: RequestIds;
  readonly routes: Routes;
  /** The rules as they are now. */
  readonly access: () => Access;
  readonly stopping: () => boolean;
  readonly answered: (route: string, status: number) => void;
}

const CHANGING: ReadonlySet<string> = new Set(["POST", "PUT", "DELETE"]);

/** The API as a Hono app. Each request goes: request id, stopping?, from where and who (access.ts), path and method, role,
 *  endpoint; each answer comes back through one place that logs and counts it. */
export function makeApp(deps: AppDeps): Hono<ApiEnv> {
  const app = new Hono<ApiEnv>();
  const gate = new LogGate(deps.clock);
  app.use(async (context, next) => {
    const begun = deps.clock.now();
    context.set("requestId", deps.requestIds.adopt(context.req.header("X-Request-Id")));
    const refused = admit(context, deps);
    if (refused === undefined) await next();
    else context.res = refused;
    finish(context, deps, gate, begun);
  });
  for (const [path, methods] of Object.entries(deps.routes)) {
    for (const [method, endpoint] of Object.entries(methods) as [Method, Endpoint][]) {
      app.on(method, path, (context) => lackOfRole(context, endpoint, deps) ?? endpoint.answer(context));
    }
    const allow = Object.keys(methods).flatMap((method) => (method === "GET" ? ["GET", "HEAD"] : [method]));
    app.all(path, (context) =>
      refusedAnswer(context, "method-not-allowed", `${path} takes ${allow.join(", ")}`, { Allow: allow.join(", ") }),
    );
  }
  app.notFound((context) => refusedAnswer(context, "not-found", "there is nothing at this path"));
  app.onError((error, context) => faultAnswer(error, context, deps));
  return app;
}

function admit(context: ApiContext, { access, stopping }: AppDeps): Response | undefined {
  if (stopping()) {
    return refusedAnswer(context, "stopping", "the hub is stopping and takes no new request", { "Retry-After": "5" });
  }
  const arrival = {
    method: context.req.method,
    address: context.env.incoming.socket.remoteAddress ?? "",
    host: context.req.header("Host"),
    origin: context.req.header("Origin"),
    authorization: context.req.header("Authorization"),
  };
  // These have tokens of their own, which their endpoints look at.
  const verdict = isCompatPath(context.req.path) ? access().admitForeign(arrival) : access().admit(arrival);
  if (verdict.ok) context.set("caller", verdict.caller);
  else return refusedAnswer(context, verdict.code, verdict.detail, challenge(verdict.code, access()));
  return undefined;
}

function lackOfRole(context: ApiContext, { role }: Endpoint, { access }: AppDeps): Response | undefined {
  if (role === undefined) return undefined;
  const caller = context.get("caller");
  if (caller === undefined) {
    return refusedAnswer(context, "unauthorized", "credentials are needed", challenge("unauthorized", access()));
  }
  if (includesRole(caller.role, role)) return undefined;
  return refusedAnswer(context, "forbidden", `role ${role} is needed; ${caller.name} has role ${caller.role}`);
}

/** RFC 9110 Section 15.5.2: a 401 answer says what would be accepted. */
function challenge(code: ProblemCode, access: Access): Record<string, string> {
  return code === "unauthorized" ? { "WWW-Authenticate": access.challenge } : {};
}

function faultAnswer(error: unknown, context: ApiContext, { log }: AppDeps): Response {
  const problem = problemOf(error);
  if (problem === undefined) {
    log.error({ err: error, requestId: context.get("requestId"), path: context.req.path }, "the HTTP API failed");
    return refusedAnswer(context, "internal", "see the log of the hub under this request id");
  }
  const passes = problem.code === "stopping" || problem.code === "store-down";
  const headers: Record<string, string> = passes ? { "Retry-After": "5" } : {};
  // What is left of the body is not worth reading.
  if (problem.code === "body-too-large") headers["Connection"] = "close";
  return shaped(context, problem, headers);
}

function refusedAnswer(
  context: ApiContext,
  code: ProblemCode,
  detail: string,
  headers: Record<string, string> = {},
): Response {
  return shaped(context, { code, detail, facts: {} }, headers);
}

/** In the shape of the API that was called. */
function shaped(context: ApiContext, problem: Problem, headers: Record<string, string>): Response {
  const answer = isCompatPath(context.req.path) ? detailAnswer : problemAnswer;
  return answer(context, problem, headers);
}

function finish(context: ApiContext, deps: AppDeps, gate: LogGate, begun: number): void {
  const { res } = context;
  res.headers.set("X-Request-Id", context.get("requestId"));
  res.headers.set("X-Content-Type-Options", "nosniff");
  res.headers.set("Cache-Control", "no-store");
  if (deps.stopping()) res.headers.set("Connection", "close");
  const route = routePath(context, -1);
  deps.answered(Object.hasOwn(deps.routes, route) ? route : "none", res.status);
  logRequest(context, deps, gate, deps.clock.now() - begun);
}

/** What changes something is logged, and what was refused; the rest is counted only, as are logins and accounting by other APIs. */
function logRequest(context: ApiContext, { log }: AppDeps, gate: LogGate, tookMs: number): void {
  const { res, req } = context;
  const address = context.env.incoming.socket.remoteAddress;
  const problem = context.get("problem");
  const facts = {
    requestId: context.get("requestId"),
    method: req.method,
    // A path may hold a NAS name; the query, which may hold users, stays out of the log.
    path: req.path,
    status: res.status,
    problem,
    caller: context.get("caller")?.name,
    address,
    durationMs: Math.round(tookMs * 1_000) / 1_000,
  };
  const text = `${req.method} ${req.path}: ${res.status}${problem === undefined ? "" : ` ${problem}`}`;
  if (res.status === 401 || res.status === 403) {
    const suppressed = gate.pass(`${res.status} ${address}`);
    if (suppressed !== undefined) log.warn({ ...facts, suppressed }, `HTTP from ${address} refused: ${text}`);
  } else if (CHANGING.has(req.method) && !isCompatPath(req.path)) {
    log.info(facts, `HTTP from ${address}: ${text}`);
  }
}
