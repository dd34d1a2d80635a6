import type { KeptBinding } from "../../registry/types.ts";
import type { AcctSession, Contribution } from "../acct-session.ts";
import type { ApiRecord } from "../api-record-types.ts";
import type { AuditEntry } from "../audit-types.ts";
import type { OutboxMessage } from "../outbox-types.ts";
import type { QuotaAction, QuotaMark, QuotaOverride } from "../quota-types.ts";
import type { PeriodUsage } from "../types.ts";
import type { Plan, User, UserChange } from "../user-types.ts";

/** Collection `sessions`: one acct session, `_id` its key, with what it has added to usage. It changes as a whole, in one write
 *  that asks for the `version` it was read with (invariant 7). Numbers above 2^31 are doubles, exact below 2^53. */
export interface SessionDocument extends Omit<AcctSession, "key"> {
  readonly _id: string;
  /** Grows with each write. */
  readonly version: number;
  /** Which write made it so: a writer that may have been too slow looks for its own. */
  readonly writeId: string;
  /** Tells it from one that has the same `_id` after this one was forgotten. */
  readonly incarnation: string;
  /** Arrival of its first record; never changes: lists are in this order. */
  readonly firstHeardAtMs: number;
  /** When to look whether it is stale. Not moved by each record, so that an interim touches no index. */
  readonly checkAtMs: number;
  /** callingStationKey() of its Calling-Station-Id. */
  readonly callingStation: string | undefined;
  /** What it has added, one element for each User-Name and period. */
  readonly usage: readonly Contribution[];
  /** usageKey() of each element of `usage`: an index over one field finds what an index over two fields of a list cannot. */
  readonly usageKeys: readonly string[];
  /** In generation 0 alone: the highest generation. It is raised before that generation is inserted. */
  readonly latest: number;
}

/** What stays in `sessions` of a forgotten generation 0 while later generations live. Whatever lists acct sessions asks for
 *  `firstHeardAtMs` or `open`, which it lacks. */
export interface StubDocument extends Pick<SessionDocument, "_id" | "version" | "writeId" | "latest"> {
  readonly stub: true;
}

/** Collection `usage`: `_id` is a User-Name, `usage` what its forgotten acct sessions added. An acct session is forgotten in
 *  three writes: its usage goes to `pending`; it is deleted; `pending` goes into `usage`. What is pending counts exactly
 *  while no acct session with its incarnation is there, so that a crash between any two of them changes no sum. */
export interface UsageDocument {
  readonly _id: string;
  readonly version: number;
  readonly usage: readonly PeriodUsage[];
  /** The period keys of `usage`. */
  readonly usageKeys: readonly string[];
  readonly pending: readonly PendingUsage[];
}

export interface PendingUsage {
  readonly key: string;
  readonly incarnation: string;
  /** `version` of the acct session that it is of. */
  readonly version: number;
  readonly usage: readonly PeriodUsage[];
}

/** `_id` in place of the field that is the key. */
type Keyed<Item, Key extends keyof Item> = Omit<Item, Key> & { readonly _id: string };

export type UserDocument = Keyed<User, "username">;
export type PlanDocument = Keyed<Plan, "name">;
/** `_id` is kind and name; `lease` tells the one who took it. */
export type UserChangeDocument = UserChange & { readonly _id: string; readonly lease?: string };
export type OverrideDocument = Keyed<QuotaOverride, "username">;
export type MarkDocument = Keyed<QuotaMark, "markKey">;
/** `lease` tells the one who took it. */
export type ActionDocument = Keyed<QuotaAction, "actionKey"> & { readonly lease?: string };
export type MessageDocument = Keyed<OutboxMessage, "messageId"> & { readonly buried: boolean; readonly lease?: string };
/** `_id` is name and peer. */
export type BindingDocument = KeptBinding & { readonly _id: string };
/** `_id` is kind and key. */
export type ApiRecordDocument = ApiRecord & { readonly _id: string };
export type AuditDocument = Keyed<AuditEntry, "exchangeId">;
