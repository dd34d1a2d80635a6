import type { z } from "zod";
import type { PoolOptions } from "../../aaa/upstream/options.ts";
import type { AttributePlace } from "../../radius/attribute-place.ts";
import type { Report } from "../problem.ts";
import { itemsOf, reportDuplicates, section, valueAt, withRules } from "../section.ts";
import { choice, duration, list, name, oneOrMany } from "../values.ts";
import { type UpstreamServerConfig, upstreamServer, upstreamServerConfig } from "./upstream-server.ts";

const pool = section({
  name: name("Name of the pool in realms, logs and metrics."),
  servers: oneOrMany("Names of its servers.", name("Name of a server.")),
  mode: choice("fail-over: the first that is alive. balance: the one with the fewest requests outstanding.", [
    "fail-over",
    "balance",
  ]).default("fail-over"),
  timeout: duration("How long an answer is of use, over all servers that are asked.", {
    min: "1s",
    max: "60s",
  }).prefault("20s"),
}).meta({ description: "Servers that stand in for each other." });

export const upstreamsSection = section(
  {
    servers: withRules(list("RADIUS servers that requests are passed on to.", upstreamServer), (servers, report) =>
      reportDuplicates(servers, "name", "server name", report),
    ),
    pools: withRules(list("Servers that stand in for each other.", pool), (pools, report) =>
      reportDuplicates(pools, "name", "pool name", report),
    ),
  },
  poolRules,
);

function poolRules(values: unknown, report: Report): void {
  const known = new Set(itemsOf(valueAt(values, "servers")).map((server) => valueAt(server, "name")));
  for (const [index, each] of itemsOf(valueAt(values, "pools")).entries()) {
    const names = itemsOf(valueAt(each, "servers"));
    for (const [position, server] of names.entries()) {
      const path = ["pools", index, "servers", position];
      if (typeof server !== "string" || server === "") continue;
      if (!known.has(server)) report(path, "there is no server of this name");
      else if (names.indexOf(server) < position) report(path, "duplicate server: it is in the pool already");
    }
  }
}

/** As UpstreamsOptions, without the routes of section realms. */
export interface UpstreamsConfig {
  readonly servers: readonly UpstreamServerConfig[];
  readonly pools: readonly PoolOptions[];
}

/** @param placeOf finds an attribute by its name; all names are known to exist */
export function upstreamsConfig(
  { servers, pools }: z.output<typeof upstreamsSection>,
  placeOf: (name: string) => AttributePlace,
): UpstreamsConfig {
  return {
    servers: servers.map((server) => upstreamServerConfig(server, placeOf)),
    pools: pools.map(({ timeout, ...rest }) => ({ ...rest, timeoutMs: timeout })),
  };
}
