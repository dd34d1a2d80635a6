import type { ApiRecord, ApiRecordKind, ApiRecordStore } from "../api-record-types.ts";
import { assertPage, assertUserBatch } from "../limits.ts";
import { pageOf } from "../page-of.ts";
import type { Page, PageRequest } from "../types.ts";
import type { Calls } from "./connection.ts";
import type { ApiRecordDocument } from "./documents.ts";
import { deleteSome } from "./quota-collections.ts";

/** Records of one command: see COMMAND_WRITES_MAX of conditional-writes.ts. */
const COMMAND_RECORDS_MAX = 64;

/** ApiRecordStore on the collection `api_records`. */
export class ApiRecordCollection implements ApiRecordStore {
  readonly #calls: Calls;

  constructor(calls: Calls) {
    this.#calls = calls;
  }

  async put(records: readonly ApiRecord[]): Promise<void> {
    assertUserBatch(records);
    const operations = records.map((record) => {
      const _id = idOf(record.kind, record.key);
      return { replaceOne: { filter: { _id: { $eq: _id } }, replacement: { ...record, _id }, upsert: true } };
    });
    await this.#calls.writes(async ({ apiRecords }) => {
      for (let first = 0; first < operations.length; first += COMMAND_RECORDS_MAX) {
        await apiRecords.bulkWrite(operations.slice(first, first + COMMAND_RECORDS_MAX), { ordered: false });
      }
    });
  }

  one(kind: ApiRecordKind, key: string): Promise<ApiRecord | undefined> {
    return this.#calls.read(async ({ apiRecords }) => {
      const found = await apiRecords.findOne({ _id: { $eq: idOf(kind, key) } });
      return found === null ? undefined : recordOf(found);
    });
  }

  take(kind: ApiRecordKind, key: string): Promise<ApiRecord | undefined> {
    return this.#calls.write(async ({ apiRecords }) => {
      const found = await apiRecords.findOneAndDelete({ _id: { $eq: idOf(kind, key) } });
      return found === null ? undefined : recordOf(found);
    });
  }

  async list(kind: ApiRecordKind, page: PageRequest): Promise<Page<ApiRecord>> {
    assertPage(page);
    return this.#calls.read(async ({ apiRecords }) => {
      const slash = page.after?.indexOf("/") ?? 0;
      const atMs = Number(page.after?.slice(0, slash)) || 0;
      const older = [{ atMs: { $lt: atMs } }, { atMs, key: { $lt: page.after?.slice(slash + 1) ?? "" } }];
      const filter = page.after === undefined ? { kind: { $eq: kind } } : { kind: { $eq: kind }, $or: older };
      const options = { sort: { atMs: -1, key: -1 }, limit: page.limit + 1 } as const;
      const found = await apiRecords.find(filter, options).toArray();
      return pageOf(found.map(recordOf), page.limit, (record) => `${record.atMs}/${record.key}`);
    });
  }

  prune(nowMs: number, limit: number): Promise<number> {
    return this.#calls.writes(({ apiRecords }) => deleteSome(apiRecords, { expiresAtMs: { $lt: nowMs } }, limit));
  }
}

function idOf(kind: ApiRecordKind, key: string): string {
  return `${kind} ${key}`;
}

function recordOf({ kind, key, atMs, expiresAtMs, value }: ApiRecordDocument): ApiRecord {
  return { kind, key, atMs, expiresAtMs, value };
}
