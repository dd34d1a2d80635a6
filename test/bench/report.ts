import Table from "cli-table3";
import type { AaaRows } from "./aaa.ts";
import { aaaTables, judgeAaa, judgeRest, restTables } from "./aaa-report.ts";
import type { RestRow } from "./aaa-rest.ts";
import type { AccountingRows } from "./accounting.ts";
import { accountingTables, judgeAccounting } from "./accounting-report.ts";
import type { ExchangeRows, IdleRows, Row } from "./measurements.ts";
import { TARGETS } from "./plan.ts";
import type { UdpMeasured, UdpRow, UdpRows } from "./udp.ts";

export interface Results {
  readonly exchanges?: ExchangeRows;
  readonly http?: readonly Row[];
  readonly idle?: IdleRows;
  readonly udp?: UdpRows;
  readonly accounting?: AccountingRows;
  readonly aaa?: AaaRows;
  readonly rest?: RestRow;
}

export interface Verdict {
  readonly target: string;
  readonly found: string;
  readonly met: boolean;
}

/** What the targets say to the figures that were taken. */
export function judge({ exchanges, idle, udp, accounting, aaa, rest }: Results): Verdict[] {
  const verdicts: Verdict[] = [];
  const at128 = exchanges?.rows.find(({ links, inFlight }) => links === 1 && inFlight === 128)?.hub.cpuUsEach;
  if (at128 !== undefined) {
    const { exchangeCpuUsMax } = TARGETS;
    verdicts.push({
      target: `an exchange costs at most ${exchangeCpuUsMax} us of hub CPU, 128 in flight on one link`,
      found: `${at128.toFixed(1)} us`,
      met: at128 <= exchangeCpuUsMax,
    });
  }
  const { idleMemoryRatioMax, idleLatencyRatioMax } = TARGETS;
  for (const { links, hubBytesEach, bareBytesEach } of idle?.memory ?? []) {
    const ratio = hubBytesEach / bareBytesEach;
    verdicts.push({
      target: `an idle link takes at most ${idleMemoryRatioMax} x a bare node:tls connection, ${links} links`,
      found: times(ratio),
      met: ratio <= idleMemoryRatioMax,
    });
  }
  for (const { inFlight, idle: beside, alone } of idle?.latency ?? []) {
    const ratio = beside.hub.p50Ms / alone.hub.p50Ms;
    verdicts.push({
      target: `p50 ${beside.what} links is at most ${idleLatencyRatioMax} x p50 with one, ${inFlight} in flight`,
      found: times(ratio),
      met: ratio <= idleLatencyRatioMax,
    });
  }
  if (udp !== undefined && "rows" in udp) verdicts.push(...judgeUdp(udp.rows));
  if (accounting !== undefined) verdicts.push(...judgeAccounting(accounting));
  if (aaa !== undefined) verdicts.push(...judgeAaa(aaa));
  if (rest !== undefined) verdicts.push(...judgeRest(rest));
  return verdicts;
}

function judgeUdp(rows: readonly UdpRow[]): Verdict[] {
  const { udpThroughputRatioMin, udpLatencyRatioMax, udpCpuUsMax, udpLostMax } = TARGETS;
  return rows.flatMap(({ nases, inFlight, hub, relay }) => {
    const load = `${inFlight} in flight over UDP`;
    const lost: Verdict = {
      target: `${load}: at most ${udpLostMax} of the exchanges with ${nases} NAS are lost`,
      found: String(hub.lost),
      met: hub.lost <= udpLostMax,
    };
    if (inFlight === 1) {
      const ratio = hub.p50Ms / relay.p50Ms;
      const target = `${load}: p50 is at most ${udpLatencyRatioMax} x that of a bare relay`;
      return [{ target, found: times(ratio), met: ratio <= udpLatencyRatioMax }, lost];
    }
    if (inFlight !== 128) return [lost];
    const ratio = hub.perSecond / relay.perSecond;
    return [
      {
        target: `${load}: at least ${udpThroughputRatioMin} x the exchanges of a bare relay`,
        found: times(ratio),
        met: ratio >= udpThroughputRatioMin,
      },
      {
        target: `${load}: an exchange costs at most ${udpCpuUsMax} us of hub CPU`,
        found: `${hub.cpuUsEach.toFixed(1)} us`,
        met: hub.cpuUsEach <= udpCpuUsMax,
      },
      lost,
    ];
  });
}

