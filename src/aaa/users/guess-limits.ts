import { LRUCache } from "lru-cache";
import type { Clock } from "../../clock.ts";
import { callingStationKey } from "../../store/calling-station.ts";
import type { GuessAttempt, GuessLimits, GuessVerdict, PendingGuesses } from "./types.ts";

export interface GuessOptions {
  /** Time in which a whole `...Max` is forgiven; forgiveness comes bit by bit. */
  readonly windowMs: number;
  /** Wrong passwords in a row for one User-Name; 0: no limit. */
  readonly userMax: number;
  /** From one Calling-Station-Id. */
  readonly macMax: number;
  /** From one router or HTTP caller, behind which many users may be. */
  readonly sourceMax: number;
}

/** What one name has on its account: how many wrong ones, as of when. They drain away evenly. */
interface Account {
  wrong: number;
  atMs: number;
}

type Kind = "user" | "mac" | "source";
const KINDS: readonly Kind[] = ["user", "mac", "source"];

/** Accounts of each kind; of one more, the one not touched longest is forgotten. Some 100 octets each. */
const ACCOUNTS_MAX = 50_000;

/** Leaky buckets of wrong passwords. Somebody who tries many users from one MAC or router is held up by that; somebody who tries
 *  one user from many is held up by the user. */
export class GuessCounter implements GuessLimits, PendingGuesses {
  readonly #clock: Pick<Clock, "now">;
  readonly #accounts: Readonly<Record<Kind, LRUCache<string, Account>>> = {
    user: new LRUCache({ max: ACCOUNTS_MAX }),
    mac: new LRUCache({ max: ACCOUNTS_MAX }),
    source: new LRUCache({ max: ACCOUNTS_MAX }),
  };
  /** Passwords that are being hashed: no more than the queue of the hashes takes. */
  readonly #pending: Readonly<Record<Kind, Map<string, number>>> = {
    user: new Map(),
    mac: new Map(),
    source: new Map(),
  };
  readonly #refused: Record<Kind, number> = { user: 0, mac: 0, source: 0 };
  #options: GuessOptions;

  constructor(clock: Pick<Clock, "now">, options: GuessOptions) {
    this.#clock = clock;
    this.#options = options;
  }

  /** Tries refused since the start, by what held them up. */
  get refused(): Readonly<Record<Kind, number>> {
    return this.#refused;
  }

  apply(options: GuessOptions): void {
    this.#options = options;
  }

  admit(attempt: GuessAttempt): GuessVerdict {
    for (const by of KINDS) {
      const max = this.#max(by);
      // Where nobody guesses, a login costs nothing here.
      if (max === 0 || this.#accounts[by].size === 0) continue;
      const name = nameOf(attempt, by);
      const account = name === undefined ? undefined : this.#accounts[by].get(name);
      if (account === undefined) continue;
      const over = this.#drained(account, max) - (max - 1);
      if (over <= 0) continue;
      this.#refused[by] += 1;
      return { ok: false, by, retryAfterMs: Math.ceil((over * this.#options.windowMs) / max) };
    }
    return { ok: true };
  }

  failed(attempt: GuessAttempt): void {
    for (const by of KINDS) {
      const max = this.#max(by);
      const name = nameOf(attempt, by);
      if (name === undefined || max === 0) continue;
      const account = this.#accounts[by].get(name);
      const wrong = account === undefined ? 0 : this.#drained(account, max);
      // What was under way when the limit was reached does not lengthen it without end.
      this.#accounts[by].set(name, { wrong: Math.min(wrong + 1, max), atMs: this.#clock.now() });
    }
  }

  succeeded(attempt: GuessAttempt): void {
    this.#accounts.user.delete(attempt.username);
  }

  begin(attempt: GuessAttempt): boolean {
    if (attempt.exempt !== true && !this.#hasPlace(attempt)) return false;
    this.#count(attempt, 1);
    return true;
  }

  end(attempt: GuessAttempt): void {
    this.#count(attempt, -1);
  }

  /** Whether one more would still be within the limits if all those under way were wrong. */
  #hasPlace(attempt: GuessAttempt): boolean {
    for (const by of KINDS) {
      const max = this.#max(by);
      const name = nameOf(attempt, by);
      if (name === undefined || max === 0) continue;
      const account = this.#accounts[by].peek(name);
      const wrong = account === undefined ? 0 : this.#drained(account, max);
      if (wrong + (this.#pending[by].get(name) ?? 0) > max - 1) return false;
    }
    return true;
  }

  /** Somebody in charge has changed the user: its wrong passwords are of the past. */
  forgive(username: string): void {
    this.#accounts.user.delete(username);
  }

  #count(attempt: GuessAttempt, step: 1 | -1): void {
    for (const by of KINDS) {
      const name = nameOf(attempt, by);
      if (name === undefined) continue;
      const count = (this.#pending[by].get(name) ?? 0) + step;
      if (count === 0) this.#pending[by].delete(name);
      else this.#pending[by].set(name, count);
    }
  }

  #max(by: Kind): number {
    const { userMax, macMax, sourceMax } = this.#options;
    return { user: userMax, mac: macMax, source: sourceMax }[by];
  }

  #drained({ wrong, atMs }: Account, max: number): number {
    return Math.max(0, wrong - ((this.#clock.now() - atMs) * max) / this.#options.windowMs);
  }
}

function nameOf({ username, callingStationId, source }: GuessAttempt, by: Kind): string | undefined {
  if (by === "user") return username;
  if (by === "source") return source;
  return callingStationId === undefined ? undefined : callingStationKey(callingStationId);
}
