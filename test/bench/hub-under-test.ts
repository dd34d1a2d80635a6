import { readFileSync } from "node:fs";
import { join } from "node:path";
import { systemClock, systemRandom } from "../../src/clock.ts";
import { problemText } from "../../src/config/problem.ts";
import { loadConfig } from "../../src/config.ts";
import { Hub } from "../../src/hub.ts";
import { openLog } from "../../src/log.ts";
import { Dictionary } from "../../src/radius/dictionary.ts";

/** 0 for what the configuration does not have. */
export interface HubPorts {
  readonly radsecPort: number;
  readonly httpPort: number;
  readonly authPort: number;
  readonly acctPort: number;
  readonly dynauthPort: number;
}

/** A hub as it is shipped, started.
 *  @param yaml its configuration */
export async function startHub(yaml: string): Promise<{ readonly hub: Hub; readonly ports: HubPorts }> {
  const loaded = loadConfig(yaml, { file: "bench.yaml", env: {}, readFile: (path) => readFileSync(path, "utf8") });
  if (!loaded.ok) throw new Error(loaded.problems.map(problemText).join("\n"));
  const hub = new Hub(loaded.config, {
    clock: systemClock,
    random: systemRandom,
    log: openLog(loaded.config.log),
    version: "bench",
    dictionary: Dictionary.load(join(import.meta.dirname, "../../config/dictionaries")),
  });
  const { radsec, http, udp } = await hub.start();
  const portOf = (wanted: string) => [...udp.values()].flat().find(({ purpose }) => purpose === wanted)?.port ?? 0;
  const ports = {
    radsecPort: [...radsec.values()][0]?.port ?? 0,
    httpPort: http?.port ?? 0,
    authPort: portOf("auth"),
    acctPort: portOf("acct"),
    dynauthPort: portOf("dynauth"),
  };
  return { hub, ports };
}
