import { ObjectId } from "mongodb";
import type { AccountingRecord } from "../accounting-record.ts";
import type { AcctSession, CloseCause } from "../acct-session.ts";
import { assertBatch, assertPage } from "../limits.ts";
import { pageOf } from "../page-of.ts";
import type { Periods } from "../periods.ts";
import { closed, isStale } from "../reduce.ts";
import type { AcctSessionQuery, AcctSessionStore, Page, PageRequest, RecordResult } from "../types.ts";
import { acctSessionOf, isStub } from "./acct-session-document.ts";
import { acctSessionFilter, markOf } from "./acct-session-filter.ts";
import type { Collections } from "./collections.ts";
import { type ConditionalWrite, writeConditionally } from "./conditional-writes.ts";
import type { Calls } from "./connection.ts";
import type { SessionDocument, StubDocument } from "./documents.ts";
import { untilThrough } from "./optimism.ts";
import { RecordQueue } from "./record-queue.ts";
import { RecordRun, type RecordRunDeps } from "./record-run.ts";
import { forget, settleAll } from "./usage-fold.ts";

interface Deps extends RecordRunDeps {
  readonly calls: Calls;
}

/** AcctSessionStore on the collection `sessions`. */
export class AcctSessionCollection implements AcctSessionStore {
  readonly #deps: Deps;
  readonly #calls: Calls;
  readonly #queue = new RecordQueue();
  #periods: Periods;

  constructor(deps: Deps, periods: Periods) {
    this.#deps = deps;
    this.#calls = deps.calls;
    this.#periods = periods;
  }

  usePeriods(periods: Periods): void {
    this.#periods = periods;
  }

  async record(batch: readonly AccountingRecord[]): Promise<RecordResult[]> {
    assertBatch(batch);
    const periods = this.#periods;
    return this.#calls.records(batch.length, (collections) => {
      const run = (joined: readonly AccountingRecord[]): Promise<RecordResult[]> =>
        new RecordRun(this.#deps, collections, periods).record(joined);
      return this.#queue.record([...batch], run);
    });
  }

  async find(query: AcctSessionQuery, page: PageRequest): Promise<Page<AcctSession>> {
    assertPage(page);
    const filter = acctSessionFilter(query, page.after);
    if (filter === undefined) return { items: [], next: undefined };
    return this.#calls.read(async ({ sessions }) => {
      const sort = { firstHeardAtMs: -1, _id: -1 } as const;
      const found = await sessions.find(filter, { sort, limit: page.limit + 1 }).toArray();
      const { items, next } = pageOf(found.filter(isWhole), page.limit, markOf);
      return { items: items.map(acctSessionOf), next };
    });
  }

  one(key: string): Promise<AcctSession | undefined> {
    return this.#calls.read(async ({ sessions }) => {
      const document = await sessions.findOne({ _id: { $eq: key } });
      return document === null || isStub(document) ? undefined : acctSessionOf(document);
    });
  }

  close(key: string, atMs: number, cause: CloseCause): Promise<AcctSession | undefined> {
    return this.#calls.writes(async (collections) => {
      const [ended] = await untilThrough(this.#deps, async () => {
        const open = await collections.sessions.find({ _id: { $eq: key }, open: true }).toArray();
        const [first] = await closeAll(collections, open.filter(isWhole), atMs, cause);
        return open.length === 0 || first !== undefined ? [first] : undefined;
      });
      return ended;
    });
  }

  closeNas(nasKey: string, atMs: number, cause: CloseCause, limit: number): Promise<AcctSession[]> {
    return this.#calls.writes(async (collections) => {
      const silent = { nasKey: { $eq: nasKey }, open: true, heardAtMs: { $lt: atMs } };
      const open = await collections.sessions.find(silent, { limit }).toArray();
      return closeAll(collections, open.filter(isWhole), atMs, cause);
    });
  }

  closeStale(nowMs: number, hubStartedAtMs: number, limit: number): Promise<AcctSession[]> {
    return this.#calls.writes(async (collections) => {
      const ended: AcctSession[] = [];
      for (;;) {
        const due = { open: true, checkAtMs: { $lte: nowMs } };
        const found = await collections.sessions.find(due, { sort: { checkAtMs: 1 }, limit }).toArray();
        const [stale, heard] = partition(found.filter(isWhole), (one) =>
          isStale(acctSessionOf(one), nowMs, hubStartedAtMs),
        );
        await checkLater(collections, heard, hubStartedAtMs);
        const closedNow = await closeAll(collections, stale.slice(0, limit - ended.length), nowMs, "stale");
        ended.push(...closedNow);
        // One that was heard of meanwhile is not closed, and is looked at by the next call.
        if (ended.length === limit || found.length < limit || closedNow.length < stale.length) return ended;
      }
    });
  }

  prune(closedBeforeMs: number, limit: number): Promise<number> {
    return this.#calls.writes(async (collections) => {
      await settleAll(this.#deps, collections, limit);
      const old = { open: false, closedAtMs: { $lt: closedBeforeMs } };
      const found = await collections.sessions.find(old, { limit }).toArray();
      return forget(this.#deps, collections, found.filter(isWhole));
    });
  }

  countOpen(): Promise<number> {
    return this.#calls.read(({ sessions }) => sessions.countDocuments({ open: true }));
  }
}

/** @returns those that nobody else wrote meanwhile, closed */
async function closeAll(
  { sessions }: Collections,
  open: readonly SessionDocument[],
  atMs: number,
  cause: CloseCause,
): Promise<AcctSession[]> {
  const writeId = new ObjectId().toHexString();
  const change = { open: false, closeCause: cause, closedAtMs: atMs };
  const overtaken = await writeConditionally(
    sessions,
    open.map((document) => updated(document, writeId, change)),
    writeId,
  );
  return open.filter(({ _id }) => !overtaken.has(_id)).map((document) => closed(acctSessionOf(document), atMs, cause));
}

async function checkLater(
  { sessions }: Collections,
  heard: readonly SessionDocument[],
  hubStartedAtMs: number,
): Promise<void> {
  const writeId = new ObjectId().toHexString();
  const writes = heard.map((document) => {
    const checkAtMs = Math.max(document.heardAtMs, hubStartedAtMs) + document.staleAfterMs;
    return updated(document, writeId, { checkAtMs });
  });
  await writeConditionally(sessions, writes, writeId);
}

function updated(
  { _id, version }: SessionDocument,
  writeId: string,
  change: Partial<SessionDocument>,
): ConditionalWrite {
  const update = { $set: { ...change, writeId, version: version + 1 } };
  return { key: _id, operation: { updateOne: { filter: { _id, version }, update } } };
}

function isWhole(document: SessionDocument | StubDocument): document is SessionDocument {
  return !isStub(document);
}

function partition<Item>(items: readonly Item[], test: (item: Item) => boolean): [Item[], Item[]] {
  return [items.filter(test), items.filter((item) => !test(item))];
}
