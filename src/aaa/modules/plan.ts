import { z } from "zod";
import { defineModule } from "../pipeline/types.ts";

/** Puts what the user's plan says into the Access-Accept, in the attributes of the NAS's vendor. */
export const plan = defineModule({
  name: "plan",
  settings: z.strictObject({}),
  components: () => ["postauth"],
  instantiate: (_settings, { users, clock }) => ({
    postauth({ control, link, reply }) {
      if (users === undefined || control.user === undefined) return "noop";
      const { secondsLeft } = control;
      reply.push(users.plans.accept(control.user, link.client.vendor, { nowMs: clock.wallMs(), secondsLeft }));
      return "updated";
    },
  }),
});
