import type { Page, PageRequest } from "./types.ts";

/** What the HTTP APIs keep beside users and acct sessions: results of logins, tokens, names of batches. */
export interface ApiRecordStore {
  /** Inserts each, or replaces the one of the same kind and key.
   *  @param records at most USER_BATCH_MAX */
  put(records: readonly ApiRecord[]): Promise<void>;
  /** Also one that has expired and was not pruned yet. */
  one(kind: ApiRecordKind, key: string): Promise<ApiRecord | undefined>;
  /** Removes it: of any number of callers, on any node, one gets it. */
  take(kind: ApiRecordKind, key: string): Promise<ApiRecord | undefined>;
  /** Newest first. */
  list(kind: ApiRecordKind, page: PageRequest): Promise<Page<ApiRecord>>;
  /** Forgets what expired before `nowMs`, at most `limit`. @returns how many */
  prune(nowMs: number, limit: number): Promise<number>;
}

/** post-auth: how a login ended. user-token, api-key: by the SHA-256 of the token. token-holder: by User-Name. batch: by name. */
export type ApiRecordKind = "post-auth" | "user-token" | "api-key" | "token-holder" | "batch";

export interface ApiRecord {
  readonly kind: ApiRecordKind;
  /** Unique within its kind. */
  readonly key: string;
  readonly atMs: number;
  /** NEVER_MS of quota-types.ts: it is kept. */
  readonly expiresAtMs: number;
  /** JSON text; no password and no token in the clear (invariant 10). */
  readonly value: string;
}
