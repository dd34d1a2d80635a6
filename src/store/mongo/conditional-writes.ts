import type { AnyBulkWriteOperation, BulkWriteResult, Collection } from "mongodb";
import { MongoBulkWriteError } from "mongodb";
import type { SessionDocument, StubDocument } from "./documents.ts";
import { duplicateIndexes } from "./mongo-fault.ts";

/** Writes of one command. More go into several commands at once: a command waits for the slowest disk of a majority whatever it
 *  holds. FerretDB 1.24, besides, uses one of its hundred connections for each update of a command, and hangs beyond. */
const COMMAND_WRITES_MAX = 64;

/** An insert, or a replacement or update that asks for the version that was read; it stamps the document with its `writeId`. */
export interface ConditionalWrite {
  readonly key: string;
  readonly operation: AnyBulkWriteOperation<SessionDocument | StubDocument>;
}

/** Carries out what nobody else was faster at. @returns the keys of the others */
export async function writeConditionally(
  sessions: Collection<SessionDocument | StubDocument>,
  writes: readonly ConditionalWrite[],
  writeId: string,
): Promise<ReadonlySet<string>> {
  const commands: (readonly ConditionalWrite[])[] = [];
  for (let first = 0; first < writes.length; first += COMMAND_WRITES_MAX) {
    commands.push(writes.slice(first, first + COMMAND_WRITES_MAX));
  }
  // All settle before an error is told: what is under way must not outlive the call.
  const settled = await Promise.allSettled(commands.map((command) => carriedOut(sessions, command, writeId)));
  const overtaken = new Set<string>();
  for (const outcome of settled) {
    if (outcome.status === "rejected") throw outcome.reason;
    for (const key of outcome.value) overtaken.add(key);
  }
  return overtaken;
}

async function carriedOut(
  sessions: Collection<SessionDocument | StubDocument>,
  command: readonly ConditionalWrite[],
  writeId: string,
): Promise<string[]> {
  let result: BulkWriteResult;
  let duplicates: ReadonlySet<number> = new Set();
  try {
    const operations = command.map(({ operation }) => operation);
    result = await sessions.bulkWrite(operations, { ordered: false });
  } catch (error) {
    duplicates = duplicateIndexes(error);
    result = (error as MongoBulkWriteError).result;
  }
  const overtaken = command.filter((_, index) => duplicates.has(index)).map(({ key }) => key);
  const updates = command.filter(({ operation }) => !("insertOne" in operation)).map(({ key }) => key);
  if (result.matchedCount === updates.length) return overtaken;
  const mine = await sessions.find({ _id: { $in: updates }, writeId }, { projection: { _id: 1 } }).toArray();
  const done = new Set(mine.map(({ _id }) => _id));
  return [...overtaken, ...updates.filter((key) => !done.has(key))];
}