/** All of it as text for a terminal. */
export function tables(results: Results): string {
  const { exchanges, http, idle, udp, accounting, aaa, rest } = results;
  const parts: string[] = [];
  if (exchanges !== undefined) {
    const { rows, driverCpuUsEach, quietCpuUsEach } = exchanges;
    parts.push(
      "Exchanges, triggered in the hub's process; beside each a bare node:tls echo of messages of the same size",
      loadTable(rows),
      `The driver is in the hub's process and costs ${driverCpuUsEach.toFixed(1)} us of every exchange. ` +
        `Without a log line for each exchange (level warn), 128 in flight: ${quietCpuUsEach.toFixed(1)} us.`,
    );
  }
  if (http !== undefined) {
    parts.push(
      "Exchanges, triggered by POST /disconnect; beside each node:http that sends one message over bare node:tls",
      loadTable(http),
    );
  }
  if (idle !== undefined) {
    const { hub, bare } = idle.handshakesPerSecond;
    parts.push(
      `Resident memory of an idle link (full handshakes, routers on the same machine: hub ${hub.toFixed(0)}/s, bare ${bare.toFixed(0)}/s)`,
      memoryTable(idle),
      "One busy link beside the idle ones, and alone",
      loadTable(idle.latency.flatMap(({ idle: beside, alone }) => [beside, alone])),
    );
  }
  if (udp !== undefined) {
    parts.push(
      "Disconnect UDP -> hub -> TLS -> NAS, loader and NASes written apart from the hub; beside it a relay without RADIUS",
      "rows" in udp ? udpTable(udp.rows) : `NOT MEASURED: ${udp.notMeasured}`,
    );
  }
  if (accounting !== undefined) parts.push(...accountingTables(accounting));
  if (aaa !== undefined) parts.push(...aaaTables(aaa));
  if (rest !== undefined) parts.push(...restTables(rest));
  parts.push("Targets", targetTable(judge(results)));
  return parts.join("\n");
}

function loadTable(rows: readonly Row[]): string {
  const table = plain([
    "trigger",
    "links",
    "in flight",
    "exchanges/s",
    "p50 ms",
    "p99 ms",
    "hub CPU us",
    "loop delay p99 ms",
    "bare/s",
    "bare p50 ms",
    "bare CPU us",
    "CPU ratio",
    "p50 ratio",
  ]);
  for (const { what, links, inFlight, hub, bare } of rows) {
    table.push([
      what,
      links,
      inFlight,
      hub.perSecond.toFixed(0),
      hub.p50Ms.toFixed(2),
      hub.p99Ms.toFixed(2),
      hub.cpuUsEach.toFixed(1),
      hub.loopDelayP99Ms.toFixed(1),
      bare.perSecond.toFixed(0),
      bare.p50Ms.toFixed(2),
      bare.cpuUsEach.toFixed(1),
      times(hub.cpuUsEach / bare.cpuUsEach),
      times(hub.p50Ms / bare.p50Ms),
    ]);
  }
  return table.toString();
}

function udpTable(rows: readonly UdpRow[]): string {
  const table = plain([
    "",
    "NASes",
    "in flight",
    "exchanges/s",
    "p50 ms",
    "p99 ms",
    "CPU us",
    "lost",
    "/s ratio",
    "p50 ratio",
  ]);
  for (const { nases, inFlight, hub, quiet, relay } of rows) {
    const line = (what: string, of: UdpMeasured) => [
      what,
      nases,
      inFlight,
      of.perSecond.toFixed(0),
      of.p50Ms.toFixed(3),
      of.p99Ms.toFixed(2),
      of.cpuUsEach.toFixed(1),
      of.lost,
      times(of.perSecond / relay.perSecond),
      times(of.p50Ms / relay.p50Ms),
    ];
    table.push(line("hub", hub), line("hub, log level warn", quiet), line("bare relay", relay));
  }
  return table.toString();
}

function memoryTable({ memory }: IdleRows): string {
  const table = plain(["idle links", "hub kB each", "bare links", "bare node:tls kB each", "ratio"]);
  for (const { links, hubBytesEach, bareLinks, bareBytesEach } of memory) {
    const ratio = times(hubBytesEach / bareBytesEach);
    table.push([links, kilobytes(hubBytesEach), bareLinks, kilobytes(bareBytesEach), ratio]);
  }
  return table.toString();
}

function targetTable(verdicts: readonly Verdict[]): string {
  const table = plain(["target", "found", ""]);
  for (const { target, found, met } of verdicts) table.push([target, found, met ? "met" : "NOT MET"]);
  return table.toString();
}

function plain(head: readonly string[]): Table.Table {
  return new Table({ head: [...head], style: { head: [], border: [], compact: true } });
}

function kilobytes(octets: number): string {
  return (octets / 1_000).toFixed(1);
}

function times(ratio: number): string {
  return `${ratio.toFixed(2)} x`;
}
