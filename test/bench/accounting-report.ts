import Table from "cli-table3";
import type { AccountingRow, AccountingRows } from "./accounting.ts";
import type { LookUp } from "./accounting-look-ups.ts";
import { TARGETS } from "./plan.ts";
import type { Verdict } from "./report.ts";

/** What the targets say to the ways that the issue names; the other rows are for comparison. */
export function judgeAccounting({ rows, acctSessions, lookUps }: AccountingRows): Verdict[] {
  const verdicts = rows.flatMap((row) => (row.what === row.transport.toUpperCase() ? judgeWay(row) : []));
  const { lookUpP50MsMax } = TARGETS;
  for (const { what, p50Ms } of lookUps.filter(({ what }) => what.endsWith("of a user"))) {
    verdicts.push({
      target: `acct sessions by username, ${what}, among ${acctSessions}: p50 under ${lookUpP50MsMax} ms`,
      found: `${p50Ms.toFixed(2)} ms`,
      met: p50Ms < lookUpP50MsMax,
    });
  }
  return verdicts;
}

function judgeWay({ what, links, inFlight, hub, ratio, lost }: AccountingRow): Verdict[] {
  const { accountingRatioMin, accountingPerSecondMin, accountingLoopDelayMsMax } = TARGETS;
  const load = `accounting over ${what}, ${links} link${links > 1 ? "s" : ""}, ${inFlight} in flight`;
  return [
    {
      target: `${load}: at least ${accountingRatioMin} x bare batched upserts`,
      found: `${ratio.toFixed(2)} x`,
      met: ratio >= accountingRatioMin,
    },
    {
      target: `${load}: more than ${accountingPerSecondMin} records a second, none lost`,
      found: `${hub.perSecond.toFixed(0)}/s, ${lost} lost`,
      met: hub.perSecond > accountingPerSecondMin && lost === 0,
    },
    {
      target: `${load}: event-loop delay p99 under ${accountingLoopDelayMsMax} ms`,
      found: `${hub.loopDelayP99Ms.toFixed(1)} ms`,
      met: hub.loopDelayP99Ms < accountingLoopDelayMsMax,
    },
  ];
}

/** As text for a terminal: a title above each table. */
export function accountingTables({ rows, acctSessions, lookUps }: AccountingRows): string[] {
  return [
    "Accounting, on disk before it is answered (embedded, synchronous FULL); beside it bare upserts into the same schema, 128 a commit",
    wayTable(rows),
    `Finding acct sessions among ${acctSessions}`,
    lookUpTable(lookUps),
  ];
}

function wayTable(rows: readonly AccountingRow[]): string {
  const head = ["way", "links", "in flight", "records/s", "p50 ms", "p99 ms", "hub CPU us", "loop delay p99 ms"];
  const table = plain([...head, "lost", "bare/s", "bare CPU us", "/s ratio"]);
  for (const { what, links, inFlight, hub, bare, lost, ratio } of rows) {
    table.push([
      what,
      links,
      inFlight,
      hub.perSecond.toFixed(0),
      hub.p50Ms.toFixed(2),
      hub.p99Ms.toFixed(2),
      hub.cpuUsEach.toFixed(1),
      hub.loopDelayP99Ms.toFixed(1),
      lost,
      bare.perSecond.toFixed(0),
      bare.cpuUsEach.toFixed(1),
      `${ratio.toFixed(2)} x`,
    ]);
  }
  return table.toString();
}

function lookUpTable(lookUps: readonly LookUp[]): string {
  const table = plain(["what", "p50 ms", "p99 ms"]);
  for (const { what, p50Ms, p99Ms } of lookUps) table.push([what, p50Ms.toFixed(3), p99Ms.toFixed(3)]);
  return table.toString();
}

function plain(head: readonly string[]): Table.Table {
  return new Table({ head: [...head], style: { head: [], border: [], compact: true } });
}
