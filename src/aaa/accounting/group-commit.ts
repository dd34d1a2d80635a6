import { HubError } from "../../errors.ts";
import type { AccountingRecord } from "../../store/accounting-record.ts";
import { BATCH_RECORDS_MAX, type RecordResult } from "../../store/types.ts";

interface Waiting {
  readonly record: AccountingRecord;
  readonly resolve: (result: RecordResult) => void;
  readonly reject: (error: unknown) => void;
}

/** Records that wait for the store, in all; one more is refused at once. At 1 kB each some 16 MB. */
const WAITING_MAX = 16_384;

/** Batches at the store at once: what comes while it commits goes to it at the next turn of the event loop, so that it need not
 *  ask, and beyond so many the next batch gathers. */
const BATCHES_AT_STORE = 4;

/** Stores records many at a time: batches grow with the load, and nobody waits for a timer. A record resolves once it is durable. */
export class GroupCommit {
  readonly #commit: (batch: readonly AccountingRecord[]) => Promise<readonly RecordResult[]>;
  #waiting: Waiting[] = [];
  #scheduled = false;
  #atStore = 0;

  constructor(commit: (batch: readonly AccountingRecord[]) => Promise<readonly RecordResult[]>) {
    this.#commit = commit;
  }

  /** Records that wait. */
  get waiting(): number {
    return this.#waiting.length;
  }

  /** @throws {HubError} ERR_STORE (as a rejection): the record is not stored, or nobody can know whether it is */
  add(record: AccountingRecord): Promise<RecordResult> {
    if (this.#waiting.length >= WAITING_MAX) {
      return Promise.reject(
        new HubError("ERR_STORE", `${WAITING_MAX} records wait for the store already`, { reason: "queue-full" }),
      );
    }
    const { promise, resolve, reject } = Promise.withResolvers<RecordResult>();
    this.#waiting.push({ record, resolve, reject });
    if (!this.#scheduled && this.#atStore < BATCHES_AT_STORE) {
      this.#scheduled = true;
      // What else this turn of the event loop brings goes along.
      setImmediate(() => {
        this.#scheduled = false;
        this.#send();
      });
    }
    return promise;
  }

  #send(): void {
    while (this.#waiting.length > 0 && this.#atStore < BATCHES_AT_STORE) {
      void this.#store(this.#waiting.splice(0, BATCH_RECORDS_MAX));
    }
  }

  async #store(batch: readonly Waiting[]): Promise<void> {
    this.#atStore += 1;
    try {
      const results = await this.#commit(batch.map(({ record }) => record));
      for (const [index, { resolve }] of batch.entries()) resolve(results[index] as RecordResult);
    } catch (error) {
      for (const { reject } of batch) reject(error);
    }
    this.#atStore -= 1;
    this.#send();
  }
}
