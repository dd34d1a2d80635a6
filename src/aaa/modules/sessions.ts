import { z } from "zod";
import { defineModule } from "../pipeline/types.ts";

/** Stores Accounting-Requests: acct sessions, usage, quota and everything that follows from them. Those that are proxied too. */
export const sessions = defineModule({
  name: "sessions",
  settings: z.strictObject({}),
  stores: true,
  components: () => ["accounting"],
  instantiate: (_settings, { record }) => ({
    async accounting(request) {
      if (record === undefined) return "noop"; // accounting.enabled: false
      const stored = await record(request);
      if (stored === "stored") return "ok";
      return stored === "invalid" ? "invalid" : "fail";
    },
  }),
});
