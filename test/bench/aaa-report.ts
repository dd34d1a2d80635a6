import Table from "cli-table3";
import type { AaaRows, LoginRow } from "./aaa.ts";
import type { RestRow } from "./aaa-rest.ts";
import type { Measured } from "./gauge.ts";
import { TARGETS } from "./plan.ts";
import type { Verdict } from "./report.ts";

const NAMES = { tls: "TLS", udp: "UDP" } as const;

/** What the targets say to logins. */
export function judgeAaa({ rows }: AaaRows): Verdict[] {
  return rows.flatMap(judgeLogins);
}

function judgeLogins({ transport, inFlight, login, failed, ratio }: LoginRow): Verdict[] {
  const { loginRatioMin, loginP99MsMax } = TARGETS;
  const load = `PAP from the store over ${NAMES[transport]}, ${inFlight} in flight`;
  return [
    {
      target: `${load}: at least ${loginRatioMin} x Status-Server, all accepted`,
      found: `${ratio.toFixed(2)} x, ${failed} not`,
      met: ratio >= loginRatioMin && failed === 0,
    },
    {
      target: `${load}: p99 under ${loginP99MsMax} ms`,
      found: `${login.p99Ms.toFixed(2)} ms`,
      met: login.p99Ms < loginP99MsMax,
    },
  ];
}

/** What the targets say to logins by an HTTP API, and to accounting beside them. */
export function judgeRest(row: RestRow): Verdict[] {
  const { restPerSecondMin, accountingBesideMsMax, accountingPaceMin } = TARGETS;
  const { backEndMs, rest, failed, accountingPerSecond } = row;
  const { accountingAlone, accountingBeside, accountingBesideBusy, accountingLost } = row;
  const pace = accountingBeside.perSecond / accountingPerSecond;
  const slowerMs = accountingBeside.p99Ms - accountingAlone.p99Ms;
  const slowerByCpuMs = accountingBesideBusy.p99Ms - accountingAlone.p99Ms;
  return [
    {
      target: `rest with a back end of ${backEndMs} ms: ${restPerSecondMin} logins a second, all accepted`,
      found: `${rest.perSecond.toFixed(0)}/s, ${failed} not`,
      met: rest.perSecond >= restPerSecondMin * PACE_KEPT && failed === 0,
    },
    {
      target: `accounting beside it keeps its ${accountingPerSecond} records a second, and p99 is at most ${accountingBesideMsMax} ms more`,
      found: `${pace.toFixed(2)} x, ${slowerMs.toFixed(1)} ms more (${slowerByCpuMs.toFixed(1)} beside a process that only takes as much CPU), ${accountingLost} lost`,
      met: pace >= accountingPaceMin && slowerMs <= accountingBesideMsMax && accountingLost === 0,
    },
  ];
}

/** A load at a pace ends with its last answer, a few milliseconds after it was sent. */
const PACE_KEPT = 0.99;

/** As text for a terminal: a title above each table. */
export function aaaTables({ rows, independent }: AaaRows): string[] {
  const byAnother = plain(["in flight", "logins/s", "p50 ms", "p99 ms", "failed"]);
  if ("notMeasured" in independent) byAnother.push([`NOT MEASURED: ${independent.notMeasured}`]);
  else {
    for (const { inFlight, perSecond, p50Ms, p99Ms, lost } of independent) {
      byAnother.push([inFlight, perSecond, p50Ms.toFixed(2), p99Ms.toFixed(2), lost]);
    }
  }
  return [
    "Logins (PAP, users with a plan and hashed passwords, each remembered); beside it Status-Server on the same link",
    loginTable(rows),
    "The same logins over UDP from a loader written apart from the hub",
    byAnother.toString(),
  ];
}

/** As aaaTables(). */
export function restTables(rest: RestRow): string[] {
  return [
    `Logins that an HTTP API decides after ${rest.backEndMs} ms, and accounting beside them, each at a pace of its own`,
    restTable(rest),
  ];
}

const FIGURES = ["/s", "p50 ms", "p99 ms", "hub CPU us", "loop delay p99 ms"];

function figures({ perSecond, p50Ms, p99Ms, cpuUsEach, loopDelayP99Ms }: Measured): string[] {
  return [perSecond.toFixed(0), p50Ms.toFixed(2), p99Ms.toFixed(2), cpuUsEach.toFixed(1), loopDelayP99Ms.toFixed(1)];
}

function loginTable(rows: readonly LoginRow[]): string {
  const table = plain(["", "way", "in flight", ...FIGURES, "failed", "/s ratio"]);
  for (const { transport, inFlight, login, status, failed, ratio } of rows) {
    table.push(["login", NAMES[transport], inFlight, ...figures(login), failed, `${ratio.toFixed(2)} x`]);
    table.push(["Status-Server", NAMES[transport], inFlight, ...figures(status), "", ""]);
  }
  return table.toString();
}

function restTable(row: RestRow): string {
  const { rest, failed, accountingAlone, accountingBeside, accountingBesideBusy, accountingLost } = row;
  const table = plain(["", ...FIGURES, "failed"]);
  table.push(["logins by rest", ...figures(rest), failed]);
  table.push(["accounting beside them", ...figures(accountingBeside), accountingLost]);
  table.push(["accounting beside a process that takes as much CPU", ...figures(accountingBesideBusy), ""]);
  table.push(["accounting alone", ...figures(accountingAlone), ""]);
  return table.toString();
}

function plain(head: readonly string[]): Table.Table {
  return new Table({ head: [...head], style: { head: [], border: [], compact: true } });
}
