import { z } from "zod";
import { HubError } from "../../errors.ts";
import { type AaaRequest, defineModule, type ReturnCode } from "../pipeline/types.ts";
import { standingOf } from "../users/standing.ts";
import type { KnownUser } from "../users/types.ts";

/** Looks the user up in the store: password, plan and validity, for the modules that follow. */
export const users = defineModule({
  name: "users",
  settings: z.strictObject({
    whenDown: z
      .enum(["silent", "reject"])
      .default("silent")
      .meta({ description: "While the store is down: no answer, so that the NAS asks another server; or reject." }),
  }),
  components: () => ["authorize"],
  instantiate: ({ whenDown }, { users: known, clock }) => ({
    // At once for who is remembered: most logins wait for nothing here.
    authorize(request) {
      const { control, username } = request;
      if (known === undefined || control.proxyTo !== undefined || username === undefined) return "noop";
      const remembered = known.directory.remembered(username);
      if (remembered !== undefined) return found(request, remembered, clock.wallMs());
      return known.directory.find(username).then(
        (user) => found(request, user, clock.wallMs()),
        (error: unknown) => {
          if (!(error instanceof HubError)) throw error;
          return whenDown === "reject" ? "reject" : "handled";
        },
      );
    },
  }),
});

function found(request: AaaRequest, user: KnownUser | undefined, nowMs: number): ReturnCode {
  const { control } = request;
  control.user = user;
  control.userKnown = true;
  if (user === undefined) return "notfound";
  const standing = standingOf(user.user, nowMs);
  // Only who knows the password learns it.
  if (standing !== "valid") request.refuse(`user ${standing}`, MESSAGES[standing]);
  return "ok";
}

const MESSAGES = {
  disabled: "Your account is disabled",
  "not-yet-valid": "Your account is not valid yet",
  expired: "Your account has expired",
} as const;
