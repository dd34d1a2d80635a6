import type { NewMessage, OutboxCounts, OutboxMessage } from "../outbox-types.ts";
import type { Page, PageRequest } from "../types.ts";
import { optional } from "./acct-session-row.ts";
import type { Database, Row } from "./database.ts";
import { pageOf } from "../page-of.ts";

/** Outbox on one connection. */
export class OutboxTable {
  readonly #database: Database;
  readonly #messagesMax: number;

  constructor(database: Database, messagesMax: number) {
    this.#database = database;
    this.#messagesMax = messagesMax;
  }

  put(messages: readonly NewMessage[]): number {
    const { waiting, dead } = this.counts();
    let room = this.#messagesMax - waiting - dead;
    if (room < messages.length) room += this.#forgetDead(messages.length - room);
    let dropped = 0;
    for (const { messageId, target, topic, body, createdAtMs, dueAtMs } of messages) {
      if (room <= 0) {
        dropped += this.#has(messageId) ? 0 : 1;
        continue;
      }
      const sql = "INSERT INTO outbox VALUES (?, ?, ?, ?, ?, ?, 0, NULL, NULL) ON CONFLICT DO NOTHING";
      room -= this.#database.run(sql, messageId, target, topic, body, createdAtMs, dueAtMs);
    }
    return dropped;
  }

  take(nowMs: number, leaseUntilMs: number, limit: number): OutboxMessage[] {
    const due = `SELECT * FROM outbox WHERE buried_at_ms IS NULL AND due_at_ms <= ?
      ORDER BY due_at_ms, message_id LIMIT ?`;
    return this.#database.rows(due, nowMs, limit).map((row) => {
      this.#database.run("UPDATE outbox SET due_at_ms = ? WHERE message_id = ?", leaseUntilMs, row["message_id"]);
      return { ...messageOf(row), dueAtMs: leaseUntilMs };
    });
  }

  delivered(messageId: string): boolean {
    return this.#database.run("DELETE FROM outbox WHERE message_id = ?", messageId) > 0;
  }

  retry(messageId: string, dueAtMs: number, error: string): boolean {
    const sql = `UPDATE outbox SET attempts = attempts + 1, due_at_ms = ?, last_error = ?
      WHERE message_id = ? AND buried_at_ms IS NULL`;
    return this.#database.run(sql, dueAtMs, error, messageId) > 0;
  }

  bury(messageId: string, atMs: number, error: string): boolean {
    const sql = `UPDATE outbox SET attempts = attempts + 1, buried_at_ms = ?, last_error = ?
      WHERE message_id = ? AND buried_at_ms IS NULL`;
    return this.#database.run(sql, atMs, error, messageId) > 0;
  }

  dead(page: PageRequest): Page<OutboxMessage> {
    const sql = `SELECT * FROM outbox WHERE buried_at_ms IS NOT NULL AND message_id > ? ORDER BY message_id LIMIT ?`;
    const rows = this.#database.rows(sql, page.after ?? "", page.limit + 1);
    return pageOf(rows.map(messageOf), page.limit, (message) => message.messageId);
  }

  revive(messageId: string, dueAtMs: number): boolean {
    const sql = `UPDATE outbox SET attempts = 0, buried_at_ms = NULL, due_at_ms = ?
      WHERE message_id = ? AND buried_at_ms IS NOT NULL`;
    return this.#database.run(sql, dueAtMs, messageId) > 0;
  }

  prune(beforeMs: number, limit: number): number {
    const old = "SELECT message_id FROM outbox WHERE buried_at_ms < ? LIMIT ?";
    return this.#database.run(`DELETE FROM outbox WHERE message_id IN (${old})`, beforeMs, limit);
  }

  counts(): OutboxCounts {
    const count = (condition: string): number =>
      Number(this.#database.row(`SELECT count(*) AS messages FROM outbox WHERE ${condition}`)?.["messages"]);
    return { waiting: count("buried_at_ms IS NULL"), dead: count("buried_at_ms IS NOT NULL") };
  }

  #forgetDead(count: number): number {
    const oldest = "SELECT message_id FROM outbox WHERE buried_at_ms IS NOT NULL ORDER BY buried_at_ms LIMIT ?";
    return this.#database.run(`DELETE FROM outbox WHERE message_id IN (${oldest})`, count);
  }

  #has(messageId: string): boolean {
    return this.#database.row("SELECT 1 FROM outbox WHERE message_id = ?", messageId) !== undefined;
  }
}

function messageOf(row: Row): OutboxMessage {
  return {
    messageId: row["message_id"] as string,
    target: row["target"] as string,
    topic: row["topic"] as string,
    body: row["body"] as string,
    createdAtMs: row["created_at_ms"] as number,
    dueAtMs: row["due_at_ms"] as number,
    attempts: row["attempts"] as number,
    lastError: optional<string>(row["last_error"]),
    buriedAtMs: optional<number>(row["buried_at_ms"]),
  };
}
