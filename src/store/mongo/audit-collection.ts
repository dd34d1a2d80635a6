import type { Filter } from "mongodb";
import { type AuditEntry, type AuditQuery, type AuditStore, BLANK_AUDIT_ENTRY } from "../audit-types.ts";
import { assertPage, assertQuery } from "../limits.ts";
import { pageOf } from "../page-of.ts";
import type { Page, PageRequest } from "../types.ts";
import type { Calls } from "./connection.ts";
import type { AuditDocument } from "./documents.ts";
import { deleteSome } from "./quota-collections.ts";

/** Entries of one command: see COMMAND_WRITES_MAX of conditional-writes.ts. */
const COMMAND_ENTRIES_MAX = 64;

/** AuditStore on the collection `audit`. */
export class AuditCollection implements AuditStore {
  readonly #calls: Calls;

  constructor(calls: Calls) {
    this.#calls = calls;
  }

  append(entries: readonly AuditEntry[]): Promise<void> {
    const operations = entries.map(({ exchangeId, ...entry }) => ({
      replaceOne: { filter: { _id: { $eq: exchangeId } }, replacement: { ...entry, _id: exchangeId }, upsert: true },
    }));
    return this.#calls.writes(async ({ audit }) => {
      for (let first = 0; first < operations.length; first += COMMAND_ENTRIES_MAX) {
        await audit.bulkWrite(operations.slice(first, first + COMMAND_ENTRIES_MAX), { ordered: false });
      }
    });
  }

  async find(query: AuditQuery, page: PageRequest): Promise<Page<AuditEntry>> {
    assertPage(page);
    assertQuery(query);
    return this.#calls.read(async ({ audit }) => {
      const sort = { atMs: -1, _id: -1 } as const;
      const found = await audit.find(filterOf(query, page.after), { sort, limit: page.limit + 1 }).toArray();
      return pageOf(found.map(entryOf), page.limit, ({ atMs, exchangeId }) => `${atMs}/${exchangeId}`);
    });
  }

  prune(beforeMs: number, limit: number): Promise<number> {
    return this.#calls.writes(({ audit }) => deleteSome(audit, { atMs: { $lt: beforeMs } }, limit));
  }
}

function filterOf(query: AuditQuery, after: string | undefined): Filter<AuditDocument> {
  const { exchangeId, username, nas, outcome, fromMs, beforeMs } = query;
  const equal = Object.entries({ _id: exchangeId, username, nas, outcome }).filter(([, value]) => value !== undefined);
  const conditions: Filter<AuditDocument>[] = equal.map(([name, value]) => ({ [name]: { $eq: value } }));
  if (fromMs !== undefined) conditions.push({ atMs: { $gte: fromMs } });
  if (beforeMs !== undefined) conditions.push({ atMs: { $lt: beforeMs } });
  if (after !== undefined) {
    const slash = after.indexOf("/");
    const atMs = Number(after.slice(0, slash)) || 0;
    conditions.push({ $or: [{ atMs: { $lt: atMs } }, { atMs, _id: { $lt: after.slice(slash + 1) } }] });
  }
  return conditions.length === 0 ? {} : { $and: conditions };
}

/** A document leaves out what is undefined; an entry has every field. */
function entryOf({ _id, ...entry }: AuditDocument): AuditEntry {
  return { ...BLANK_AUDIT_ENTRY, exchangeId: _id, ...entry };
}
