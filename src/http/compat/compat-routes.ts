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
    const { compat = OFF, bodyBytesMax } = settings();
    return { compat, bodyBytesMax };
  };
  return {
    ...radiusCheckRoutes(deps, now),
    ...djangoFreeradiusRoutes(deps, now),
    ...openwispRadiusRoutes(deps, now),
    ...postAuthRoutes(deps),
  };
}
