/** The floor of accounting: records that are there already go into the same schema on the same disk, one commit a batch. */
import { bareUpserts, openBare } from "./accounting-bare.ts";
import { interimRecords } from "./accounting-interims.ts";
import { answerCommands } from "./bench-process.ts";
import { Durations, Gauge, measured, type Measured } from "./gauge.ts";
import type { AccountingRecord } from "../../src/store/accounting-record.ts";

export interface BareAccounting {
  readonly file: string;
  readonly acctSessions: number;
  readonly nases: number;
}

let store: (batch: readonly AccountingRecord[]) => void;
let records: Generator<AccountingRecord, never>;

function start({ file, acctSessions, nases }: BareAccounting): void {
  store = bareUpserts(openBare(file));
  records = interimRecords(acctSessions, nases, Date.UTC(2026, 10, 22, 12));
}

/** `batch` records a commit, so many in all; a record takes as long as its batch. */
function drive({ batch, count }: { readonly batch: number; readonly count: number }): Measured {
  // Made beforehand: the floor reads no packets either.
  const batches = Array.from({ length: Math.ceil(count / batch) }, () =>
    Array.from({ length: batch }, () => records.next().value),
  );
  const durations = new Durations();
  const gauge = new Gauge();
  gauge.begin();
  for (const each of batches) {
    const began = performance.now();
    store(each);
    durations.add(performance.now() - began);
  }
  const cost = gauge.end();
  const { perSecond, cpuUsEach, ...rest } = measured(durations, cost);
  return { ...rest, count: durations.count * batch, perSecond: perSecond * batch, cpuUsEach: cpuUsEach / batch };
}

const commands = { start, drive };
export type BareAccountingCommands = typeof commands;
answerCommands(commands);
