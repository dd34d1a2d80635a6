/** A hub that takes accounting and logins, and nothing else in its process. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { systemClock, systemRandom } from "../../src/clock.ts";
import { problemText } from "../../src/config/problem.ts";
import { loadConfig } from "../../src/config.ts";
import { Hub } from "../../src/hub.ts";
import { openLog } from "../../src/log.ts";
import { Dictionary } from "../../src/radius/dictionary.ts";
import { answerCommands } from "./bench-process.ts";
import { Gauge } from "./gauge.ts";

/** 0 for what the configuration does not have. */
export interface AaaPorts {
  readonly radsecPort: number;
  readonly authPort: number;
  readonly acctPort: number;
  readonly httpPort: number;
}

let hub: Hub;
const gauge = new Gauge();

/** @param yaml the hub's configuration */
async function start(yaml: string): Promise<AaaPorts> {
  const loaded = loadConfig(yaml, { file: "bench.yaml", env: {}, readFile: (path) => readFileSync(path, "utf8") });
  if (!loaded.ok) throw new Error(loaded.problems.map(problemText).join("\n"));
  hub = new Hub(loaded.config, {
    clock: systemClock,
    random: systemRandom,
    log: openLog(loaded.config.log),
    version: "bench",
    dictionary: Dictionary.load(join(import.meta.dirname, "../../config/dictionaries")),
  });
  const { radsec, udp, http } = await hub.start();
  const portOf = (wanted: string) => [...udp.values()].flat().find(({ purpose }) => purpose === wanted)?.port ?? 0;
  return {
    radsecPort: [...radsec.values()][0]?.port ?? 0,
    authPort: portOf("auth"),
    acctPort: portOf("acct"),
    httpPort: http?.port ?? 0,
  };
}

const commands = { start, stop: () => hub.stop(), begin: () => gauge.begin(), end: () => gauge.end() };
export type AccountingHubCommands = typeof commands;
answerCommands(commands);
