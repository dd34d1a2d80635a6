import type { Page, PageRequest } from "./types.ts";

/** Who asked for which exchange, and how it ended. */
export interface AuditStore {
  /** Stores entries; one whose exchangeId is there already is replaced. */
  append(entries: readonly AuditEntry[]): Promise<void>;
  /** Entries that match every given field, newest first. */
  find(query: AuditQuery, page: PageRequest): Promise<Page<AuditEntry>>;
  /** Forgets entries from before `beforeMs`, at most `limit`. @returns how many */
  prune(beforeMs: number, limit: number): Promise<number>;
}

/** One exchange that has ended. No secret, no password, no packet (invariant 10). */
export interface AuditEntry {
  readonly exchangeId: string;
  /** When it ended. */
  readonly atMs: number;
  readonly code: number;
  /** "http", "udp", "quota", "cli", "test". */
  readonly trigger: string;
  /** Name of the token, peer or rule that asked. */
  readonly caller: string | undefined;
  readonly requestId: string | undefined;
  readonly nas: string | undefined;
  readonly linkId: string | undefined;
  readonly username: string | undefined;
  /** AcctSession.key */
  readonly acctSessionKey: string | undefined;
  /** OutcomeKind of dynauth. */
  readonly outcome: string;
  /** Of no-route, busy and closed: why; "abandoned" where whoever asked did not wait. */
  readonly why: string | undefined;
  /** Whether the NAS may have carried it out although no ACK came (invariant 5); undefined in entries of before it was kept. */
  readonly mayHaveActed: boolean | undefined;
  readonly replyCode: number | undefined;
  readonly errorCause: number | undefined;
  readonly attempts: number;
  readonly durationMs: number;
}

/** What a store leaves out of an entry where there is nothing to say. */
export const BLANK_AUDIT_ENTRY = {
  caller: undefined,
  requestId: undefined,
  nas: undefined,
  linkId: undefined,
  username: undefined,
  acctSessionKey: undefined,
  why: undefined,
  mayHaveActed: undefined,
  replyCode: undefined,
  errorCause: undefined,
} as const satisfies Partial<AuditEntry>;

export interface AuditQuery {
  readonly exchangeId?: string | undefined;
  readonly username?: string | undefined;
  readonly nas?: string | undefined;
  readonly outcome?: string | undefined;
  /** Inclusive. */
  readonly fromMs?: number | undefined;
  /** Exclusive. */
  readonly beforeMs?: number | undefined;
}
