import type { Collection, Db, Document, IndexSpecification } from "mongodb";
import type {
  ActionDocument,
  ApiRecordDocument,
  AuditDocument,
  BindingDocument,
  MarkDocument,
  MessageDocument,
  OverrideDocument,
  PlanDocument,
  SessionDocument,
  StubDocument,
  UsageDocument,
  UserChangeDocument,
  UserDocument,
} from "./documents.ts";

export interface Collections {
  readonly sessions: Collection<SessionDocument | StubDocument>;
  readonly usage: Collection<UsageDocument>;
  readonly users: Collection<UserDocument>;
  readonly plans: Collection<PlanDocument>;
  readonly userChanges: Collection<UserChangeDocument>;
  readonly overrides: Collection<OverrideDocument>;
  readonly marks: Collection<MarkDocument>;
  readonly actions: Collection<ActionDocument>;
  readonly audit: Collection<AuditDocument>;
  readonly outbox: Collection<MessageDocument>;
  readonly bindings: Collection<BindingDocument>;
  readonly apiRecords: Collection<ApiRecordDocument>;
}

type IndexKey = Readonly<Record<string, 1 | -1>>;

// Lists of acct sessions and of the audit are newest first.
const NEWEST = { firstHeardAtMs: -1, _id: -1 } as const;
const LATEST = { atMs: -1, _id: -1 } as const;

/** Names of the collections, and the indexes of each beside `_id`. */
const SCHEMA: Readonly<Record<keyof Collections, { readonly name: string; readonly indexes: readonly IndexKey[] }>> = {
  sessions: {
    name: "sessions",
    indexes: [
      { username: 1, open: 1, ...NEWEST },
      { acctSessionId: 1, open: 1, ...NEWEST },
      { callingStation: 1, open: 1, ...NEWEST },
      { "facts.framedIp": 1, open: 1, ...NEWEST },
      { "facts.framedIpv6Address": 1, open: 1, ...NEWEST },
      { "facts.framedIpv6Prefix": 1, open: 1, ...NEWEST },
      { "facts.delegatedIpv6Prefix": 1, open: 1, ...NEWEST },
      { "facts.multiSessionId": 1, open: 1, ...NEWEST },
      { nasKey: 1, open: 1, ...NEWEST },
      { "facts.nasIdentifier": 1, open: 1, ...NEWEST },
      { open: 1, ...NEWEST },
      { ...NEWEST },
      { open: 1, checkAtMs: 1 },
      { open: 1, closedAtMs: 1 },
      { usageKeys: 1 },
    ],
  },
  usage: { name: "usage", indexes: [{ usageKeys: 1 }, { "pending.key": 1 }] },
  users: { name: "users", indexes: [{ plan: 1, _id: 1 }] },
  plans: { name: "plans", indexes: [] },
  userChanges: { name: "user_changes", indexes: [{ dueAtMs: 1, _id: 1 }] },
  overrides: { name: "quota_overrides", indexes: [] },
  marks: { name: "quota_marks", indexes: [{ username: 1, _id: 1 }, { expiresAtMs: 1 }] },
  actions: { name: "quota_actions", indexes: [{ username: 1, _id: 1 }, { dueAtMs: 1, _id: 1 }, { expiresAtMs: 1 }] },
  audit: {
    name: "audit",
    indexes: [{ ...LATEST }, { username: 1, ...LATEST }, { nas: 1, ...LATEST }, { outcome: 1, ...LATEST }],
  },
  bindings: { name: "bindings", indexes: [] },
  apiRecords: { name: "api_records", indexes: [{ kind: 1, atMs: -1, key: -1 }, { expiresAtMs: 1 }] },
  outbox: {
    name: "outbox",
    indexes: [
      { buried: 1, dueAtMs: 1, _id: 1 },
      { buried: 1, buriedAtMs: 1 },
      { buried: 1, _id: 1 },
    ],
  },
};

export function collectionsOf(database: Db): Collections {
  const names = Object.keys(SCHEMA) as (keyof Collections)[];
  const entries = names.map((name) => [name, database.collection<Document>(SCHEMA[name].name)]);
  return Object.fromEntries(entries) as Collections;
}

/** Makes the indexes that are missing. Those that are there, the operator's own too, are left alone. */
export async function ensureIndexes(collections: Collections): Promise<void> {
  for (const name of Object.keys(SCHEMA) as (keyof Collections)[]) {
    const { indexes } = SCHEMA[name];
    if (indexes.length === 0) continue;
    const collection = collections[name] as unknown as Collection<Document>;
    const present = new Set((await presentIndexes(collection)).map(keyText));
    const missing = indexes.filter((key) => !present.has(keyText(key)));
    if (missing.length > 0) await collection.createIndexes(missing.map((key) => ({ key: key as never })));
  }
}

async function presentIndexes(collection: Collection<Document>): Promise<IndexKey[]> {
  try {
    return (await collection.listIndexes().toArray()).map(({ key }) => key as IndexKey);
  } catch (error) {
    const namespaceNotFound = 26;
    if ((error as { code?: unknown }).code === namespaceNotFound) return [];
    throw error;
  }
}

/** The order of the fields counts. */
function keyText(key: IndexKey | IndexSpecification): string {
  return JSON.stringify(Object.entries(key));
}
