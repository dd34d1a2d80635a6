import { type Routes, problemAnswer } from "./api-context.ts";
import type { HubMetrics } from "./metrics.ts";
import type { HttpDeps } from "./options.ts";

/** GET /live, /ready and /metrics. */
export function healthRoutes({ ready }: Pick<HttpDeps, "ready">, metrics: HubMetrics): Routes {
  return {
    "/live": { GET: { role: undefined, answer: (context) => context.json({ status: "live" }) } },
    "/ready": {
      GET: {
        role: undefined,
        answer: (context) => {
          const state = ready();
          // What exactly fails is for those who proved who they are.
          const known = context.get("caller") !== undefined;
          const checks = Object.fromEntries(
            Object.entries(state.checks).map(([name, { ok, detail }]) => [
              name,
              known && detail !== undefined ? { ok, detail } : { ok },
            ]),
          );
          if (state.ready) return context.json({ status: "ready", checks });
          const failing = Object.keys(state.checks).filter((name) => state.checks[name]?.ok === false);
          return problemAnswer(context, {
            code: "not-ready",
            detail: `not ready: ${failing.join(", ")}`,
            facts: { checks },
          });
        },
      },
    },
    "/metrics": {
      GET: {
        role: "monitor",
        answer: async (context) => context.body(await metrics.text(), 200, { "Content-Type": metrics.contentType }),
      },
    },
  };
}
