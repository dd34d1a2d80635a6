import type { Routes, Settings } from "../api-context.ts";
import type { CompatDeps, CompatSettings } from "./deps.ts";
import { djangoFreeradiusRoutes } from "./django-freeradius.ts";
import { openwispRadiusRoutes } from "./openwisp-radius.ts";
import type { CompatOptions } from "./options.ts";
import { radiusCheckRoutes } from "./radius-check.ts";
import { postAuthRoutes } from "./routes-post-auths.ts";

const OFF: CompatOptions = {
  radiusCheck: undefined,
  djangoFreeradius: undefined,
  organizations: [],
  quotaMessage: "",
  authorizeReject: false,
  replyAttributes: false,
  vendor: undefined,
  userTokens: undefined,
  postAuthMs: 0,
};

/** Whether a path belongs to an API of another system: those have tokens of their own. */
export function isCompatPath(path: string): boolean {
  return path.startsWith("/api/");
}

/** The APIs that other systems speak; one that is off answers 404. */
export function compatRoutes(deps: CompatDeps, settings: Settings): Routes {
  const now = (): CompatSettings => {
    const { compat = OFF, bodyBytesMax, publicUrl } = settings();
    return { compat, bodyBytesMax, publicUrl };
  };
  return {
    ...radiusCheckRoutes(deps, now),
    ...djangoFreeradiusRoutes(deps, now),
    ...openwispRadiusRoutes(deps, now),
    ...postAuthRoutes(deps),
  };
}

/** The same routes with the last slash and without it, as far as they belong to other systems: Django sends who forgets it to the
 *  path that has it, and rlm_rest does not follow. */
export function withAndWithoutSlash(routes: Routes): Routes {
  const both = Object.entries(routes).flatMap(([path, methods]) => {
    if (!isCompatPath(path)) return [[path, methods] as const];
    const other = path.endsWith("/") ? path.slice(0, -1) : `${path}/`;
    return [path, other].map((each) => [each, methods] as const);
  });
  return Object.fromEntries(both);
}
