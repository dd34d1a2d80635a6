import type { z } from "zod";
import { section } from "../section.ts";
import { count, duration } from "../values.ts";

export const bindingsSection = section({
  lapse: duration("How long a NAS-Identifier stays with its peer after the last link of the peer.", {
    min: "1s",
    max: "3650d",
  }).prefault("24h"),
  namesPerLink: count("NAS-Identifiers learnt on one link; more are not learnt.", 1, 1_000_000).default(4_096),
  max: count("Bindings in all; a new name beyond it is not bound.", 1, 10_000_000).default(200_000),
});

export interface BindingsConfig {
  readonly lapseMs: number;
  readonly namesPerLinkMax: number;
  readonly bindingsMax: number;
}

export function bindingsConfig(values: z.output<typeof bindingsSection>): BindingsConfig {
  return { lapseMs: values.lapse, namesPerLinkMax: values.namesPerLink, bindingsMax: values.max };
}
