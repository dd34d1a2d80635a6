import type { AccountingRecord } from "../accounting-record.ts";
import { BATCH_RECORDS_MAX, type RecordResult } from "../types.ts";

type Run = (batch: readonly AccountingRecord[]) => Promise<RecordResult[]>;

interface Waiting {
  readonly batch: readonly AccountingRecord[];
  readonly run: Run;
  readonly resolve: (results: RecordResult[]) => void;
  readonly reject: (error: unknown) => void;
}

/** One batch at a time, in order: a node never competes with itself for an acct session. What comes meanwhile is joined into the
 *  next batch, and succeeds or fails with it. Bounded by whoever counts the calls. */
export class RecordQueue {
  #waiting: Waiting[] = [];
  #running = false;

  /** @param run carries a batch out; of calls that are joined the first one's does */
  record(batch: readonly AccountingRecord[], run: Run): Promise<RecordResult[]> {
    return new Promise((resolve, reject) => {
      this.#waiting.push({ batch, run, resolve, reject });
      if (!this.#running) void this.#work();
    });
  }

  async #work(): Promise<void> {
    this.#running = true;
    while (this.#waiting.length > 0) await this.#next(this.#joined());
    this.#running = false;
  }

  #joined(): Waiting[] {
    let records = 0;
    const beyond = this.#waiting.findIndex(({ batch }) => (records += batch.length) > BATCH_RECORDS_MAX);
    const joined = this.#waiting.splice(0, beyond === -1 ? this.#waiting.length : Math.max(1, beyond));
    return joined;
  }

  async #next(calls: readonly Waiting[]): Promise<void> {
    try {
      const results = await (calls[0] as Waiting).run(calls.flatMap(({ batch }) => batch));
      let from = 0;
      for (const { batch, resolve } of calls) resolve(results.slice(from, (from += batch.length)));
    } catch (error) {
      for (const { reject } of calls) reject(error);
    }
  }
}
