import { z } from "zod";
import { type AaaRequest, defineModule, type ReturnCode } from "../pipeline/types.ts";

/** Names the pool that a request is passed on to: what `realms` says, or always the same. */
export const proxy = defineModule({
  name: "proxy",
  settings: z.strictObject({
    pool: z.string().min(1).optional().meta({ description: "Pool of upstreams; without it, what realms says." }),
  }),
  mistakes({ pool }, { pools }) {
    if (pool === undefined || pools.has(pool)) return [];
    return [{ path: ["pool"], message: "there is no pool of this name in upstreams" }];
  },
  components: () => ["authorize", "preacct"],
  instantiate({ pool }, { upstreams }) {
    function choose(request: AaaRequest): ReturnCode {
      if (request.control.proxyTo !== undefined) return "noop";
      const chosen = pool ?? upstreams.poolFor(request);
      if (chosen === undefined) return "noop";
      request.control.proxyTo = chosen;
      return "updated";
    }
    return { authorize: choose, preacct: choose };
  },
});
