import type { z } from "zod";
import { section } from "../section.ts";
import { count, duration } from "../values.ts";

export const udpRoutersSection = section({
  idle: duration("How long a router without a packet is a link; one that clients names by its one address stays.", {
    min: "1m",
    max: "3650d",
  }).prefault("24h"),
  max: count("Routers at once; beyond it the one that was silent longest goes.", 1, 1_000_000).default(20_000),
});

/** Routers over UDP, whatever listener they speak to. */
export interface UdpRoutersConfig {
  readonly idleMs: number;
  readonly linksMax: number;
}

export function udpRoutersConfig(values: z.output<typeof udpRoutersSection>): UdpRoutersConfig {
  return { idleMs: values.idle, linksMax: values.max };
}
