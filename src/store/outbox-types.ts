import type { Page, PageRequest } from "./types.ts";

/** Messages that must leave in the end (webhooks): durable, repeated, bounded. */
export interface Outbox {
  /** Stores messages. One with a `messageId` that is there already is left alone. Beyond `outboxMax` messages the oldest dead
   *  letters give way; if none are left, new messages are dropped. @returns how many were dropped */
  put(messages: readonly NewMessage[]): Promise<number>;
  /** Takes messages that are due (`dueAtMs` <= `nowMs`), the longest due first, and moves their `dueAtMs` to `leaseUntilMs` in
   *  the same write: of two nodes one gets them, and if that one dies they are due again. */
  take(nowMs: number, leaseUntilMs: number, limit: number): Promise<OutboxMessage[]>;
  /** Delivered: forgets it. @returns false if it is gone */
  delivered(messageId: string): Promise<boolean>;
  /** Failed once more: counts the attempt and makes it due again at `dueAtMs`. */
  retry(messageId: string, dueAtMs: number, error: string): Promise<boolean>;
  /** Failed for good: kept for people, no longer taken. */
  bury(messageId: string, atMs: number, error: string): Promise<boolean>;
  /** Dead letters, in the order of their ids. */
  dead(page: PageRequest): Promise<Page<OutboxMessage>>;
  /** Makes a dead letter due again, with no attempts. @returns false if it is no dead letter */
  revive(messageId: string, dueAtMs: number): Promise<boolean>;
  /** Forgets dead letters buried before `beforeMs`, at most `limit`. @returns how many */
  prune(beforeMs: number, limit: number): Promise<number>;
  counts(): Promise<OutboxCounts>;
}

export interface NewMessage {
  /** Unique; sorts by time if made by newMessageId-like callers, which nothing here relies on. */
  readonly messageId: string;
  /** Name of the webhook in hub.yaml. */
  readonly target: string;
  /** Type of the event. */
  readonly topic: string;
  readonly body: string;
  readonly createdAtMs: number;
  readonly dueAtMs: number;
}

export interface OutboxMessage extends NewMessage {
  /** Failed deliveries. */
  readonly attempts: number;
  readonly lastError: string | undefined;
  /** Set for a dead letter. */
  readonly buriedAtMs: number | undefined;
}

export interface OutboxCounts {
  readonly waiting: number;
  readonly dead: number;
}
