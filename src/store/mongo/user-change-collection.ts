import type { Random } from "../../clock.ts";
import { assertUserBatch } from "../limits.ts";
import type { NewUserChange, UserChange, UserChangeNext, UserChangeStore } from "../user-types.ts";
import type { Calls } from "./connection.ts";
import type { UserChangeDocument } from "./documents.ts";
import { takeDue } from "./lease.ts";

/** UserChangeStore on the collection `user_changes`. */
export class UserChangeCollection implements UserChangeStore {
  readonly #calls: Calls;
  readonly #random: Random;

  constructor(calls: Calls, random: Random) {
    this.#calls = calls;
    this.#random = random;
  }

  async put(changes: readonly NewUserChange[]): Promise<void> {
    assertUserBatch(changes);
    const replacements = changes.map(({ kind, name, dueAtMs }) => {
      const _id = changeKey({ kind, name });
      const replacement = { _id, kind, name, dueAtMs, attempts: 0, after: undefined };
      return { replaceOne: { filter: { _id: { $eq: _id } }, replacement, upsert: true } };
    });
    if (replacements.length === 0) return;
    await this.#calls.writes(({ userChanges }) => userChanges.bulkWrite(replacements));
  }

  take(nowMs: number, leaseUntilMs: number, limit: number): Promise<UserChange[]> {
    return this.#calls.writes(async ({ userChanges }) => {
      const taken = await takeDue(userChanges, { filter: {}, nowMs, leaseUntilMs, limit }, this.#random);
      return taken.map(changeOf);
    });
  }

  settle(taken: UserChange, next: UserChangeNext | undefined): Promise<boolean> {
    const filter = { _id: { $eq: changeKey(taken) }, dueAtMs: taken.dueAtMs };
    return this.#calls.write(async ({ userChanges }) => {
      if (next === undefined) return (await userChanges.deleteOne(filter)).deletedCount > 0;
      const { dueAtMs, attempts, after } = next;
      const stands = { dueAtMs, attempts };
      const update =
        after === undefined ? { $set: stands, $unset: { after: "" as const } } : { $set: { ...stands, after } };
      return (await userChanges.updateOne(filter, update)).matchedCount > 0;
    });
  }

  countDue(nowMs: number): Promise<number> {
    return this.#calls.read(({ userChanges }) => userChanges.countDocuments({ dueAtMs: { $lte: nowMs } }));
  }
}

function changeKey({ kind, name }: Pick<UserChange, "kind" | "name">): string {
  return `${kind} ${name}`;
}

function changeOf({ kind, name, dueAtMs, attempts, after }: UserChangeDocument): UserChange {
  return { kind, name, dueAtMs, attempts, after };
}
