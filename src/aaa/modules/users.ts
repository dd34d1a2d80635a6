import { z } from "zod";
import { HubError } from "../../errors.ts";
import { defineModule } from "../pipeline/types.ts";
import { standingOf } from "../users/standing.ts";

/** Looks the user up in the store: password, plan and validity, for the modules that follow. */
export const users = defineModule({
  name: "users",
  settings: z.strictObject({
    whenDown: z
      .enum(["silent", "reject"])
      .default("silent")
      .meta({ description: "While the store is down: no answer, so that the NAS asks another server; or reject." }),
  }),
  instantiate: ({ whenDown }, { users: known, clock }) => ({
    async authorize(request) {
      const { control, username } = request;
      if (known === undefined || control.proxyTo !== undefined || username === undefined) return "noop";
      try {
        control.user = await known.directory.find(username);
      } catch (error) {
        if (!(error instanceof HubError)) throw error;
        return whenDown === "reject" ? "reject" : "handled";
      }
      control.userKnown = true;
      if (control.user === undefined) return "notfound";
      const standing = standingOf(control.user.user, clock.wallMs());
      // Only who knows the password learns it.
      if (standing !== "valid") request.refuse(`user ${standing}`, MESSAGES[standing]);
      return "ok";
    },
  }),
});

const MESSAGES = {
  disabled: "Your account is disabled",
  "not-yet-valid": "Your account is not valid yet",
  expired: "Your account has expired",
} as const;
