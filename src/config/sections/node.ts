import type { z } from "zod";
import { section } from "../section.ts";
import { duration, name } from "../values.ts";

export const nodeSection = section({
  name: name("Name of this node, the prefix of its link ids; unique in a cluster.").prefault("hub"),
  stopGrace: duration("How long a stop waits for exchanges in flight before it cuts what is left.", {
    max: "10m",
  }).prefault("30s"),
});

export interface NodeConfig {
  readonly name: string;
  readonly stopGraceMs: number;
}

export function nodeConfig(values: z.output<typeof nodeSection>): NodeConfig {
  return { name: values.name, stopGraceMs: values.stopGrace };
}
