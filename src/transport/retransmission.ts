import type { Random } from "../clock.ts";

/** When a request over UDP is sent again, and when it is given up (RFC 5080 Section 2.2.1). */
export interface RetransmitPlan {
  /** Initial time between two sendings; it doubles with each. */
  readonly irtMs: number;
  /** Longest time between two sendings; 0 is without limit. */
  readonly mrtMs: number;
  /** Sendings in all; 0 is without limit. */
  readonly mrc: number;
  /** From the first sending to the end; 0 is without limit. */
  readonly mrdMs: number;
}

/** UC-02; RFC 5080 Section 2.2.1. */
export const RETRANSMIT_DEFAULT: RetransmitPlan = { irtMs: 2_000, mrtMs: 16_000, mrc: 5, mrdMs: 30_000 };

const JITTER = 0.1;

/** How long to wait after a sending: RT of RFC 5080 Section 2.2.1, with a new random part each time.
 *  @param previousMs the wait before this sending, undefined for the first one */
export function retransmitAfterMs(plan: RetransmitPlan, previousMs: number | undefined, random: Random): number {
  const rand = (random.fraction() * 2 - 1) * JITTER;
  if (previousMs === undefined) return plan.irtMs * (1 + rand);
  const nextMs = previousMs * (2 + rand);
  return plan.mrtMs > 0 && nextMs > plan.mrtMs ? plan.mrtMs * (1 + rand) : nextMs;
}
