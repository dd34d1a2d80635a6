/** npm run bench [-- --quick] [-- --only exchanges|http|idle|udp|accounting|aaa|rest] [-- --profile]: what the hub costs, beside what bare node:tls
 *  costs in the same run. Exit code 0 whatever the figures: they are for people and depend on the machine. */
import { execFileSync } from "node:child_process";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { availableParallelism, cpus, loadavg, totalmem } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { measureAaa } from "./aaa.ts";
import { measureRest } from "./aaa-rest.ts";
import { measureAccounting } from "./accounting.ts";
import { measureExchanges, measureHttp, measureIdle } from "./measurements.ts";
import { FULL, type Plan, QUICK } from "./plan.ts";
import { judge, type Results, tables } from "./report.ts";
import { Stage } from "./stage.ts";
import { measureUdp } from "./udp.ts";

const MEASUREMENTS = {
  exchanges: measureExchanges,
  http: measureHttp,
  idle: measureIdle,
  udp: measureUdp,
  accounting: measureAccounting,
  aaa: measureAaa,
  rest: measureRest,
} as const;
type Name = keyof typeof MEASUREMENTS;

const { values } = parseArgs({
  options: {
    quick: { type: "boolean", default: false },
    only: { type: "string", multiple: true },
    profile: { type: "boolean", default: false },
    results: { type: "string", default: join(import.meta.dirname, "results") },
  },
});

function chosen(): readonly Name[] {
  const names = Object.keys(MEASUREMENTS) as Name[];
  if (values.only === undefined) return names;
  const unknown = values.only.filter((name) => !names.includes(name as Name));
  if (unknown.length > 0) throw new Error(`--only takes ${names.join(", ")}`);
  return names.filter((name) => values.only?.includes(name));
}

/** Each idle link is one open file at either end, in a process each. */
function withinFileLimit(plan: Plan): Plan {
  const limit = Number(/Max open files\s+(\d+)/.exec(readFileSync("/proc/self/limits", "utf8"))?.[1] ?? Infinity);
  const linksMax = limit - 500;
  if (Math.max(...plan.idle) <= linksMax) return plan;
  console.log(`open files are limited to ${limit}: at most ${linksMax} idle links. Raise it with: ulimit -n 12000`);
  return { ...plan, idle: plan.idle.map((links) => Math.min(links, linksMax)) };
}

function commit(): string {
  try {
    return execFileSync("git", ["describe", "--always", "--dirty"], { encoding: "utf8", stdio: "pipe" }).trim();
  } catch {
    return "unknown";
  }
}

const machine = {
  cpu: cpus()[0]?.model ?? "unknown",
  cores: availableParallelism(),
  memoryBytes: totalmem(),
  node: process.version,
  openssl: process.versions.openssl,
  platform: `${process.platform} ${process.arch}`,
};
const beganAt = new Date();
const loadBefore = loadavg()[0] ?? NaN;
mkdirSync(values.results, { recursive: true });
const plan = withinFileLimit(values.quick ? QUICK : FULL);
const results: Record<string, unknown> = {};
{
  using stage = await Stage.make(plan.certificates, values.profile ? values.results : undefined);
  for (const name of chosen()) {
    console.log(`measuring ${name} ...`);
    results[name] = await MEASUREMENTS[name](stage, plan);
  }
}
const seconds = (Date.now() - beganAt.getTime()) / 1_000;
const load = { before: loadBefore, after: loadavg()[0] ?? NaN };
const file = join(values.results, `${beganAt.toISOString().replaceAll(":", "-")}.json`);
const verdicts = judge(results as Results);
const record = { at: beganAt.toISOString(), commit: commit(), seconds, machine, load, plan, ...results, verdicts };
writeFileSync(file, `${JSON.stringify(record, undefined, 2)}\n`);
console.log(tables(results as Results));
console.log(
  `${machine.cores} x ${machine.cpu}, Node ${machine.node}, OpenSSL ${machine.openssl}; load average ` +
    `${load.before.toFixed(1)} before, ${load.after.toFixed(1)} after; ${seconds.toFixed(0)} s; written to ${file}`,
);
