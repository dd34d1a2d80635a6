import { z } from "zod";
import { defineModule } from "../pipeline/types.ts";

/** Names the pool that a request is passed on to: what `realms` says, or always the same. */
export const proxy = defineModule({
  name: "proxy",
  settings: z.strictObject({
    pool: z.string().min(1).optional().meta({ description: "Pool of upstreams; without it, what realms says." }),
  }),
  instantiate({ pool }, { upstreams, instance }) {
    if (pool !== undefined && !upstreams.has(pool))
      throw new Error(`${instance}: there is no pool ${pool} in upstreams`);
    return {
      authorize: (request) => choose(request),
      preacct: (request) => choose(request),
    };

    function choose(request: Parameters<typeof upstreams.poolFor>[0]) {
      if (request.control.proxyTo !== undefined) return "noop";
      const chosen = pool ?? upstreams.poolFor(request);
      if (chosen === undefined) return "noop";
      request.control.proxyTo = chosen;
      return "updated";
    }
  },
});
