import type { Random } from "../../clock.ts";
import { assertPage } from "../limits.ts";
import type { NewMessage, Outbox, OutboxCounts, OutboxMessage } from "../outbox-types.ts";
import { pageOf } from "../page-of.ts";
import type { Page, PageRequest } from "../types.ts";
import type { Collections } from "./collections.ts";
import type { Calls } from "./connection.ts";
import type { MessageDocument } from "./documents.ts";
import { takeDue } from "./lease.ts";
import { duplicateIndexes } from "./mongo-fault.ts";
import { deleteSome } from "./quota-collections.ts";
import { pageDocuments } from "./user-collections.ts";

/** Outbox on the collection `outbox`. */
export class OutboxCollection implements Outbox {
  readonly #calls: Calls;
  readonly #random: Random;
  readonly #messagesMax: number;

  constructor(calls: Calls, random: Random, messagesMax: number) {
    this.#calls = calls;
    this.#random = random;
    this.#messagesMax = messagesMax;
  }

  put(messages: readonly NewMessage[]): Promise<number> {
    const unique = new Map(
      messages.map((message) => [message.messageId, message]).toReversed() as [string, NewMessage][],
    );
    const documents = [...unique.values()].toReversed().map(documentOf);
    return this.#calls.writes(async (collections) => {
      if (documents.length === 0) return 0;
      const { outbox } = collections;
      const ids = documents.map(({ _id }) => _id);
      const present = await outbox.find({ _id: { $in: ids } }, { projection: { _id: 1 } }).toArray();
      const known = new Set(present.map(({ _id }) => _id));
      const news = documents.filter(({ _id }) => !known.has(_id));
      const room = await this.#roomFor(news.length, collections);
      const fitting = news.slice(0, Math.max(0, room));
      if (fitting.length > 0) await insertNew(outbox, fitting);
      return news.length - fitting.length;
    });
  }

  take(nowMs: number, leaseUntilMs: number, limit: number): Promise<OutboxMessage[]> {
    return this.#calls.writes(async ({ outbox }) => {
      const due = { filter: { buried: false }, nowMs, leaseUntilMs, limit };
      return (await takeDue(outbox, due, this.#random)).map(messageOf);
    });
  }

  delivered(messageId: string): Promise<boolean> {
    return this.#calls.write(async ({ outbox }) => {
      const { deletedCount } = await outbox.deleteOne({ _id: { $eq: messageId } });
      return deletedCount > 0;
    });
  }

  retry(messageId: string, dueAtMs: number, error: string): Promise<boolean> {
    return this.#failed(messageId, { dueAtMs, lastError: error });
  }

  bury(messageId: string, atMs: number, error: string): Promise<boolean> {
    return this.#failed(messageId, { buried: true, buriedAtMs: atMs, lastError: error });
  }

  async dead(page: PageRequest): Promise<Page<OutboxMessage>> {
    assertPage(page);
    return this.#calls.read(async ({ outbox }) => {
      const found = await pageDocuments(outbox, page, { buried: true });
      return pageOf(found.map(messageOf), page.limit, ({ messageId }) => messageId);
    });
  }

  revive(messageId: string, dueAtMs: number): Promise<boolean> {
    return this.#calls.write(async ({ outbox }) => {
      const update = { $set: { attempts: 0, buried: false, dueAtMs }, $unset: { buriedAtMs: "" as const } };
      const { matchedCount } = await outbox.updateOne({ _id: { $eq: messageId }, buried: true }, update);
      return matchedCount > 0;
    });
  }

  prune(beforeMs: number, limit: number): Promise<number> {
    return this.#calls.writes(({ outbox }) =>
      deleteSome(outbox, { buried: true, buriedAtMs: { $lt: beforeMs } }, limit),
    );
  }

  counts(): Promise<OutboxCounts> {
    return this.#calls.read(counted);
  }

  #failed(messageId: string, change: Partial<MessageDocument>): Promise<boolean> {
    return this.#calls.write(async ({ outbox }) => {
      const update = { $set: change, $inc: { attempts: 1 } };
      const { matchedCount } = await outbox.updateOne({ _id: { $eq: messageId }, buried: false }, update);
      return matchedCount > 0;
    });
  }

  /** How many of `count` messages find room, once the oldest dead letters have given way. */
  async #roomFor(count: number, collections: Collections): Promise<number> {
    const { waiting, dead } = await counted(collections);
    const room = this.#messagesMax - waiting - dead;
    if (room >= count || dead === 0) return room;
    const { outbox } = collections;
    const options = { sort: { buriedAtMs: 1 }, limit: count - room, projection: { _id: 1 } } as const;
    const oldest = await outbox.find({ buried: true }, options).toArray();
    const { deletedCount } = await outbox.deleteMany({ _id: { $in: oldest.map(({ _id }) => _id) }, buried: true });
    return room + deletedCount;
  }
}

async function counted({ outbox }: Collections): Promise<OutboxCounts> {
  const [waiting, dead] = await Promise.all([false, true].map((buried) => outbox.countDocuments({ buried })));
  return { waiting: waiting ?? 0, dead: dead ?? 0 };
}

/** Another node may be putting the same message. */
async function insertNew(outbox: Collections["outbox"], documents: readonly MessageDocument[]): Promise<void> {
  try {
    await outbox.insertMany(documents, { ordered: false });
  } catch (error) {
    duplicateIndexes(error);
  }
}

function documentOf({ messageId, ...message }: NewMessage): MessageDocument {
  return { ...message, _id: messageId, attempts: 0, buried: false, lastError: undefined, buriedAtMs: undefined };
}

function messageOf({ _id, buried: _buried, lease: _lease, ...message }: MessageDocument): OutboxMessage {
  const { lastError, buriedAtMs } = message; // left out by a document where undefined
  return { ...message, messageId: _id, lastError, buriedAtMs };
}
