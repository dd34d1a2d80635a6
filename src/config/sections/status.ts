import type { z } from "zod";
import { section } from "../section.ts";
import { count, flag } from "../values.ts";

export const statusSection = section({
  // ST-10: on by default, since routers close links whose watchdog stays silent.
  enabled: flag("Whether Status-Server is answered; a client entry may say otherwise.").default(true),
  // ST-11
  ratePerSecond: count("Status-Servers a link may send in a second; more are dropped.", 1, 100_000).default(20),
});

export interface StatusConfig {
  readonly enabled: boolean;
  readonly perSecondMax: number;
}

export function statusConfig(values: z.output<typeof statusSection>): StatusConfig {
  return { enabled: values.enabled, perSecondMax: values.ratePerSecond };
}
