import type { KeptBinding } from "../../registry/types.ts";
import type { BindingRemoval } from "../binding-types.ts";
import { pageOf } from "../page-of.ts";
import type { Page, PageRequest } from "../types.ts";
import type { Database, Row } from "./database.ts";

/** BindingStore on one connection. */
export class BindingTable {
  readonly #database: Database;

  constructor(database: Database) {
    this.#database = database;
  }

  put(bindings: readonly KeptBinding[]): void {
    for (const each of bindings) {
      const { nasIdentifier, peerKey, peerLabel, client, shared, boundAtMs, seenAtMs } = each;
      const sql = "INSERT OR REPLACE INTO binding VALUES (?, ?, ?, ?, ?, ?, ?)";
      this.#database.run(sql, nasIdentifier, peerKey, peerLabel, client, shared, boundAtMs, seenAtMs);
    }
  }

  remove(bindings: readonly BindingRemoval[]): void {
    for (const { nasIdentifier, peerKey, seenUntilMs } of bindings) {
      const sql = "DELETE FROM binding WHERE nas_identifier = ? AND peer_key = ? AND seen_at_ms <= ?";
      this.#database.run(sql, nasIdentifier, peerKey, seenUntilMs ?? Number.MAX_SAFE_INTEGER);
    }
  }

  list({ after, limit }: PageRequest): Page<KeptBinding> {
    const [name, peerKey] = after === undefined ? ["", ""] : (JSON.parse(after) as [string, string]);
    const sql = `SELECT * FROM binding WHERE (nas_identifier, peer_key) > (?, ?)
      ORDER BY nas_identifier, peer_key LIMIT ?`;
    const found = this.#database.rows(sql, name, peerKey, limit + 1).map(bindingOf);
    return pageOf(found, limit, (last) => JSON.stringify([last.nasIdentifier, last.peerKey]));
  }
}

function bindingOf(row: Row): KeptBinding {
  return {
    nasIdentifier: row["nas_identifier"] as string,
    peerKey: row["peer_key"] as string,
    peerLabel: row["peer_label"] as string,
    client: row["client"] as string,
    shared: row["shared"] === 1,
    boundAtMs: row["bound_at_ms"] as number,
    seenAtMs: row["seen_at_ms"] as number,
  };
}
