import type { Clock, Random } from "../../clock.ts";
import type { AccountingRecord } from "../accounting-record.ts";
import { acctSessionKey } from "../acct-session-key.ts";
import type { CloseCause } from "../acct-session.ts";
import { count } from "../count.ts";
import { eventTime } from "../event-time.ts";
import { NO_AMOUNTS, type Periods } from "../periods.ts";
import { addedTotal } from "../reduce.ts";
import { CLOSED_KEYS_MAX, type RecordResult } from "../types.ts";
import type { Collections } from "./collections.ts";
import { mongoFault } from "./mongo-fault.ts";
import { untilThrough } from "./optimism.ts";
import { SessionDrafts } from "./session-drafts.ts";

export interface RecordRunDeps {
  readonly clock: Clock;
  readonly random: Random;
}

interface Pending {
  readonly record: AccountingRecord;
  readonly base: string;
  /** Where its result goes. */
  readonly index: number;
}

const NOT_COUNTED: RecordResult = { effect: "ignored", acctSession: undefined, added: NO_AMOUNTS, closedKeys: [] };

/** One batch of records on its way into the collection. Records of one acct session are reduced in order and written once; those
 *  whose acct session another node wrote meanwhile are read and reduced again, which counts nothing twice. */
export class RecordRun {
  readonly #deps: RecordRunDeps;
  readonly #collections: Collections;
  readonly #periods: Periods;
  readonly #results: RecordResult[] = [];
  #wrote = false;

  constructor(deps: RecordRunDeps, collections: Collections, periods: Periods) {
    this.#deps = deps;
    this.#collections = collections;
    this.#periods = periods;
  }

  /** @throws {HubError} ERR_STORE: "unknown" when a part may be stored */
  async record(batch: readonly AccountingRecord[]): Promise<RecordResult[]> {
    try {
      let pending: Pending[] = [];
      for (const [index, record] of batch.entries()) {
        if (record.kind !== "on" && record.kind !== "off") {
          pending.push({ record, index, base: acctSessionKey(record.nasKey, record.acctSessionId, 0) });
          continue;
        }
        await this.#count(pending);
        pending = [];
        this.#results[index] = await this.#closeWithNas(record);
      }
      await this.#count(pending);
      return this.#results;
    } catch (error) {
      throw mongoFault(error, this.#wrote ? "writes" : "read");
    }
  }

  async #count(records: readonly Pending[]): Promise<void> {
    if (records.length === 0) return;
    let pending = records;
    await untilThrough(this.#deps, async () => {
      const drafts = new SessionDrafts(this.#collections.sessions);
      await drafts.load([...new Set(pending.map(({ base }) => base))]);
      const reduced: [Pending, RecordResult][] = [];
      for (const one of pending) reduced.push([one, await this.#reduce(drafts, one)]);
      this.#wrote = true; // or about to be: several commands go out, and one may get through
      const overtaken = await drafts.write();
      for (const [{ index }, result] of reduced) this.#results[index] = result;
      const again = reduced.filter(([, { acctSession }]) => overtaken.has(acctSession?.key ?? ""));
      pending = again.map(([one]) => one);
      return pending.length === 0 ? true : undefined;
    });
  }

  async #reduce(drafts: SessionDrafts, { record, base }: Pending): Promise<RecordResult> {
    const counting = count(record, this.#periods);
    let step = counting.next();
    while (!step.done) {
      const stored = step.value === "latest" ? drafts.latest(base) : await drafts.generation(base, step.value);
      step = counting.next(stored);
    }
    if (step.value === undefined) return NOT_COUNTED;
    const { effect, before, acctSession, contributions } = step.value;
    if (before === undefined) drafts.insert(base, acctSession, contributions);
    else if (before !== acctSession) drafts.replace(acctSession, contributions);
    return { effect, acctSession, added: addedTotal(step.value), closedKeys: [] };
  }

  /** endsWithNas() of reduce.ts, for all acct sessions of the NAS at once. */
  async #closeWithNas(record: AccountingRecord): Promise<RecordResult> {
    const { sessions } = this.#collections;
    const { atMs } = eventTime(record);
    const closeCause: CloseCause = record.kind === "on" ? "nas-on" : "nas-off";
    const startedAtMs = record.kind === "off" ? { $lte: atMs } : { $lt: atMs };
    const filter = { nasKey: { $eq: record.nasKey }, open: true, startedAtMs };
    const named = sessions.find(filter, { projection: { _id: 1 }, limit: CLOSED_KEYS_MAX });
    const closedKeys = (await named.toArray()).map(({ _id }) => _id);
    if (closedKeys.length > 0) {
      this.#wrote = true;
      await sessions.updateMany(filter, { $set: { open: false, closeCause, closedAtMs: atMs }, $inc: { version: 1 } });
    }
    return { effect: "nas", acctSession: undefined, added: NO_AMOUNTS, closedKeys };
  }
}
