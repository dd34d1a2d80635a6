/** What every example stands on: a temporary folder, lines with a time and a name, hubs of a configuration, an orderly end. */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { styleText } from "node:util";
import { systemClock, systemRandom } from "../src/clock.ts";
import { problemText } from "../src/config/problem.ts";
import { loadConfig } from "../src/config.ts";
import { Hub } from "../src/hub.ts";
import { openLog } from "../src/log.ts";
import { Dictionary } from "../src/radius/dictionary.ts";

export const clock = systemClock;
export const random = systemRandom;
export const dictionary: Dictionary = Dictionary.load(join(import.meta.dirname, "../config/dictionaries"));
/** It is gone at the end. */
export const folder: string = await mkdtemp(join(tmpdir(), "radsec-hub-demo-"));
const began = performance.now();

export function say(who: string, text: string): void {
  const at = ((performance.now() - began) / 1_000).toFixed(3).padStart(7);
  console.log(`${styleText("dim", at)}  ${styleText("cyan", who.padEnd(9))} ${text}`);
}

/** A hub on a free RadSec port, with a development PKI and a store of its own in the folder; not started yet.
 *  @param yaml the rest of its configuration */
export function hubOf(
  yaml: string,
  {
    name = "demo",
    logLevel = "warn",
    env = {},
  }: { name?: string; logLevel?: string; env?: Record<string, string> } = {},
): Hub {
  const common = `
node: { name: ${name} }
radsec: [{ address: 127.0.0.1, port: 0 }]
pki: { folder: ${JSON.stringify(join(folder, name, "pki"))} }
store: ${JSON.stringify(join(folder, name, "hub.db"))}
log: { level: ${logLevel}, format: pretty }
`;
  const loaded = loadConfig(common + yaml, { file: `${name}.yaml`, env, readFile: () => "", dictionary });
  if (!loaded.ok) throw new Error(loaded.problems.map(problemText).join("\n"));
  return new Hub(loaded.config, { clock, random, log: openLog(loaded.config.log), version: "demo", dictionary });
}

/** Stays up until Ctrl-C, or ends at once where the example was started with --once.
 *  @param tryIt what one can do meanwhile @param stop ends what the example has started */
export async function finish(tryIt: string, stop: () => Promise<void>): Promise<void> {
  if (!process.argv.includes("--once")) {
    console.log(`\n${tryIt.trim()}\n\nCtrl-C ends all of it.`);
    await new Promise<void>((resolve) => {
      for (const signal of ["SIGINT", "SIGTERM"] as const) process.on(signal, () => resolve());
    });
  }
  await stop();
  await rm(folder, { recursive: true, force: true });
  say("demo", "everything is closed");
}
