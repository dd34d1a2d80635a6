import { ObjectId, type Collection } from "mongodb";
import { generationKey, splitAcctSessionKey } from "../acct-session-key.ts";
import type { AcctSession, Contribution } from "../acct-session.ts";
import { acctSessionOf, addedTo, documentOf, isStub } from "./acct-session-document.ts";
import { type ConditionalWrite, writeConditionally } from "./conditional-writes.ts";
import type { SessionDocument, StubDocument } from "./documents.ts";

/** One document as it was read and as it shall be. */
interface Draft {
  readonly stored: SessionDocument | StubDocument | undefined;
  acctSession: AcctSession | undefined;
  usage: readonly Contribution[];
  latest: number;
  /** A generation is to be inserted after this document. */
  raised: boolean;
  changed: boolean;
}

type Sessions = Collection<SessionDocument | StubDocument>;

/** The documents that a batch of records concerns, changed in memory and then written, each on the condition that it is still as
 *  it was read.
 *
 *  (1) `latest` of generation 0 is raised before the generation that it names is inserted. After a crash between the two
 *      the highest generation is the one before, until a record inserts the missing one.
 *  (2) A document that is not changed is not written. */
export class SessionDrafts {
  readonly #sessions: Sessions;
  readonly #drafts = new Map<string, Draft>();

  constructor(sessions: Sessions) {
    this.#sessions = sessions;
  }

  /** Reads generation 0 of each, and the highest where there are more. */
  async load(bases: readonly string[]): Promise<void> {
    await this.#read(bases);
    const highest = bases.flatMap((base) => {
      const { latest } = this.#draft(base);
      return latest === 0 ? [] : [generationKey(base, latest), generationKey(base, latest - 1)];
    });
    await this.#read(highest);
  }

  /** The highest generation that is stored. */
  latest(base: string): AcctSession | undefined {
    const { latest, acctSession } = this.#draft(base);
    const missing = latest === 0 ? undefined : this.#draft(generationKey(base, latest - 1)).acctSession; // (1)
    return this.#draft(generationKey(base, latest)).acctSession ?? missing ?? acctSession;
  }

  async generation(base: string, generation: number): Promise<AcctSession | undefined> {
    const key = generationKey(base, generation);
    await this.#read([key]);
    return this.#draft(key).acctSession;
  }

  /** A new acct session, of the generation after latest(). */
  insert(base: string, acctSession: AcctSession, contributions: readonly Contribution[]): void {
    const { generation } = acctSession;
    const first = this.#draft(base);
    first.raised ||= generation !== 0 && generation !== first.latest;
    first.changed ||= first.raised;
    first.latest = generation;
    this.replace(acctSession, contributions);
  }

  replace(acctSession: AcctSession, contributions: readonly Contribution[]): void {
    const draft = this.#draft(acctSession.key);
    draft.acctSession = acctSession;
    draft.usage = addedTo(draft.usage, contributions);
    draft.changed = true;
  }

  /** @returns keys of what was not written because somebody else was faster */
  async write(): Promise<ReadonlySet<string>> {
    const writeId = new ObjectId().toHexString();
    const changed = [...this.#drafts].filter(([, draft]) => draft.changed);
    const first = changed.filter(([, draft]) => draft.raised);
    const overtaken = new Set(await this.#write(first, writeId));
    const second = changed.filter(([key, draft]) => {
      if (!draft.raised && overtaken.has(splitAcctSessionKey(key).base)) overtaken.add(key);
      return !draft.raised && !overtaken.has(key);
    });
    for (const key of await this.#write(second, writeId)) overtaken.add(key);
    return overtaken;
  }

  #write(drafts: readonly (readonly [string, Draft])[], writeId: string): Promise<ReadonlySet<string>> {
    const writes = drafts.map(([key, draft]) => writeOf(key, draft, writeId));
    return writes.length === 0 ? Promise.resolve(new Set()) : writeConditionally(this.#sessions, writes, writeId);
  }

  async #read(keys: readonly string[]): Promise<void> {
    const unread = keys.filter((key) => !this.#drafts.has(key));
    if (unread.length === 0) return;
    for (const key of unread) this.#drafts.set(key, draftOf(undefined));
    const found = this.#sessions.find({ _id: { $in: unread } }, { batchSize: unread.length + 1 });
    for (const document of await found.toArray()) this.#drafts.set(document._id, draftOf(document));
  }

  #draft(key: string): Draft {
    const draft = this.#drafts.get(key) ?? draftOf(undefined);
    this.#drafts.set(key, draft);
    return draft;
  }
}

function draftOf(stored: SessionDocument | StubDocument | undefined): Draft {
  const blank = {
    stored,
    acctSession: undefined,
    usage: [],
    latest: stored?.latest ?? 0,
    raised: false,
    changed: false,
  };
  if (stored === undefined || isStub(stored)) return blank;
  return { ...blank, acctSession: acctSessionOf(stored), usage: stored.usage };
}

function writeOf(key: string, { stored, acctSession, usage, latest }: Draft, writeId: string): ConditionalWrite {
  const version = (stored?.version ?? 0) + 1;
  if (acctSession === undefined) {
    const replacement: StubDocument = { _id: key, version, writeId, latest, stub: true };
    return { key, operation: { replaceOne: { filter: { _id: key, version: version - 1 }, replacement } } };
  }
  const before = stored === undefined || isStub(stored) ? undefined : stored;
  const document = documentOf(acctSession, {
    version,
    writeId,
    incarnation: before?.incarnation ?? writeId,
    firstHeardAtMs: before?.firstHeardAtMs ?? acctSession.heardAtMs,
    checkAtMs: checkAtMs(before, acctSession),
    usage,
    latest,
  });
  if (stored === undefined) return { key, operation: { insertOne: { document } } };
  return { key, operation: { replaceOne: { filter: { _id: key, version: version - 1 }, replacement: document } } };
}

/** Not moved by an interim; an acct session that opens has all its time. */
function checkAtMs(before: SessionDocument | undefined, after: AcctSession): number {
  if (before !== undefined && (before.open || !after.open)) return before.checkAtMs;
  return after.heardAtMs + after.staleAfterMs;
}
