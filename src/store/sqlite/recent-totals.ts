import { LRUCache } from "lru-cache";
import type { Contribution } from "../acct-session.ts";
import type { UsageTotal } from "../types.ts";

/** Some 10 MiB. Beyond, the total that was longest not asked for is added up again. */
const TOTALS_MAX = 65_536;

/** Totals of users that somebody asked for, kept up with each record that counts: who looks at a quota after every record does
 *  not add all acct sessions of the user up every time. As RecentSessions it may only answer inside a transaction, and forgets
 *  all when another connection has written, or something was undone. */
export class RecentTotals {
  readonly #totals = new LRUCache<string, UsageTotal>({ max: TOTALS_MAX });

  forget(): void {
    this.#totals.clear();
  }

  of(username: string, periodKey: string): UsageTotal | undefined {
    return this.#totals.get(keyOf(username, periodKey));
  }

  keep(username: string, periodKey: string, total: UsageTotal): void {
    this.#totals.set(keyOf(username, periodKey), total);
  }

  /** What has been written for one acct session. */
  added(amounts: readonly Contribution[]): void {
    if (this.#totals.size === 0) return;
    for (const { username, periodKey, uploadOctets, downloadOctets, seconds } of amounts) {
      const key = keyOf(username, periodKey);
      const known = this.#totals.peek(key);
      if (known === undefined) continue;
      const total = {
        uploadOctets: known.uploadOctets + uploadOctets,
        downloadOctets: known.downloadOctets + downloadOctets,
        seconds: known.seconds + seconds,
      };
      // A row stays at 2^53 - 1 where two lying routers reach it: then what was added is not what was counted.
      if (isExact(total)) this.#totals.set(key, total);
      else this.#totals.delete(key);
    }
  }
}

function isExact({ uploadOctets, downloadOctets, seconds }: UsageTotal): boolean {
  return Math.max(uploadOctets, downloadOctets, seconds) < Number.MAX_SAFE_INTEGER;
}

/** A period key has no space. */
function keyOf(username: string, periodKey: string): string {
  return `${periodKey} ${username}`;
}
